// Script: short histories, written out. All sequences of one to three steps are few enough to play each of
// them and to crash it at every call to the disk; what goes wrong in storage engines mostly shows within
// three operations (Mohan et al. 2018, "Finding Crash-Consistency Bugs with Bounded Black-Box Testing").
// Values; thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/oracle.h"

namespace akidb::sim {

enum class Step : uint8_t {
    kUpsertNew,       // one document with an id that was never there
    kOverwrite,       // one document that is there
    kBatch,           // new and old ids together, one of them twice
    kReinsert,        // a document that was deleted
    kDelete,          // one id that is there and one that is not
    kDeleteMatching,  // by filter, about half of the documents
    kMaintain,        // all due work: index, link, checkpoint
    kRunJob,          // one background job
    kDeclareIndex,    // declares the metadata index, or takes it back
    kRestart,         // orderly
    kKill,            // the process dies, the power stays on
    kRewrite,         // a dense new generation
    kPassTime,        // more than what expires soon has
    kDropAndCreate,   // the collection goes and comes back, empty
};
inline constexpr Step kSteps[] = {
    Step::kUpsertNew,      Step::kOverwrite, Step::kBatch,    Step::kReinsert,      Step::kDelete,
    Step::kDeleteMatching, Step::kMaintain,  Step::kRunJob,   Step::kDeclareIndex,  Step::kRestart,
    Step::kKill,           Step::kRewrite,   Step::kPassTime, Step::kDropAndCreate,
};
const char* name_of(Step step);

using Script = std::vector<Step>;
std::string describe(const Script& script);
/// All of 1 to `steps_max` steps, the short ones first.
std::vector<Script> all_scripts(size_t steps_max);

/// What a step that writes does, given what is there. Nothing of it for the other steps.
Operation operation_of(Step step, const State& state, Dice& dice, int64_t& next_stamp, uint64_t now_ms);
bool is_write(Step step);
/// Documents 0..7, then document 7 deleted: where every script begins.
std::vector<Operation> prologue(Dice& dice, int64_t& next_stamp, uint64_t now_ms);
/// By how much kPassTime moves the clock.
inline constexpr uint64_t kPassedMs = 6'000;

}  // namespace akidb::sim
