// Campaign: many simulations, counted. Seeds count up from the first; the same first seed and size give the
// same histories on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/simulation.h"

namespace akidb::sim {

struct CampaignReport {
    uint64_t histories = 0;
    uint64_t calls = 0;
    uint64_t acknowledged = 0;
    uint64_t images = 0;
    uint64_t images_with_manifest = 0;
    uint64_t second_crashes = 0;
    uint64_t faults = 0;
    std::vector<std::string> violations;
};

/// Histories of random operations until at least this many crash images were checked.
CampaignReport crash_campaign(uint64_t first_seed, uint64_t images);
/// Random histories until at least this many I/O faults were hit: every kind, one-shot and sticky, at calls
/// spread over the run.
CampaignReport fault_campaign(uint64_t first_seed, uint64_t faults);
/// Of all scripts of up to `steps_max` steps every `stride`-th, crashed before every call of its last step
/// that changes the disk, under every crash model, and once inside the recovery.
CampaignReport exhaustive_crashes(uint64_t first_seed, size_t steps_max, uint64_t stride);
/// Of all scripts × calls that change the disk every `stride`-th: the process is killed right before the
/// call, and the start that follows is crashed before each of its own. What a killed process leaves in memory
/// is seen by that start and not yet on the disk.
CampaignReport exhaustive_kills(uint64_t first_seed, size_t steps_max, uint64_t stride);
/// Of all scripts × calls × faults that the call can have × one-shot or sticky, every `stride`-th.
CampaignReport exhaustive_faults(uint64_t first_seed, size_t steps_max, uint64_t stride);
/// Every crash point of one seed.
CampaignReport replay(uint64_t seed);
/// The first violation that histories with this mistake run into, or empty after 200 of them.
std::string first_violation_of(Mistake mistake, uint64_t first_seed);

/// Lets the allocator keep what is freed: a simulation opens thousands of collections, and taking their
/// tables from the kernel each time costs most of it. Once, from main.
void keep_freed_memory();

}  // namespace akidb::sim
