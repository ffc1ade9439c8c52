// Tiers on a real S3 server (s3_test.sh starts one) while a proxy spoils what passes: nothing is called
// uploaded that is not there, nothing local goes without its copy, and no answer is wrong. AKIDB_S3_FAULTS
// says after how many faults it ends; `./dev torture s3` has the long run.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "tier_storm.h"

namespace akidb::s3_test {
namespace {

constexpr uint64_t kStorms = 4;  // at once, as faults take their time

/// What all storms met and held, together.
class Sum {
  public:
    void add(const TierStorm& storm) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        for (size_t i = 1; i < kFaultCount; ++i) {
            counts_[i] += storm.proxy().count(static_cast<Fault>(i));
        }
        const StormTally& one = storm.tally();
        for (const auto member : kMembers) {
            all_.*member += one.*member;
        }
    }
    size_t kinds() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return static_cast<size_t>(
            std::count_if(counts_.begin(), counts_.end(), [](uint64_t count) { return count > 0; }));
    }
    StormTally tally() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return all_;
    }

  private:
    static constexpr uint64_t StormTally::*kMembers[] = {
        &StormTally::steps,    &StormTally::refusals, &StormTally::uploads,
        &StormTally::drops,    &StormTally::fetches,  &StormTally::answers,
        &StormTally::restarts, &StormTally::openings, &StormTally::closings};

    Mutex mutex_;
    std::array<uint64_t, kFaultCount> counts_ AKIDB_GUARDED_BY(mutex_){};
    StormTally all_ AKIDB_GUARDED_BY(mutex_);
};

TEST(Tiers, NeitherLieNorLoseWhateverTheNetworkDoes) {
    const uint64_t faults_min = number_of("AKIDB_S3_FAULTS", 200);
    const uint64_t seed = s3_test::seed();
    std::atomic<uint64_t> faults{0};
    Sum sum;
    {
        std::vector<std::jthread> threads;
        for (uint64_t i = 0; i < kStorms; ++i) {
            threads.emplace_back([&, i] {
                const Gateway gateway;
                TierStorm storm(gateway, "tiers-" + std::to_string(seed) + "-" + std::to_string(i), seed + i);
                while (faults < faults_min && !testing::Test::HasFailure()) {
                    const uint64_t before = storm.proxy().faults();
                    storm.round();
                    faults += storm.proxy().faults() - before;
                }
                if (!testing::Test::HasFailure()) {
                    storm.end();
                }
                sum.add(storm);
            });
        }
    }
    const StormTally all = sum.tally();
    const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("%llu faults of %zu kinds in %llu steps, %llu restarts\n", number(faults), sum.kinds(),
                number(all.steps), number(all.restarts));
    std::printf("%llu uploads and %llu drops of local files, each found whole past the proxy\n",
                number(all.uploads), number(all.drops));
    std::printf(
        "%llu collections fetched, %llu times refused; %llu read whole and searched as their model says\n",
        number(all.fetches), number(all.refusals), number(all.answers));
    std::printf("the breaker opened %llu times and closed %llu times, each by its figures\n",
                number(all.openings), number(all.closings));
    EXPECT_GE(faults, faults_min);
    EXPECT_GE(sum.kinds(), 20U);
    EXPECT_GE(all.openings, kStorms);
    EXPECT_GE(all.closings, kStorms);
    EXPECT_GT(all.uploads, 0U);
    EXPECT_GT(all.drops, 0U);
    EXPECT_GT(all.fetches, 0U);
}

}  // namespace
}  // namespace akidb::s3_test
