// ObjectHistory: one seed, one history of a server that keeps backups, an archived log and tiers in an object
// store which misbehaves (sim_object_store.h): writes, checkpoints, backups, prunes, restores, moves between
// tiers, erasures, collections that come and go, and a machine that may die at any step: of its disk, its
// catalog, or a request. What has to hold, whatever happened:
//   - nothing acknowledged is lost, and a collection is at every moment exactly what was written to it;
//   - a backup that is complete restores to exactly the collections at its sequence numbers; one that was
//     told as done is there until a prune may remove it; only what somebody damaged for good is refused;
//   - every point from the oldest kept backup of a timeline to where its archive was told to reach restores
//     to exactly the collection at that write, and the newest one loses nothing that was told as archived;
//   - a copy that counts as uploaded is whole in the store, and a cold collection comes back.
// Points that nobody may judge are those that were damaged on purpose. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/sim_object_store.h"

namespace akidb::sim {

struct ObjectCounts {
    uint64_t histories = 0;
    uint64_t steps = 0;  // at which the machine may die
    uint64_t deaths = 0;
    uint64_t deaths_in_start = 0;
    uint64_t requests = 0;
    uint64_t acknowledged = 0;  // writes
    uint64_t backups = 0;
    uint64_t prunes = 0;
    uint64_t archived = 0;  // rounds
    uint64_t verified = 0;
    uint64_t restored = 0;  // and compared with the model
    uint64_t points = 0;    // of them those to a sequence number
    uint64_t refused = 0;   // by name, after damage
    uint64_t cold = 0;      // moves
    uint64_t searched = 0;  // while cold, and answered by ranges
    uint64_t fetched = 0;
    uint64_t erased = 0;
    uint64_t damaged = 0;  // objects
    std::array<uint64_t, kObjectFaultCount> faults{};
    std::vector<std::string> violations{};

    uint64_t fault_count() const;
    void add(const ObjectCounts& other);
};

/// `steps`: verbs of the history.
ObjectCounts run_object_history(uint64_t seed, uint64_t steps = 40);
/// Histories of seeds that count up from the first.
ObjectCounts object_campaign(uint64_t first_seed, uint64_t histories);

}  // namespace akidb::sim
