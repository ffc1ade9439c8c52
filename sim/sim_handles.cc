#include "sim/sim_handles.h"

namespace akidb::sim {

Result<void> SimAppendFile::append(std::string_view bytes) {
    const bool needs_space = size_ + bytes.size() > allocated();
    AKIDB_TRY(const std::optional<Fault> fault,
              files_.begin(Verb::kAppend, path_, bytes.size(), needs_space));
    if (!fault) {
        file_->write(size_, bytes);
        size_ += bytes.size();
        return {};
    }
    if (*fault == Fault::kDiskFull || *fault == Fault::kQuota || *fault == Fault::kShortWrite) {
        // The part that was written stays behind the logical end, as it does on a real disk.
        file_->write(size_, bytes.substr(0, files_.dice_.below(bytes.size())));
    }
    return fault_error(*fault, "append", path_);
}

Result<void> SimAppendFile::preallocate(uint64_t total_bytes) {
    const uint64_t before = allocated();
    if (total_bytes <= before) {
        return {};
    }
    AKIDB_TRY(const std::optional<Fault> fault,
              files_.begin(Verb::kPreallocate, path_, total_bytes - before, true));
    if (fault) {
        return fault_error(*fault, "preallocate", path_);
    }
    file_->write_zeros(before, total_bytes);
    Result<void> synced = sync();
    if (!synced) {
        file_->visible.write().resize(before);
        return synced;
    }
    allocated_ = total_bytes;
    return {};
}

Result<void> SimAppendFile::sync() {
    AKIDB_TRY(const std::optional<Fault> fault, files_.begin(Verb::kSync, path_, 0, false));
    if (!fault) {
        file_->sync();
        return {};
    }
    if (*fault == Fault::kFailedSync || (*fault == Fault::kIoError && files_.dice_.coin())) {
        file_->pending.clear();
    }
    return fault_error(*fault, "sync", path_);
}

Result<void> SimAppendFile::close() {
    return files_.enter(Verb::kClose, path_);
}

Result<void> SimReadFile::read_at(uint64_t offset, size_t count, std::string& out) const {
    AKIDB_TRY(const std::optional<Fault> fault, files_.begin(Verb::kRead, path_, count, false));
    if (fault && !is_misread(*fault)) {
        return fault_error(*fault, "read", path_);
    }
    if (offset > size() || count > size() - offset) {
        return sim_error(Code::kDataLoss, "read", path_, "the file ends before");
    }
    out = file_->visible.read().read(offset, count);
    if (fault) {
        out = files_.spoilt(std::move(out), *fault);
    }
    return {};
}

}  // namespace akidb::sim
