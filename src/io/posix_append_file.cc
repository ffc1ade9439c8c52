#include "io/posix_append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace akidb::io {
namespace {

constexpr size_t kZeroPiece = size_t{1} << 20;
// Enough that a disk writes it in one go; twice as much is dirty at most.
constexpr uint64_t kPassingBytes = 2 << 20;

class PosixAppendFile : public AppendFile {
  public:
    PosixAppendFile(Descriptor descriptor, std::string path)
        : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

    Result<void> append(std::string_view bytes) override {
        AKIDB_TRY(write_at(size_, bytes));
        size_ += bytes.size();
        return {};
    }

    Result<void> preallocate(uint64_t total_bytes) override {
        const uint64_t before = allocated();
        if (total_bytes <= before) {
            return {};
        }
        if (total_bytes > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
            return error_of(EFBIG, "preallocate", path_);
        }
        const std::string zeros(static_cast<size_t>(std::min<uint64_t>(kZeroPiece, total_bytes - before)),
                                '\0');
        Result<void> outcome;
        for (uint64_t at = before; outcome && at < total_bytes; at += zeros.size()) {
            const size_t piece = static_cast<size_t>(std::min<uint64_t>(zeros.size(), total_bytes - at));
            outcome = write_at(at, std::string_view(zeros).substr(0, piece));
        }
        if (outcome) {
            outcome = sync();
        }
        if (!outcome) {
            // Gives back what was taken of a full disk; a leftover of zeros would do no harm to readers.
            (void)retry_interrupted(
                [&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(before)); });
            return outcome;
        }
        allocated_ = total_bytes;
        return {};
    }

    Result<void> sync() override {
        // Not retried, not even on EINTR: a second call may report success for pages that the first one gave
        // up.
        if (::fdatasync(descriptor_.get()) != 0) {
            return error_of(errno, "fdatasync", path_);
        }
        return {};
    }

    uint64_t size() const override { return size_; }
    uint64_t allocated() const override { return std::max(size_, allocated_); }

    Result<void> close() override {
        const int number = descriptor_.release();
        // Linux has closed it even when it says EINTR.
        if (number >= 0 && ::close(number) != 0 && errno != EINTR) {
            return error_of(errno, "close", path_);
        }
        return {};
    }

  protected:
    int descriptor() const { return descriptor_.get(); }
    const std::string& path() const { return path_; }

  private:
    Result<void> write_at(uint64_t offset, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = retry_interrupted([&] {
                return ::pwrite(descriptor_.get(), bytes.data(), std::min(bytes.size(), kCallMax),
                                static_cast<off_t>(offset));
            });
            if (count <= 0) {
                return error_of(count == 0 ? EIO : errno, "pwrite", path_);
            }
            bytes.remove_prefix(static_cast<size_t>(count));
            offset += static_cast<uint64_t>(count);
        }
        return {};
    }

    Descriptor descriptor_;
    std::string path_;
    uint64_t size_ = 0;
    uint64_t allocated_ = 0;
};

/// After each piece its writing begins, and that of the piece before is waited for: so the last sync finds
/// little to do, and no burst of it stands in the way of others' reads.
class PassingAppendFile final : public PosixAppendFile {
  public:
    using PosixAppendFile::PosixAppendFile;

    Result<void> append(std::string_view bytes) override {
        AKIDB_TRY(PosixAppendFile::append(bytes));
        while (size() - begun_ >= kPassingBytes) {
            AKIDB_TRY(write_back(begun_, SYNC_FILE_RANGE_WRITE));
            if (begun_ >= kPassingBytes) {
                AKIDB_TRY(let_go(begun_ - kPassingBytes));
            }
            begun_ += kPassingBytes;
        }
        return {};
    }

    Result<void> sync() override {
        AKIDB_TRY(PosixAppendFile::sync());
        forget(0, size());
        return {};
    }

  private:
    Result<void> let_go(uint64_t offset) {
        AKIDB_TRY(write_back(
            offset, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
        forget(offset, kPassingBytes);
        return {};
    }

    /// An error is that of a write, which the kernel tells once: a sync afterwards would know nothing of it.
    Result<void> write_back(uint64_t offset, unsigned flags) {
        const auto at = static_cast<off_t>(offset);
        const int outcome = retry_interrupted(
            [&] { return ::sync_file_range(descriptor(), at, static_cast<off_t>(kPassingBytes), flags); });
        const bool is_unknown = errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP || errno == ESPIPE;
        return outcome == 0 || is_unknown ? Result<void>() : error_of(errno, "sync_file_range", path());
    }

    /// Memory only: what it says matters to nobody.
    void forget(uint64_t offset, uint64_t bytes) const {
        (void)::posix_fadvise(descriptor(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                              POSIX_FADV_DONTNEED);
    }

    uint64_t begun_ = 0;  // up to here the writing has begun
};

}  // namespace

std::unique_ptr<AppendFile> make_append_file(Descriptor descriptor, std::string path) {
    return std::make_unique<PosixAppendFile>(std::move(descriptor), std::move(path));
}

std::unique_ptr<AppendFile> make_passing_append_file(Descriptor descriptor, std::string path) {
    return std::make_unique<PassingAppendFile>(std::move(descriptor), std::move(path));
}

}  // namespace akidb::io
