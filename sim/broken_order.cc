#include "sim/broken_order.h"

#include <utility>

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
    const bool lies = (mistake_ == Mistake::kAcknowledgeBeforeSync && is_in(path, "/log/")) ||
                      (mistake_ == Mistake::kManifestBeforeSegmentIsSynced && is_in(path, "/seg/"));
    if (lies) {
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
    if (mistake_ == Mistake::kRenameWithoutDirectorySync) {
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
