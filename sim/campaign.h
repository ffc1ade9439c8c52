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
    uint64_t faults = 0;
    std::vector<std::string> violations;
};

/// Histories until at least this many crash images were checked.
CampaignReport crash_campaign(uint64_t first_seed, uint64_t images);
/// Histories until at least this many I/O faults were hit: every kind, one-shot and sticky, at calls spread
/// over the run.
CampaignReport fault_campaign(uint64_t first_seed, uint64_t faults);
/// Every crash point of one seed.
CampaignReport replay(uint64_t seed);
/// The first violation that histories with this mistake run into, or empty after 200 of them.
std::string first_violation_of(Mistake mistake, uint64_t first_seed);

}  // namespace akidb::sim
