// Scrub: one pass over what a collection rests on: every block of every segment file, read from the disk and
// held against its checksum, then the audit of what is in memory. Files that a later checkpoint replaced
// meanwhile are left out: what took their place was made from memory since. The log is not read: a scrub
// begins behind a checkpoint, which leaves none. One thread, that of the collection's background jobs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/audit.h"
#include "storage/manifest.h"
#include "storage/segment_scrub.h"

namespace akidb::engine {

class Scrub {
  public:
    Scrub(io::FileSystem& files, std::string segment_directory, const storage::Manifest& manifest);

    bool has_read_all() const { return next_ == files_.size(); }
    /// Reads about `bytes_max` of the next file that `now` still names; how many bytes that were. Any error
    /// ends this file: the next slice goes on with the one after it.
    Result<uint64_t> advance(const storage::Manifest& now, uint64_t bytes_max);
    /// The file of the last slice, within seg/.
    const std::string& file_name() const { return file_name_; }

    /// Of what is in memory; null before start_audit().
    Audit* audit() { return audit_.has_value() ? &*audit_ : nullptr; }
    void start_audit(std::shared_ptr<const Snapshot> snapshot) { audit_.emplace(std::move(snapshot)); }

    void count_fault() { ++faults_; }
    uint64_t faults() const { return faults_; }
    /// Bytes of files.
    uint64_t done() const { return done_ + of_this_file_; }
    uint64_t total() const { return total_; }

  private:
    struct File {
        storage::ManifestFile entry;
        storage::SegmentKind kind = storage::SegmentKind::kRows;
    };
    void leave_file();

    io::FileSystem& io_;
    const std::string directory_;
    const Uuid collection_;
    std::vector<File> files_;
    size_t next_ = 0;
    std::optional<storage::SegmentScrub> reading_;
    std::string file_name_;
    std::optional<Audit> audit_;
    uint64_t faults_ = 0;
    uint64_t done_ = 0;
    uint64_t of_this_file_ = 0;
    uint64_t total_ = 0;
};

}  // namespace akidb::engine
