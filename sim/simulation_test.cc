// The promise tests of the storage: thousands of crash images and I/O faults without a violation, and the
// proof that the simulator has teeth: classic mistakes, made on purpose, are caught.
#include <gtest/gtest.h>

#include "sim/campaign.h"

namespace akidb::sim {
namespace {

TEST(Simulation, NoCrashLosesRevivesOrHalvesAWrite) {
    const CampaignReport report = crash_campaign(1, 2000);
    EXPECT_GE(report.images, 2000u);
    EXPECT_GT(report.images_with_manifest, report.images / 10)
        << "the histories must get as far as checkpoints";
    EXPECT_EQ(report.violations, std::vector<std::string>{});
}

TEST(Simulation, NoIoFaultLosesRevivesOrHalvesAWrite) {
    const CampaignReport report = fault_campaign(1, 200);
    EXPECT_GE(report.faults, 200u);
    EXPECT_EQ(report.violations, std::vector<std::string>{});
}

TEST(Simulation, OneSeedIsOneHistory) {
    const SimulationReport first = run_simulation({.seed = 7});
    const SimulationReport second = run_simulation({.seed = 7});
    EXPECT_EQ(first.calls, second.calls);
    EXPECT_EQ(first.images, second.images);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
}

class CaughtMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(CaughtMistake, IsNoticed) {
    const std::string violation = first_violation_of(GetParam(), 1);
    EXPECT_NE(violation, "") << name_of(GetParam());
    RecordProperty("violation", violation);
}

INSTANTIATE_TEST_SUITE_P(All, CaughtMistake, ::testing::ValuesIn(kMistakes));

}  // namespace
}  // namespace akidb::sim
