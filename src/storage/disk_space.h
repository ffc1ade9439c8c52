// DiskSpace: how much of the data directory's disk writes may still take, and the ballast. Below the soft
// mark work that can wait uses as little space as it can; below the hard mark only deletes are written, and
// they may use the ballast: a file that takes up space until it is removed for them. It is made again by
// tend() once there is room beyond the hard mark, so everything recovers by itself. Space that the ballast
// will take again counts as taken, so that giving it up never lets an upsert in. Units: bytes. Errors of the
// file system are no reason to refuse a write: the log's own reservation decides then. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/mutex.h"
#include "io/clock.h"
#include "io/file_system.h"

namespace akidb::storage {

struct DiskSpaceOptions {
    uint64_t soft_free_bytes = 0;       // 0: the larger of 5 % of the disk and 2 GiB
    uint64_t hard_free_bytes = 0;       // 0: the larger of 1 % of the disk and 256 MiB
    uint64_t ballast_bytes = 64 << 20;  // but at most a tenth of the disk; 0: none
};

enum class DiskLevel : uint8_t { kPlenty, kLow, kFull };

class DiskSpace {
  public:
    /// Looks once and makes the ballast when there is room. The directory must be there; files and clock must
    /// outlive this.
    DiskSpace(io::FileSystem& files, const io::Clock& clock, std::string directory,
              const DiskSpaceOptions& options);
    DiskSpace(const DiskSpace&) = delete;
    DiskSpace& operator=(const DiskSpace&) = delete;

    /// To be called a few times a second: looks at the disk, makes the ballast again when it is missing.
    DiskLevel tend() AKIDB_EXCLUDES(mutex_);
    /// Whether `bytes` more would leave the hard mark's share free, those admitted a moment ago included.
    bool admits(uint64_t bytes) AKIDB_EXCLUDES(mutex_);
    /// Gives the ballast up for what must not fail. False when it was gone already.
    bool release_ballast() AKIDB_EXCLUDES(mutex_);

    /// As last looked.
    DiskLevel level() const { return level_.load(std::memory_order_relaxed); }
    uint64_t free_bytes() const { return free_.load(std::memory_order_relaxed); }
    /// 0 while it is given up or was never made.
    uint64_t ballast_bytes() const { return ballast_.load(std::memory_order_relaxed); }
    uint64_t hard_free_bytes() const { return hard_; }
    uint64_t soft_free_bytes() const { return soft_; }

  private:
    void look() AKIDB_EXCLUDES(mutex_);
    /// Free beyond what the ballast still has to get.
    uint64_t usable() const;
    void find_ballast();
    void make_ballast() AKIDB_EXCLUDES(mutex_);
    std::string path() const;

    io::FileSystem& files_;
    const io::Clock& clock_;
    const std::string directory_;
    uint64_t soft_ = 0;
    uint64_t hard_ = 0;
    uint64_t wanted_ballast_ = 0;

    Mutex mutex_;  // of those who make or remove the ballast, and of admitted_
    bool is_busy_ AKIDB_GUARDED_BY(mutex_) = false;  // one of them is at it
    std::atomic<uint64_t> admitted_{0};              // since the last look
    std::atomic<uint64_t> looked_at_us_{0};
    std::atomic<uint64_t> free_{0};
    std::atomic<uint64_t> ballast_{0};
    std::atomic<DiskLevel> level_{DiskLevel::kPlenty};
};

}  // namespace akidb::storage
