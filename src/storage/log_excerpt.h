// read_excerpt: records of a log that its writer goes on with meanwhile, from one sequence to another, for
// who copies them elsewhere. `to` must be published: what follows it may be half-written and is not looked
// at. Bounded memory: the largest frame. Thread-safe: no state. Errors are those of reading, kNotFound when a
// file was trimmed meanwhile, and kDataLoss where a record that was durable is not there any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "io/file_system.h"
#include "storage/log_format.h"

namespace akidb::storage {

struct LogRange {
    uint64_t from = 0;
    uint64_t to = 0;  // inclusive
};

struct TimedRecord {
    uint64_t sequence = 0;
    uint64_t unix_ms = 0;  // when its group was committed; 0: it is not known
    RecordType type = RecordType::kUpsert;
    std::string_view body;  // until the call returns
};

/// False: enough.
using VisitTimed = FunctionRef<Result<bool>(const TimedRecord& record)>;

/// Ascending and without gaps; begins later than asked when the log does.
Result<void> read_excerpt(io::FileSystem& files, const std::string& directory, Uuid collection,
                          const LogRange& range, VisitTimed visit);

}  // namespace akidb::storage
