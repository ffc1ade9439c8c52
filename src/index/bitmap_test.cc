#include "index/bitmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace akidb::index {
namespace {

using Set = std::set<uint32_t>;

Bitmap bitmap_of(const Set& rows) {
    Bitmap made;
    for (auto at = rows.begin(); at != rows.end();) {
        const uint32_t chunk = *at >> ChunkRows::kShift;
        ChunkRows gathered;
        for (; at != rows.end() && *at >> ChunkRows::kShift == chunk; ++at) {
            const auto offset = static_cast<uint16_t>(*at & (ChunkRows::kRows - 1));
            gathered.add({&offset, 1});
        }
        made.set_chunk(chunk, std::move(gathered));
    }
    return made;
}

std::vector<uint32_t> listed(const Bitmap& bitmap) {
    std::vector<uint32_t> rows;
    bitmap.for_each([&](uint32_t row) {
        rows.push_back(row);
        return true;
    });
    return rows;
}

void expect_same(const Bitmap& bitmap, const Set& rows) {
    EXPECT_EQ(bitmap.count(), rows.size());
    EXPECT_EQ(listed(bitmap), std::vector<uint32_t>(rows.begin(), rows.end()));
}

// Sparse, dense and absent chunks in all combinations.
Set random_set(std::mt19937& random) {
    Set rows;
    for (uint32_t chunk = 0; chunk < 3; ++chunk) {
        const uint32_t sizes[] = {0, 5, 3'000, 9'000};
        for (uint32_t left = sizes[random() % 4]; left > 0; --left) {
            rows.insert((chunk << ChunkRows::kShift) + static_cast<uint32_t>(random() % 20'000));
        }
    }
    return rows;
}

TEST(Bitmap, CombinesLikeASetWhateverTheForms) {
    std::mt19937 random(3);
    for (int round = 0; round < 60; ++round) {
        const Set a = random_set(random);
        const Set b = random_set(random);
        Set both;
        Set either;
        Set less;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::inserter(either, either.end()));
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(less, less.end()));
        Bitmap met = bitmap_of(a);
        met.intersect(bitmap_of(b));
        expect_same(met, both);
        Bitmap joined = bitmap_of(a);
        joined.unite(bitmap_of(b));
        expect_same(joined, either);
        Bitmap left = bitmap_of(a);
        left.subtract(bitmap_of(b));
        expect_same(left, less);
        left.make_quick();
        expect_same(left, less);
        for (int i = 0; i < 200; ++i) {
            const auto row = static_cast<uint32_t>(random() % (4 * ChunkRows::kRows));
            ASSERT_EQ(joined.contains(row), either.contains(row)) << row;
            ASSERT_EQ(left.contains(row), less.contains(row)) << row;
        }
    }
}

TEST(Bitmap, HoldsARangeOverChunkAndWordEdges) {
    constexpr uint32_t kRows = ChunkRows::kRows;
    for (const uint32_t begin : {0u, 1u, 63u, 64u, kRows - 1, kRows, kRows + 5}) {
        for (const uint32_t end : {0u, 1u, 63u, 64u, 65u, kRows - 1, kRows, kRows + 1, 3 * kRows}) {
            const Bitmap range = Bitmap::of_range(begin, end);
            ASSERT_EQ(range.count(), end > begin ? end - begin : 0) << begin << ".." << end;
            for (const uint32_t row : {begin, end, begin - 1, end - 1}) {
                ASSERT_EQ(range.contains(row), row >= begin && row < end) << row;
            }
        }
    }
}

TEST(Bitmap, ListsTurnToBitsOnlyAboveTheirLimit) {
    for (const size_t size : {ChunkRows::kListMax - 1, ChunkRows::kListMax, ChunkRows::kListMax + 1}) {
        Set rows;
        for (uint32_t i = 0; i < size; ++i) {
            rows.insert(i * 3);
        }
        expect_same(bitmap_of(rows), rows);
    }
}

TEST(Bitmap, GathersRepeatsAndAnyOrder) {
    ChunkRows rows;
    const std::vector<uint16_t> offsets{9, 2, 9, 65'535, 0, 2};
    rows.add(offsets);
    rows.add(offsets);
    Bitmap bitmap;
    bitmap.set_chunk(1, std::move(rows));
    constexpr uint32_t kRows = ChunkRows::kRows;
    expect_same(bitmap, {kRows, kRows + 2, kRows + 9, 2 * kRows - 1});
}

TEST(Bitmap, StopsWhenTheVisitorSaysSo) {
    uint32_t seen = 0;
    Bitmap::of_range(0, 200'000).for_each([&](uint32_t) { return ++seen < 70'000; });
    EXPECT_EQ(seen, 70'000u);
}

}  // namespace
}  // namespace akidb::index
