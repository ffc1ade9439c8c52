// read_log_history: what a damaged log still tells. Kept is the longest unbroken beginning of its order: a
// record counts while every record before it is there. A hole that the sequence numbers prove to be empty
// (the next valid frame goes on at the very next sequence) breaks nothing. Behind a real hole nothing is
// kept: writes that came later may build on lost ones, and the collection would be in a state that it never
// was in. Those records are read all the same, to tell what is lost and from which sequence on new ones may
// count. Memory: the documents of the kept records. Errors are those of reading. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/keyed_record.h"
#include "storage/manifest.h"

namespace akidb::offline {

/// The last thing that the kept records did to one document.
struct LogEffect {
    uint64_t sequence = 0;
    bool is_deleted = false;
    std::string vector;    // dimension × f32
    std::string metadata;  // encoded object
};

struct LogHistory {
    std::vector<std::string> files;                      // of the log directory, by name
    std::unordered_map<std::string, LogEffect> effects;  // by encoded id
    std::vector<storage::RememberedKey> keys;            // of kept records, ascending
    uint64_t kept_records = 0;
    uint64_t kept_up_to = 0;       // sequence
    uint64_t known_up_to = 0;      // the highest sequence that some file proves to have been given
    uint64_t dropped_records = 0;  // readable, but behind a hole
    uint64_t undone_deletes = 0;   // of documents, among the dropped records: they come back
    std::vector<std::string> undone_delete_ids;  // the first kIdsToldMax of them
    /// Files with something in them, but no header by which a frame could be proved; known_up_to then counts
    /// what they can have held at most.
    std::vector<std::string> unprovable_files;
};

inline constexpr size_t kIdsToldMax = 1000;

Result<LogHistory> read_log_history(io::FileSystem& files, const std::string& directory,
                                    const storage::Manifest& manifest);

}  // namespace akidb::offline
