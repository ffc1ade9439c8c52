// BrokenOrder: a FileSystem that commits, on the engine's behalf, one of the classic mistakes of storage
// engines, so that a test can show that the simulator would notice it: a simulator that finds nothing proves
// nothing. Production code knows nothing of this. Thread-compatible.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "io/file_system.h"

namespace akidb::sim {

// Each was made by a real engine, or by several; where one is known, it is named.
enum class Mistake : uint8_t {
    kNone,
    kAcknowledgeBeforeSync,          // the log's sync reports success without syncing
    kRenameWithoutDirectorySync,     // directories are never synced (rule R1)
    kTrimBeforeManifestIsDurable,    // log files go before their manifest is in place (qdrant#5557, #10428)
    kManifestBeforeSegmentIsSynced,  // segments are never synced, yet a manifest names them (rule R7)
    kManifestNotSynced,              // renamed into place before its bytes are durable (qdrant#3822)
    kLogCopyNotSynced,               // what recovery writes anew is not synced (rule R6)
    kLogNamesNotSynced,              // the directory of the log is never synced (qdrant#1735, #3090)
    kManifestNameNotSynced,          // the collection's directory is never synced, only those in it (rule R7)
    kParentNotSynced,                // a new collection's name is not made durable in its parent (rule R1)
    kSyncRetried,          // a failed sync is tried again, and believed then (PostgreSQL's fsyncgate)
    kWriteErrorSwallowed,  // a write that failed is taken for done (qdrant#7813)
    kSyncErrorSwallowed,   // a sync that failed is taken for done
};
inline constexpr Mistake kMistakes[] = {
    Mistake::kAcknowledgeBeforeSync,
    Mistake::kRenameWithoutDirectorySync,
    Mistake::kTrimBeforeManifestIsDurable,
    Mistake::kManifestBeforeSegmentIsSynced,
    Mistake::kManifestNotSynced,
    Mistake::kLogCopyNotSynced,
    Mistake::kLogNamesNotSynced,
    Mistake::kManifestNameNotSynced,
    Mistake::kParentNotSynced,
    Mistake::kSyncRetried,
    Mistake::kWriteErrorSwallowed,
    Mistake::kSyncErrorSwallowed,
};
/// Whether only an I/O fault shows it.
constexpr bool needs_fault(Mistake mistake) {
    return mistake >= Mistake::kSyncRetried;
}
const char* name_of(Mistake mistake);

class BrokenOrder final : public io::FileSystem {
  public:
    BrokenOrder(io::FileSystem& below, Mistake mistake) : below_(below), mistake_(mistake) {}

    Result<std::unique_ptr<io::AppendFile>> create(const std::string& path) override;
    Result<std::unique_ptr<io::ReadFile>> open_read(const std::string& path) override;
    Result<std::unique_ptr<io::MappedFile>> map(const std::string& path) override;
    Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override;
    Result<void> remove_directory(const std::string& path) override;
    Result<void> sync_directory(const std::string& path) override;
    Result<std::unique_ptr<io::FileLock>> lock(const std::string& path) override;
    Result<uint64_t> free_bytes(const std::string& path) override;

  private:
    using Step = std::function<Result<void>()>;
    bool holds_back(const std::string& path) const;
    Result<void> later(Step step);
    void catch_up();

    io::FileSystem& below_;
    const Mistake mistake_;
    std::deque<Step>
        held_back_;  // kTrimBeforeManifestIsDurable: from the manifest's rename on, until the log was trimmed
    bool log_was_trimmed_ = false;
};

}  // namespace akidb::sim
