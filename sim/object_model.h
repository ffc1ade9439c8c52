// What the collections of an object history have to be: each with all that it ever was, by sequence number.
// Values; thread-compatible.
#pragma once

#include <map>
#include <string>

#include "model/collection_spec.h"
#include "sim/oracle.h"

namespace akidb::sim {

struct Life {
    model::CollectionSpec spec;
    Oracle oracle{};
    std::map<uint64_t, State> at{{0, State{}}};  // from this sequence number on
    uint64_t last = 0;                           // acknowledged
    bool is_leaving = false;                     // somebody began to delete it
    bool is_gone = false;
    std::map<Uuid, uint64_t> archived{};  // told as archived, by timeline
    /// Writes up to here may have left the log before they were archived, as they may where bytes are erased
    /// or the local files go: points begin with a backup of behind it.
    uint64_t gap = 0;

    void record(uint64_t sequence) {
        at[sequence] = oracle.state();
        last = sequence;
    }
};

}  // namespace akidb::sim
