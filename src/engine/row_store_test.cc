// Rows and ids of more documents than one block of memory holds.
#include "engine/row_store.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/id_map.h"
#include "model/document_id.h"

namespace akidb::engine {
namespace {

std::string id_of(uint32_t number) {
    return model::DocumentId(uint64_t{number}).encoded();
}

/// Wide enough for large pages, and more than the chunks that do without.
TEST(RowStore, KeepsRowsInSmallAndLargePagesAsTheyCame) {
    constexpr uint32_t kWide = 160;
    constexpr uint32_t kMany = 19 * index::kRowsPerChunk + 5;
    RowStore rows({{.dimension = kWide, .metric = model::Metric::kL2}});
    ASSERT_GE(index::kRowsPerChunk * rows.row_bytes(), index::kLargePageBytes);
    std::vector<float> vector(kWide);
    for (uint32_t row = 0; row < kMany; ++row) {
        ASSERT_TRUE(rows.reserve(1).has_value());
        vector[row % kWide] = static_cast<float>(row);
        ASSERT_EQ(rows.append({.vector = vector, .version = row + 1, .id = id_of(row), .metadata = ""}), row);
        vector[row % kWide] = 0;
    }
    rows.mark_dead(kMany - 1, 7);
    for (uint32_t row = 0; row < kMany; row += row < 100 ? 1 : 101) {
        vector[row % kWide] = static_cast<float>(row);
        ASSERT_EQ(rows.vectors(row), vector) << row;
        vector[row % kWide] = 0;
        ASSERT_EQ(rows.version(row), row + 1);
        ASSERT_EQ(rows.id(row), id_of(row));
        ASSERT_EQ(rows.dead_at(row), 0u);
    }
    EXPECT_EQ(rows.dead_at(kMany - 1), 7u);
}

/// The slow path inserts one after the other.
TEST(IdMap, FilledAtOnceIsAsFilledOneByOne) {
    for (const uint32_t count : {0u, 1u, 15u, 16u, 17u, 1'000u, 300'000u}) {
        RowStore rows({{.dimension = 1, .metric = model::Metric::kL2}});
        const float component = 1;
        for (uint32_t row = 0; row < count; ++row) {
            ASSERT_TRUE(rows.reserve(1).has_value());
            // Every seventh replaces an earlier one.
            rows.append({.vector = {&component, 1},
                         .version = 1,
                         .id = id_of(row % 7 == 6 ? row / 2 : row),
                         .metadata = ""});
        }
        IdMap one_by_one(rows, 99);
        for (uint32_t row = 0; row < count; ++row) {
            one_by_one.insert(row);
        }
        IdMap at_once(rows, 99);
        at_once.fill(count);
        for (uint32_t number = 0; number < count + 10; ++number) {
            ASSERT_EQ(at_once.find(id_of(number)), one_by_one.find(id_of(number))) << number;
        }
    }
}

}  // namespace
}  // namespace akidb::engine
