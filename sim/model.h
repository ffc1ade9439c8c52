// Model: the same random operations on two collections, one with a graph and one that is always scanned, and
// on a plain map (oracle.h): counts, reads and exact searches must agree, to the bit between the two engines,
// across restarts and kills. It looks for wrong answers where the simulation looks for lost writes.
// Single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace akidb::sim {

struct ModelReport {
    uint64_t operations = 0;
    uint64_t restarts = 0;
    uint64_t searches = 0;                // pairs that were compared
    uint64_t searches_on_graph = 0;       // of them with rows that were linked
    std::vector<std::string> violations;  // each names the seed of its history
};

/// Histories of some thousand operations, seeds counting up from `first_seed`, until `operations` were done.
ModelReport run_model(uint64_t first_seed, uint64_t operations);

}  // namespace akidb::sim
