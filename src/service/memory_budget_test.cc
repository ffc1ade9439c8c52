#include "service/memory_budget.h"

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

TEST(MemoryBudget, GivesUpToItsBoundsAndTakesBack) {
    telemetry::Metrics metrics;
    constexpr uint64_t kAll = 8'000'000;
    MemoryBudget budget(kAll, metrics);
    constexpr uint64_t kLargeMax = 7'000'000;
    EXPECT_EQ(budget.share_bytes_max(), kLargeMax);
    {
        MemoryBudget::Share large(budget);
        EXPECT_FALSE(large.grow_to(kLargeMax + 1));
        EXPECT_TRUE(large.grow_to(kLargeMax - 1));
        EXPECT_TRUE(large.grow_to(kLargeMax));
        EXPECT_TRUE(large.grow_to(1)) << "it never shrinks";
        MemoryBudget::Share second(budget);
        EXPECT_FALSE(second.grow_to(MemoryBudget::kSmallBytes + 1));
        EXPECT_TRUE(second.grow_to(MemoryBudget::kSmallBytes)) << "small ones have the last eighth";
        MemoryBudget::Share third(budget);
        EXPECT_TRUE(third.grow_to(MemoryBudget::kSmallBytes));
        MemoryBudget::Share fourth(budget);
        EXPECT_TRUE(fourth.grow_to(MemoryBudget::kSmallBytes));
        MemoryBudget::Share fifth(budget);
        EXPECT_TRUE(fifth.grow_to(kAll - kLargeMax - 3 * MemoryBudget::kSmallBytes));
        MemoryBudget::Share sixth(budget);
        EXPECT_FALSE(sixth.grow_to(1));
        EXPECT_NE(metrics.expose().find("akidb_http_request_memory_bytes 8000000\n"), std::string::npos);
    }
    EXPECT_NE(metrics.expose().find("akidb_http_request_memory_bytes 0\n"), std::string::npos);
}

}  // namespace
}  // namespace akidb::service
