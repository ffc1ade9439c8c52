// Simulation: one seed, one history: random operations or a script of them, background jobs, restarts on a
// simulated disk, with a power cut imagined before every call to the disk (and a second one inside the
// recovery from the first), or an I/O fault at a chosen call. After each crash the collection is opened on
// what the disk holds and asked everything (oracle.h). Single-threaded by design: it explores the order of
// I/O, not of instructions (ThreadSanitizer does that).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/broken_order.h"
#include "sim/script.h"
#include "sim/sim_file_system.h"

namespace akidb::sim {

/// More of them tell nothing new, and a broken engine would make millions.
inline constexpr size_t kViolationsMax = 20;

struct PlannedFault {
    uint64_t call = 0;  // counted from where the history begins, after the collection was made
    Fault fault = Fault::kIoError;
    bool sticky = false;
};

struct SimulationOptions {
    uint64_t seed = 1;
    uint32_t operations = 60;  // without a script
    /// Played instead of random operations, after a prologue that is not crashed (script.h).
    Script script{};
    /// Of the points before a call that changes the disk, one in this many is crashed, under every crash
    /// model.
    uint32_t crash_one_in = 4;
    /// With a script: only points in its last step. Those before it are the last steps of shorter scripts.
    bool crashes_last_step_only = false;
    bool crashes = true;
    /// The process is killed right before this call of the script, counted from where the history begins;
    /// the next start ends the history, and only its points are crashed.
    std::optional<uint64_t> kill_at_call{};
    Mistake mistake = Mistake::kNone;
    std::optional<PlannedFault> fault{};
};

struct SimulationReport {
    uint64_t calls = 0;   // to the disk
    uint64_t images = 0;  // crash images opened and checked, second crashes included
    uint64_t second_crashes = 0;
    uint64_t faults = 0;  // I/O faults that were hit
    uint64_t acknowledged = 0;
    uint64_t checkpoints_seen = 0;          // openings that found a manifest: the run was not trivial
    std::vector<Call> history{};            // with a script: the calls it made, for sweeps of faults
    std::vector<std::string> violations{};  // each names seed, call and crash model
};

SimulationReport run_simulation(const SimulationOptions& options);

}  // namespace akidb::sim
