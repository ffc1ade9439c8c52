#include "index/members.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "index/rows.h"

namespace akidb::index {
namespace {

TEST(Members, AreFoundAndCountedAsABinarySearchWould) {
    Members members;
    std::vector<uint32_t> expected;
    for (uint32_t row = 3; expected.size() < 10'000; row += 1 + row % 3) {
        members.reserve(1);
        members.add(row);
        expected.push_back(row);
    }
    ASSERT_EQ(members.size(), expected.size());
    for (uint32_t i = 0; i < members.size(); ++i) {
        ASSERT_EQ(members.row_of(i), expected[i]);
    }
    for (uint32_t row = 0; row < expected.back() + 2; ++row) {
        const auto below = std::lower_bound(expected.begin(), expected.end(), row) - expected.begin();
        ASSERT_EQ(members.count_below(row), below) << row;
    }
}

TEST(Members, OfNoneAreNone) {
    const Members members;
    EXPECT_EQ(members.size(), 0u);
    EXPECT_EQ(members.count_below(0), 0u);
    EXPECT_EQ(members.count_below(1'000'000), 0u);
}

TEST(Rows, LieBesideOthersInWiderRowsAndAreCountedByTheirMembers) {
    const RowShape first{model::Metric::kDot, 16};
    const RowShape second{model::Metric::kL2, 20, model::VectorStorage::kF16};
    const uint32_t first_stride = row_stride(16, model::VectorStorage::kF32);
    const uint32_t pitch = first_stride + row_stride(20, model::VectorStorage::kF16);
    Rows of_second(second, simd::choose_kernels(""), {.offset = first_stride, .pitch = pitch});
    Rows of_first(first, simd::choose_kernels(""), {.offset = 0, .pitch = pitch});
    std::vector<std::byte> chunk(size_t{kRowsPerChunk} * pitch * 4);
    of_first.set_chunk(0, chunk.data());
    of_second.set_chunk(0, chunk.data());
    Members members;
    members.reserve(2);
    for (uint32_t row = 0; row < 5; ++row) {
        std::byte* const at = chunk.data() + size_t{row} * pitch * 4;
        encode_row(first, std::vector<float>(16, static_cast<float>(row + 1)), {at, first_stride * 4});
        if (row % 3 == 1) {
            encode_row(second, std::vector<float>(20, static_cast<float>(10 * row)),
                       {at + first_stride * 4, (pitch - first_stride) * 4});
            members.add(row);
        }
    }
    const Rows dense(of_second, members);
    std::vector<float> room(20);
    EXPECT_EQ(of_first.vector(4, room.data())[15], 5.0f);
    EXPECT_EQ(of_second.vector(4, room.data())[19], 40.0f);
    EXPECT_EQ(dense.vector(0, room.data())[0], 10.0f);
    EXPECT_EQ(dense.vector(1, room.data())[0], 40.0f);
    const std::vector<float> query(of_second.query_size(), 0.0f);
    EXPECT_EQ(dense.distance(query.data(), 1), of_second.distance(query.data(), 4));
    EXPECT_EQ(dense.row_bytes(), of_second.row_bytes());
}

}  // namespace
}  // namespace akidb::index
