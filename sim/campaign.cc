#include "sim/campaign.h"

#include <malloc.h>
#include <sys/prctl.h>

#include <iterator>

namespace akidb::sim {
namespace {

constexpr uint64_t kHistoriesWithMistake = 200;
constexpr int kKeptBytesMax = 1 << 30;

void add(CampaignReport& total, const SimulationReport& report) {
    ++total.histories;
    total.calls += report.calls;
    total.acknowledged += report.acknowledged;
    total.images += report.images;
    total.images_with_manifest += report.checkpoints_seen;
    total.second_crashes += report.second_crashes;
    total.faults += report.faults;
    total.violations.insert(total.violations.end(), report.violations.begin(), report.violations.end());
}

bool goes_on(const CampaignReport& total) {
    return total.violations.size() < kViolationsMax;
}

/// What is misread each time is what the disk holds, as far as anybody can tell: zeros read twice where the
/// log's last frames stand are a log that ends there.
bool can_be_told(Fault fault, bool sticky) {
    return !sticky || fault != Fault::kMisdirectedRead;
}

}  // namespace

CampaignReport crash_campaign(uint64_t first_seed, uint64_t images) {
    CampaignReport total;
    for (uint64_t seed = first_seed; total.images < images && goes_on(total); ++seed) {
        add(total, run_simulation({.seed = seed}));
    }
    return total;
}

CampaignReport fault_campaign(uint64_t first_seed, uint64_t faults) {
    CampaignReport total;
    for (uint64_t seed = first_seed; total.faults < faults && goes_on(total); ++seed) {
        const uint64_t turn = seed - first_seed;
        PlannedFault fault;
        fault.fault = kFaults[turn % std::size(kFaults)];
        fault.sticky = (turn / std::size(kFaults)) % 2 == 1 && can_be_told(fault.fault, true);
        fault.call = (turn * 37) % 700;
        add(total, run_simulation({.seed = seed, .crashes = false, .fault = fault}));
    }
    return total;
}

CampaignReport exhaustive_crashes(uint64_t first_seed, size_t steps_max, uint64_t stride) {
    CampaignReport total;
    const std::vector<Script> scripts = all_scripts(steps_max);
    for (size_t i = first_seed % stride; i < scripts.size() && goes_on(total); i += stride) {
        add(total, run_simulation({.seed = first_seed + i,
                                   .script = scripts[i],
                                   .crash_one_in = 1,
                                   .crashes_last_step_only = true}));
    }
    return total;
}

CampaignReport exhaustive_kills(uint64_t first_seed, size_t steps_max, uint64_t stride) {
    CampaignReport total;
    uint64_t turn = first_seed;
    uint64_t seed = first_seed;
    for (const Script& script : all_scripts(steps_max)) {
        // The same seed with and without the kill, so that the calls up to it are the same.
        const SimulationReport whole = run_simulation({.seed = ++seed, .script = script, .crashes = false});
        for (size_t call = 0; call < whole.history.size() && goes_on(total); ++call) {
            if (mutates(whole.history[call].verb) && turn++ % stride == 0) {
                add(total, run_simulation({.seed = seed,
                                           .script = script,
                                           .crash_one_in = 1,
                                           .crashes_last_step_only = true,
                                           .kill_at_call = call}));
            }
        }
    }
    return total;
}

CampaignReport exhaustive_faults(uint64_t first_seed, size_t steps_max, uint64_t stride) {
    CampaignReport total;
    uint64_t turn = first_seed;
    for (const Script& script : all_scripts(steps_max)) {
        // The same seed with and without the fault, so that the calls up to it are the same.
        const SimulationReport healthy =
            run_simulation({.seed = first_seed, .script = script, .crashes = false});
        for (size_t call = 0; call < healthy.history.size(); ++call) {
            for (const Fault fault : kFaults) {
                if (!can_have(healthy.history[call].verb, fault)) {
                    continue;
                }
                for (const bool sticky : {false, true}) {
                    if (!can_be_told(fault, sticky)) {
                        continue;
                    }
                    if (turn++ % stride == 0 && goes_on(total)) {
                        add(total, run_simulation({.seed = first_seed,
                                                   .script = script,
                                                   .crashes = false,
                                                   .fault = PlannedFault{call, fault, sticky}}));
                    }
                }
            }
        }
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
        SimulationOptions options{.seed = seed, .mistake = mistake};
        if (needs_fault(mistake)) {
            const bool writes = mistake == Mistake::kWriteErrorSwallowed;
            options.crashes = false;
            options.fault = PlannedFault{(seed - first_seed) * 37 % 500,
                                         writes ? Fault::kShortWrite : Fault::kFailedSync};
        }
        const SimulationReport report = run_simulation(options);
        if (!report.violations.empty()) {
            return report.violations.front();
        }
    }
    return {};
}

void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, kKeptBytesMax);
    mallopt(M_TRIM_THRESHOLD, kKeptBytesMax);
    // The index asks for huge pages, and zeroing 2 MiB for some ten rows takes longer than all the rest.
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

}  // namespace akidb::sim
