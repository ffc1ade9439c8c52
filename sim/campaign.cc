#include "sim/campaign.h"

#include <iterator>

namespace akidb::sim {
namespace {

constexpr size_t kViolationsMax = 20;
constexpr uint64_t kHistoriesWithMistake = 200;
constexpr Fault kFaults[] = {Fault::kIoError, Fault::kDiskFull, Fault::kFailedSync, Fault::kShortWrite};

void add(CampaignReport& total, const SimulationReport& report) {
    ++total.histories;
    total.calls += report.calls;
    total.acknowledged += report.acknowledged;
    total.images += report.images;
    total.images_with_manifest += report.checkpoints_seen;
    total.faults += report.faults;
    total.violations.insert(total.violations.end(), report.violations.begin(), report.violations.end());
}

}  // namespace

CampaignReport crash_campaign(uint64_t first_seed, uint64_t images) {
    CampaignReport total;
    for (uint64_t seed = first_seed; total.images < images && total.violations.size() < kViolationsMax;
         ++seed) {
        add(total, run_simulation({.seed = seed}));
    }
    return total;
}

CampaignReport fault_campaign(uint64_t first_seed, uint64_t faults) {
    CampaignReport total;
    for (uint64_t seed = first_seed; total.faults < faults && total.violations.size() < kViolationsMax;
         ++seed) {
        const uint64_t turn = seed - first_seed;
        PlannedFault fault;
        fault.fault = kFaults[turn % std::size(kFaults)];
        fault.sticky = (turn / std::size(kFaults)) % 2 == 1;
        fault.call = (turn * 37) % 700;
        add(total, run_simulation({.seed = seed, .crashes = false, .fault = fault}));
    }
    return total;
}

CampaignReport replay(uint64_t seed) {
    CampaignReport total;
    add(total, run_simulation({.seed = seed, .crash_one_in = 1}));
    return total;
}

std::string first_violation_of(Mistake mistake, uint64_t first_seed) {
    for (uint64_t seed = first_seed; seed < first_seed + kHistoriesWithMistake; ++seed) {
        const SimulationReport report = run_simulation({.seed = seed, .mistake = mistake});
        if (!report.violations.empty()) {
            return report.violations.front();
        }
    }
    return {};
}

}  // namespace akidb::sim
