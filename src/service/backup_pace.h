// BackupPace: how fast a backup reads files, so that searches do not feel it. While none runs it is as fast
// as it goes. Once one began, and for a second after the last, it reads in small slices at a set rate, and a
// slice whose turn has come waits while a search runs: by as long as its own time at that rate at most, so
// that a backup goes at half the rate at least, whatever the load, and ends. A slice takes well under a
// millisecond of a processor, with its hashing and writing, which come between two reads.
//
// Thread-compatible: of one backup; a PacedFile is read by one thread at a time, as that of its pace.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "io/clock.h"
#include "io/file_system.h"
#include "io/pause.h"
#include "service/search_load.h"

namespace akidb::service {

class BackupPace {
  public:
    struct Dependencies {
        const io::Clock& clock;
        io::Pause& pause;
        const SearchLoad* load = nullptr;    // null: nobody searches
        uint64_t busy_bytes_per_second = 0;  // 0: as fast as it goes, always
    };
    explicit BackupPace(const Dependencies& given) : given_(given) {}

    /// Before a read of so many bytes, up to kSliceBytes. When the pause is stopped nothing is waited for.
    void wait(uint64_t bytes);

    static constexpr size_t kSliceBytes = 128 << 10;

  private:
    bool is_busy(uint64_t now_us);

    const Dependencies given_;
    uint64_t begun_ = 0;  // searches, when last looked
    uint64_t busy_until_us_ = 0;
    uint64_t turn_us_ = 0;  // of the next slice
};

/// The same file, read at the pace of a backup. kUnavailable when the backup is asked to stop. All given must
/// outlive it.
class PacedFile final : public io::ReadFile {
  public:
    PacedFile(const io::ReadFile& file, BackupPace& pace, const std::stop_token& stop)
        : file_(file), pace_(pace), stop_(stop) {}
    uint64_t size() const override { return file_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override;

  private:
    Result<void> read_slice(uint64_t offset, size_t count, std::string& out) const;

    const io::ReadFile& file_;
    BackupPace& pace_;
    const std::stop_token& stop_;
};

}  // namespace akidb::service
