#include "index/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace akidb::index {
namespace {

TEST(TopK, KeepsTheNearestInOrder) {
    std::mt19937 random(3);
    std::vector<Candidate> all;
    TopK best(10);
    for (uint32_t ordinal = 0; ordinal < 1000; ++ordinal) {
        all.push_back({static_cast<float>(random() % 50), ordinal});
        best.offer(all.back());
    }
    std::sort(all.begin(), all.end());
    all.resize(10);
    EXPECT_EQ(best.take_sorted(), all);
    EXPECT_EQ(best.size(), 0u);
}

TEST(TopK, BoundIsInfiniteUntilFullThenTheFarthestKept) {
    TopK best(2);
    EXPECT_TRUE(best.offer({5, 1}));
    EXPECT_EQ(best.bound(), std::numeric_limits<float>::infinity());
    EXPECT_TRUE(best.offer({3, 2}));
    EXPECT_TRUE(best.is_full());
    EXPECT_EQ(best.bound(), 5.0f);
    EXPECT_FALSE(best.offer({6, 3}));
    EXPECT_TRUE(best.offer({4, 4}));
    EXPECT_EQ(best.bound(), 4.0f);
    best.reset(1);
    EXPECT_EQ(best.bound(), std::numeric_limits<float>::infinity());
}

TEST(TopK, EqualDistancesPreferTheLowerOrdinalWhateverTheOrder) {
    TopK best(1);
    best.offer({1, 7});
    EXPECT_TRUE(best.offer({1, 5}));
    EXPECT_FALSE(best.offer({1, 6}));
    EXPECT_EQ(best.take_sorted(), (std::vector<Candidate>{{1, 5}}));
}

TEST(TopK, RefusesDistancesThatAreNotNumbersAndEverythingWhenThereIsNoRoom) {
    TopK best(2);
    EXPECT_FALSE(best.offer({std::nanf(""), 1}));
    EXPECT_EQ(best.size(), 0u);
    TopK none(0);
    EXPECT_FALSE(none.offer({1, 1}));
    EXPECT_TRUE(none.take_sorted().empty());
}

}  // namespace
}  // namespace akidb::index
