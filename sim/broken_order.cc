#include "sim/broken_order.h"

#include <utility>

#include "sim/machine.h"

namespace akidb::sim {
namespace {

bool is_in(const std::string& path, std::string_view directory) {
    return path.find(directory) != std::string::npos;
}

/// Says yes to sync and does nothing.
class NeverSynced final : public io::AppendFile {
  public:
    explicit NeverSynced(std::unique_ptr<io::AppendFile> below) : below_(std::move(below)) {}
    Result<void> append(std::string_view bytes) override { return below_->append(bytes); }
    Result<void> preallocate(uint64_t total_bytes) override { return below_->preallocate(total_bytes); }
    Result<void> sync() override { return {}; }
    uint64_t size() const override { return below_->size(); }
    uint64_t allocated() const override { return below_->allocated(); }
    Result<void> close() override { return below_->close(); }

  private:
    std::unique_ptr<io::AppendFile> below_;
};

/// Does not tell of what failed, or not the first time.
class Optimistic final : public io::AppendFile {
  public:
    Optimistic(std::unique_ptr<io::AppendFile> below, Mistake mistake)
        : below_(std::move(below)), mistake_(mistake) {}
    Result<void> append(std::string_view bytes) override {
        const Result<void> done = below_->append(bytes);
        return mistake_ == Mistake::kWriteErrorSwallowed ? Result<void>() : done;
    }
    Result<void> preallocate(uint64_t total_bytes) override { return below_->preallocate(total_bytes); }
    Result<void> sync() override {
        const Result<void> done = below_->sync();
        if (done.has_value() || mistake_ == Mistake::kWriteErrorSwallowed) {
            return done;
        }
        return mistake_ == Mistake::kSyncRetried ? below_->sync() : Result<void>();
    }
    uint64_t size() const override { return below_->size(); }
    uint64_t allocated() const override { return below_->allocated(); }
    Result<void> close() override { return below_->close(); }

  private:
    std::unique_ptr<io::AppendFile> below_;
    const Mistake mistake_;
};

bool lies_about_sync(Mistake mistake, const std::string& path) {
    switch (mistake) {
        case Mistake::kAcknowledgeBeforeSync:
            return is_in(path, "/log/");
        case Mistake::kManifestBeforeSegmentIsSynced:
            return is_in(path, "/seg/");
        case Mistake::kManifestNotSynced:
            return is_in(path, "/MANIFEST-");
        case Mistake::kLogCopyNotSynced:
            return is_in(path, "/log/") && path.ends_with(io::kTemporarySuffix);
        default:
            return false;
    }
}

bool forgets_directory(Mistake mistake, const std::string& path) {
    const bool is_inner = path.ends_with("/log") || path.ends_with("/seg");
    switch (mistake) {
        case Mistake::kRenameWithoutDirectorySync:
            return true;
        case Mistake::kLogNamesNotSynced:
            return path.ends_with("/log");
        case Mistake::kManifestNameNotSynced:
            return !is_inner && path != kRoot;
        case Mistake::kParentNotSynced:
            return path == kRoot;
        default:
            return false;
    }
}

}  // namespace

const char* name_of(Mistake mistake) {
    switch (mistake) {
        case Mistake::kNone:
            return "none";
        case Mistake::kAcknowledgeBeforeSync:
            return "acknowledge before sync";
        case Mistake::kRenameWithoutDirectorySync:
            return "rename without syncing the directory";
        case Mistake::kTrimBeforeManifestIsDurable:
            return "log trimmed before the manifest is durable";
        case Mistake::kManifestBeforeSegmentIsSynced:
            return "manifest names a segment that was not synced";
        case Mistake::kManifestNotSynced:
            return "manifest not synced before its rename";
        case Mistake::kLogCopyNotSynced:
            return "the copy of the log's tail not synced";
        case Mistake::kLogNamesNotSynced:
            return "names of log files not synced";
        case Mistake::kManifestNameNotSynced:
            return "names of manifests not synced";
        case Mistake::kParentNotSynced:
            return "the name of a new collection not synced";
        case Mistake::kSyncRetried:
            return "a failed sync tried again";
        case Mistake::kWriteErrorSwallowed:
            return "an error of a write swallowed";
        case Mistake::kSyncErrorSwallowed:
            return "an error of a sync swallowed";
    }
    return "?";
}

bool BrokenOrder::holds_back(const std::string& path) const {
    return !held_back_.empty() && !is_in(path, "/log");
}

Result<void> BrokenOrder::later(Step step) {
    held_back_.push_back(std::move(step));
    return {};
}

void BrokenOrder::catch_up() {
    while (!held_back_.empty()) {
        const Result<void> done = held_back_.front()();
        static_cast<void>(done.has_value());  // what the engine removed twice is gone
        held_back_.pop_front();
    }
    log_was_trimmed_ = false;
}

Result<std::unique_ptr<io::AppendFile>> BrokenOrder::create(const std::string& path) {
    catch_up();
    AKIDB_TRY(auto file, below_.create(path));
    if (needs_fault(mistake_)) {
        return std::unique_ptr<io::AppendFile>(std::make_unique<Optimistic>(std::move(file), mistake_));
    }
    if (lies_about_sync(mistake_, path)) {
        return std::unique_ptr<io::AppendFile>(std::make_unique<NeverSynced>(std::move(file)));
    }
    return file;
}

Result<std::unique_ptr<io::ReadFile>> BrokenOrder::open_read(const std::string& path) {
    return below_.open_read(path);
}

Result<std::unique_ptr<io::MappedFile>> BrokenOrder::map(const std::string& path) {
    return below_.map(path);
}

Result<std::vector<io::DirectoryEntry>> BrokenOrder::list(const std::string& directory) {
    if (log_was_trimmed_) {
        catch_up();
    }
    return below_.list(directory);
}

Result<void> BrokenOrder::rename(const std::string& from, const std::string& to) {
    if (mistake_ == Mistake::kTrimBeforeManifestIsDurable && (is_in(to, "MANIFEST-") || holds_back(to))) {
        return later([this, from, to] { return below_.rename(from, to); });
    }
    return below_.rename(from, to);
}

Result<void> BrokenOrder::remove(const std::string& path) {
    if (holds_back(path)) {
        return later([this, path] { return below_.remove(path); });
    }
    if (!held_back_.empty()) {
        log_was_trimmed_ = true;
    }
    return below_.remove(path);
}

Result<void> BrokenOrder::make_directory(const std::string& path) {
    return below_.make_directory(path);
}

Result<void> BrokenOrder::remove_directory(const std::string& path) {
    return below_.remove_directory(path);
}

Result<void> BrokenOrder::sync_directory(const std::string& path) {
    if (forgets_directory(mistake_, path)) {
        return {};
    }
    if (holds_back(path)) {
        return later([this, path] { return below_.sync_directory(path); });
    }
    const Result<void> synced = below_.sync_directory(path);
    if (log_was_trimmed_) {
        catch_up();
    }
    return synced;
}

Result<std::unique_ptr<io::FileLock>> BrokenOrder::lock(const std::string& path) {
    return below_.lock(path);
}

Result<uint64_t> BrokenOrder::free_bytes(const std::string& path) {
    return below_.free_bytes(path);
}

}  // namespace akidb::sim
