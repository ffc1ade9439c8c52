// The promise tests of the storage: thousands of crash images and I/O faults without a violation, and the
// proof that the simulator has teeth: classic mistakes, made on purpose, are caught. Sanitizers run a share
// of them: they look at the same paths, only slower.
#include <gtest/gtest.h>

#include <set>

#include "sim/campaign.h"
#include "sim/model.h"
#include "sim/rot.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kShare = AKIDB_SIM_SHARE;  // one in so many
const bool kKeepsMemory = (keep_freed_memory(), true);
using Violations = std::vector<std::string>;

TEST(Simulation, NoCrashLosesRevivesOrHalvesAWrite) {
    const CampaignReport report = crash_campaign(1, 5000 / kShare);
    EXPECT_GE(report.images, 5000 / kShare);
    EXPECT_GT(report.images_with_manifest, report.images / 10)
        << "the histories must get as far as checkpoints";
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, NoCrashInAShortScriptLosesRevivesOrHalvesAWrite) {
    const CampaignReport report = exhaustive_crashes(1, 3, 16 * kShare);
    EXPECT_GE(report.images, 5000 / kShare);
    EXPECT_GT(report.second_crashes, report.images / 20);
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, NoPowerCutInTheStartAfterAKillLosesRevivesOrHalvesAWrite) {
    const CampaignReport report = exhaustive_kills(1, 1, kShare);
    EXPECT_GE(report.images, 5000 / kShare);
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, NoIoFaultLosesRevivesOrHalvesAWrite) {
    CampaignReport report = exhaustive_faults(1, 2, 7 * kShare);
    EXPECT_GE(report.faults, 4800 / kShare);
    EXPECT_GE(report.images, 8000 / kShare) << "each is followed by crashes";
    EXPECT_EQ(report.violations, Violations{});
    report = fault_campaign(1, 200 / kShare);
    EXPECT_GE(report.faults, 200 / kShare);
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, NoFlippedBitPassesAScrub) {
    const CampaignReport report = rot_campaign(1, 300 / kShare);
    EXPECT_GE(report.faults, 300 / kShare);
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, GraphAndScanAndMapAgree) {
    const ModelReport report = run_model(1, 10'000 / kShare);
    EXPECT_GT(report.searches_on_graph, report.searches / 2);
    if (kShare == 1) {  // else the history may be too short for one
        EXPECT_GT(report.restarts, 0u);
    }
    EXPECT_EQ(report.violations, Violations{});
}

TEST(Simulation, OneSeedIsOneHistory) {
    const SimulationReport first = run_simulation({.seed = 7, .crash_one_in = 40});
    const SimulationReport second = run_simulation({.seed = 7, .crash_one_in = 40});
    EXPECT_EQ(first.calls, second.calls);
    EXPECT_EQ(first.images, second.images);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
}

TEST(Scripts, AreAllSequencesOfTheSteps) {
    const std::vector<Script> scripts = all_scripts(3);
    constexpr size_t kOfOneStep = std::size(kSteps);
    EXPECT_EQ(scripts.size(), kOfOneStep + kOfOneStep * kOfOneStep + kOfOneStep * kOfOneStep * kOfOneStep);
    EXPECT_EQ(std::set<Script>(scripts.begin(), scripts.end()).size(), scripts.size());
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
