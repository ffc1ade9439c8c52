// The oracle of the kill test against histories whose answer is known: an oracle that cannot fail proves
// nothing.
#include "ledger.h"

#include <gtest/gtest.h>

namespace akidb::crash {
namespace {

Ticket acknowledged_write(Ledger& ledger) {
    const Ticket write = ledger.begin_write(0);
    ledger.end(write, Outcome::kAcknowledged);
    return write;
}

TEST(Ledger, MissesAcknowledgedWrite) {
    Ledger ledger(1);
    const Ticket write = acknowledged_write(ledger);
    EXPECT_EQ(ledger.judge(0, write.stamp), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, kAbsent), Verdict::kLost);
}

TEST(Ledger, TakesEitherStateOfUnansweredWriteAndThenOnlyTheOneSeen) {
    Ledger ledger(1);
    const Ticket first = acknowledged_write(ledger);
    const Ticket second = ledger.begin_write(0);
    EXPECT_EQ(ledger.judge(0, first.stamp), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, second.stamp), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, kAbsent), Verdict::kLost);
    ledger.settle(0, first.stamp);
    EXPECT_EQ(ledger.judge(0, first.stamp), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, second.stamp), Verdict::kGhost);
}

TEST(Ledger, CallsOldVersionLossAndRefusedOrUnknownOneGhost) {
    Ledger ledger(1);
    const Ticket first = acknowledged_write(ledger);
    acknowledged_write(ledger);
    const Ticket refused = ledger.begin_write(0);
    ledger.end(refused, Outcome::kRefused);
    EXPECT_EQ(ledger.judge(0, first.stamp), Verdict::kLost);
    EXPECT_EQ(ledger.judge(0, refused.stamp), Verdict::kGhost);
    EXPECT_EQ(ledger.judge(0, 1'000'000), Verdict::kGhost);
}

TEST(Ledger, CallsWhatReturnsAfterItsDeletionGhost) {
    Ledger ledger(1);
    const Ticket write = acknowledged_write(ledger);
    ledger.end(ledger.begin_delete(0), Outcome::kAcknowledged);
    EXPECT_EQ(ledger.judge(0, kAbsent), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, write.stamp), Verdict::kGhost);
}

TEST(Ledger, LetsOverlappingWritesEndInEitherOrder) {
    Ledger ledger(1);
    const Ticket first = ledger.begin_write(0);
    const Ticket second = ledger.begin_write(0);
    ledger.end(second, Outcome::kAcknowledged);
    ledger.end(first, Outcome::kAcknowledged);
    EXPECT_EQ(ledger.judge(0, first.stamp), Verdict::kFine);
    EXPECT_EQ(ledger.judge(0, second.stamp), Verdict::kFine);
    const Ticket third = acknowledged_write(ledger);
    EXPECT_EQ(ledger.judge(0, first.stamp), Verdict::kLost);
    EXPECT_EQ(ledger.judge(0, third.stamp), Verdict::kFine);
}

}  // namespace
}  // namespace akidb::crash
