// The promise tests of what lies in object stores: hundreds of histories of a store that misbehaves and a
// machine that dies, without a violation; and that the store misbehaves as it says.
#include "sim/object_history.h"

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "objects/conformance.h"
#include "objects/forwarding_store.h"
#include "sim/campaign.h"
#include "sim/sim_object_store.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kHistoryShare = AKIDB_SIM_SHARE;  // one in so many
using Violations = std::vector<std::string>;

TEST(ObjectHistories, LoseNothingWhateverTheStoreAndThePowerDo) {
    keep_freed_memory();
    const ObjectCounts counts = object_campaign(1, 300 / kHistoryShare);
    EXPECT_EQ(counts.violations, Violations{});
    if (kHistoryShare > 1) {
        return;
    }
    EXPECT_GT(counts.deaths, 300u);
    EXPECT_GT(counts.deaths_in_start, 10u);
    EXPECT_GT(counts.backups, 300u);
    EXPECT_GT(counts.points, 150u);
    EXPECT_GT(counts.restored, counts.points);
    EXPECT_GT(counts.refused, 10u);
    EXPECT_GT(counts.cold, 100u);
    EXPECT_GT(counts.searched, 100u);
    EXPECT_GT(counts.fetched, 30u);
    for (size_t i = 0; i < kObjectFaultCount; ++i) {
        EXPECT_GT(counts.faults[i], 0u) << name_of(static_cast<ObjectFault>(i));
    }
}

TEST(ObjectHistories, OfOneSeedAreOne) {
    const ObjectCounts first = run_object_history(11);
    const ObjectCounts second = run_object_history(11);
    EXPECT_EQ(first.steps, second.steps);
    EXPECT_EQ(first.requests, second.requests);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
    EXPECT_EQ(first.faults, second.faults);
}

/// Lets the probe's threads in one at a time: the simulated store is made for one.
class OneAtATime final : public objects::ForwardingStore<OneAtATime> {
  public:
    using ForwardingStore::ForwardingStore;

    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) {
        MutexLock lock(mutex_);
        return call();
    }

  private:
    Mutex mutex_;
};

TEST(SimObjectStore, IsAStoreLikeOthersWhileItIsCalm) {
    SimPower power;
    SimClock clock;
    SimObjectStore calm(1, power, clock);
    calm.set_calm(true);
    OneAtATime store(calm);
    const auto random = io::make_seeded_random(1);
    objects::probe_store(store, *random, [](const objects::Finding& finding) {
        EXPECT_EQ(finding.fault, "") << finding.promise;
    });
}

/// What a request that was told as failed leaves behind.
TEST(SimObjectStore, DoesLateWhatItsClientHasGivenUp) {
    uint64_t late = 0;
    uint64_t stale = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        SimPower power;
        SimClock clock;
        SimObjectStore store(seed, power, clock);
        for (int i = 0; i < 200; ++i) {
            const std::string key = "key/" + std::to_string(i);
            const bool is_put = store.put(key, "old", objects::PutMode::kOverwrite).has_value();
            const bool is_newer = store.put(key, "new", objects::PutMode::kOverwrite).has_value();
            const auto page = store.list({.prefix = key});
            stale += is_put && is_newer && page && page->objects.empty() ? 1 : 0;
        }
        store.let_all_arrive();
        for (const std::string& key : store.keys("key/")) {
            late += *store.find(key) == "old" ? 1 : 0;
        }
    }
    EXPECT_GT(late, 20u);
    EXPECT_GT(stale, 20u);
}

TEST(SimObjectStore, DoesNothingWithoutPower) {
    SimPower power;
    SimClock clock;
    SimObjectStore store(1, power, clock);
    store.set_calm(true);
    power.plan(3);
    EXPECT_TRUE(store.put("one", "1", objects::PutMode::kOverwrite));
    EXPECT_FALSE(store.put("two", "2", objects::PutMode::kOverwrite)) << "it is done, and nobody hears of it";
    EXPECT_FALSE(store.put("three", "3", objects::PutMode::kOverwrite));
    power.turn_on();
    EXPECT_TRUE(store.get("two", 10));
    EXPECT_FALSE(store.get("three", 10));
}

}  // namespace
}  // namespace akidb::sim
