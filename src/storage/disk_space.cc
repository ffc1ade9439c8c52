#include "storage/disk_space.h"

#include <algorithm>

#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::storage {
namespace {

// Promise P8 of the design: marks that fit small and large disks alike.
constexpr uint64_t kSoftShare = 20;
constexpr uint64_t kSoftBytes = uint64_t{2} << 30;
constexpr uint64_t kHardShare = 100;
constexpr uint64_t kHardBytes = uint64_t{256} << 20;
constexpr uint64_t kBallastShare = 10;
// A look is a system call of about a microsecond, but on a network disk it may be a round trip.
constexpr uint64_t kLookEveryUs = 50'000;

}  // namespace

DiskSpace::DiskSpace(io::FileSystem& files, const io::Clock& clock, std::string directory,
                     const DiskSpaceOptions& options)
    : files_(files), clock_(clock), directory_(std::move(directory)) {
    const uint64_t volume = files_.volume_bytes(directory_).value_or(0);
    soft_ =
        options.soft_free_bytes != 0 ? options.soft_free_bytes : std::max(volume / kSoftShare, kSoftBytes);
    hard_ =
        options.hard_free_bytes != 0 ? options.hard_free_bytes : std::max(volume / kHardShare, kHardBytes);
    soft_ = std::max(soft_, hard_);
    wanted_ballast_ =
        volume == 0 ? options.ballast_bytes : std::min(options.ballast_bytes, volume / kBallastShare);
    find_ballast();
    tend();
}

std::string DiskSpace::path() const {
    return join_path(directory_, kBallastName);
}

/// One of another size is of an earlier setting, or half-made by a process that was killed.
void DiskSpace::find_ballast() {
    const Result<std::unique_ptr<io::ReadFile>> found = files_.open_read(path());
    if (!found) {
        return;
    }
    if (wanted_ballast_ > 0 && (*found)->size() == wanted_ballast_) {
        ballast_ = wanted_ballast_;
    } else {
        remove_best_effort(files_, path());
    }
}

uint64_t DiskSpace::usable() const {
    const uint64_t missing = wanted_ballast_ - std::min(wanted_ballast_, ballast_.load());
    const uint64_t taken = missing + admitted_.load();
    return free_.load() - std::min(free_.load(), taken);
}

void DiskSpace::look() {
    const Result<uint64_t> free = files_.free_bytes(directory_);
    looked_at_us_ = clock_.monotonic_us();
    if (!free) {
        free_ = UINT64_MAX;
        level_ = DiskLevel::kPlenty;
        return;
    }
    admitted_ = 0;
    free_ = *free;
    const uint64_t left = usable();
    level_ = left < hard_ ? DiskLevel::kFull : left < soft_ ? DiskLevel::kLow : DiskLevel::kPlenty;
}

DiskLevel DiskSpace::tend() {
    look();
    if (ballast_.load() < wanted_ballast_ && level() != DiskLevel::kFull) {
        make_ballast();
        look();
    }
    return level();
}

bool DiskSpace::admits(uint64_t bytes) {
    const auto fits = [&] { return level() != DiskLevel::kFull && usable() >= hard_ + bytes; };
    if (clock_.monotonic_us() >= looked_at_us_.load() + kLookEveryUs || !fits()) {
        look();
    }
    if (!fits()) {
        return false;
    }
    admitted_ += bytes;
    return true;
}

bool DiskSpace::release_ballast() {
    {
        MutexLock lock(mutex_);
        if (is_busy_ || ballast_.load() == 0) {
            return false;
        }
        is_busy_ = true;
    }
    const bool is_removed = files_.remove(path()).has_value();
    if (is_removed) {
        // Most file systems hand freed blocks out again only after their journal was written.
        const Result<void> synced = files_.sync_directory(directory_);
        static_cast<void>(synced.has_value());
        ballast_ = 0;
    }
    look();
    MutexLock lock(mutex_);
    is_busy_ = false;
    return is_removed;
}

void DiskSpace::make_ballast() {
    {
        MutexLock lock(mutex_);
        if (is_busy_ || ballast_.load() != 0) {
            return;
        }
        is_busy_ = true;
    }
    if (files_.occupy(path(), wanted_ballast_).has_value()) {
        // Should its name be lost in a power cut, the next start makes it again.
        const Result<void> synced = files_.sync_directory(directory_);
        static_cast<void>(synced.has_value());
        ballast_ = wanted_ballast_;
    }
    MutexLock lock(mutex_);
    is_busy_ = false;
}

}  // namespace akidb::storage
