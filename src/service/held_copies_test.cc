// What an erase does not reach: by when each backup that holds it is gone.
#include "service/held_copies.h"

#include <gtest/gtest.h>

#include <map>

#include "service/scheduled_backups.h"

namespace akidb::service {
namespace {

constexpr uint64_t kWholeDay = uint64_t{24} * 3600 * 1000;

TEST(HeldCopies, OfWhichEachIsGoneByWhenItIsSaidTo) {
    for (const char* schedule : {"6h", "1d", "03:30"}) {
        for (const backup::Retention retention :
             {backup::Retention{.keep_last = 3}, backup::Retention{.keep_last = 1, .keep_days = 5},
              backup::Retention{.keep_last = 9, .keep_days = 2}}) {
            const BackupPlan plan{
                .to = {}, .times = BackupTimes::parse(schedule).value(), .retention = retention};
            std::vector<uint64_t> kept{1'700'000'000'000};  // when they were made
            std::map<uint64_t, uint64_t> promised;
            for (int round = 0; round < 60; ++round) {
                for (size_t i = 0; i < kept.size(); ++i) {
                    const uint64_t until =
                        gone_by_ms(plan, kept.back(), kept.back(), kept.size() - i, kept[i]);
                    const auto at = promised.emplace(kept[i], until).first;
                    EXPECT_LE(until, at->second) << "what was told once holds";
                }
                const uint64_t now = plan.times.next_ms(kept.back());
                kept.push_back(now);
                for (size_t i = 0; i < kept.size();) {
                    const bool stays =
                        kept.size() - i <= retention.keep_last ||
                        (retention.keep_days > 0 && kept[i] + retention.keep_days * kWholeDay > now);
                    EXPECT_TRUE(!stays || !promised.contains(kept[i]) || promised[kept[i]] > now)
                        << schedule << ": one is there at " << now << ", and was to be gone by then";
                    stays ? ++i : (kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i)), i);
                }
            }
            EXPECT_GT(promised.size(), 50u);
        }
    }
}

TEST(HeldCopies, AreNotGoneYetWhereBackupsAreOverdue) {
    const BackupPlan plan{.to = {}, .times = BackupTimes::parse("6h").value(), .retention = {.keep_last = 3}};
    const uint64_t newest = 1'700'000'000'000;
    const uint64_t now = newest + 5 * kWholeDay;  // the place could not be reached for days
    EXPECT_EQ(gone_by_ms(plan, now, newest, 3, newest - kWholeDay), now);
    EXPECT_EQ(gone_by_ms(plan, now, newest, 1, newest), now + kWholeDay / 2) << "two more after the one due";
}

}  // namespace
}  // namespace akidb::service
