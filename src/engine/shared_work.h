// Work that one thread begins and idle ones of an executor help with: linking rows into a graph, where the
// threads share the rows out among themselves, and what is done at the opening of a collection.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"
#include "io/executor.h"

namespace akidb::engine {

/// Runs `work` here and, at the same time, in up to `helpers` jobs of `executor`; returns when each that
/// began has ended. Nobody waits for a job to begin: one that comes too late, or that the executor drops,
/// does nothing, so this may be called from a job of the same executor. `work` must end in all threads once
/// there is nothing left of it.
void run_shared(io::Executor& executor, std::string_view name, uint32_t helpers, FunctionRef<void()> work);

/// Runs each of the steps once, the first ones first, as run_shared does: several at the same time while
/// there are helpers. All are run; the error is that of the first in their order that failed.
Result<void> run_steps(io::Executor& executor, std::string_view name, uint32_t helpers,
                       std::span<const std::function<Result<void>()>> steps);

}  // namespace akidb::engine
