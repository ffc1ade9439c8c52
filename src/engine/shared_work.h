// Work that one thread begins and idle ones of an executor help with: linking rows into a graph, where the
// threads share the rows out among themselves.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/function_ref.h"
#include "io/executor.h"

namespace akidb::engine {

/// Runs `work` here and, at the same time, in up to `helpers` jobs of `executor`; returns when each that
/// began has ended. Nobody waits for a job to begin: one that comes too late, or that the executor drops,
/// does nothing, so this may be called from a job of the same executor. `work` must end in all threads once
/// there is nothing left of it.
void run_shared(io::Executor& executor, std::string_view name, uint32_t helpers, FunctionRef<void()> work);

}  // namespace akidb::engine
