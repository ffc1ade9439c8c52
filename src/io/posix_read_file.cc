#include "io/posix_read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace akidb::io {
namespace {

constexpr size_t kDirectAlignment = 4096;

class PosixReadFile : public ReadFile {
  public:
    PosixReadFile(Descriptor descriptor, std::string path)
        : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

    uint64_t size() const override {
        struct stat status {};
        // Asked each time because a log grows while it is read; it cannot fail on an open descriptor of a
        // file.
        return ::fstat(descriptor_.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
    }

    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        const uint64_t end = size();
        if (offset > end || count > end - offset) {
            return ends_before(offset, count, end);
        }
        out.resize(count);
        AKIDB_TRY(const size_t got, read_some(offset, out.data(), count));
        return got == count ? Result<void>() : ends_before(offset, count, offset + got);
    }

    /// Fewer than `count` only where the file ends.
    Result<size_t> read_some(uint64_t offset, char* out, size_t count) const {
        size_t done = 0;
        while (done < count) {
            const ssize_t got = retry_interrupted([&] {
                return ::pread(descriptor_.get(), out + done, std::min(count - done, kCallMax),
                               static_cast<off_t>(offset + done));
            });
            if (got < 0) {
                return error_of(errno, "pread", path_);
            }
            if (got == 0) {
                break;
            }
            done += static_cast<size_t>(got);
            if (offset + done == size()) {
                break;  // where reads must be aligned, none may begin here
            }
        }
        return done;
    }

    Error ends_before(uint64_t offset, size_t count, uint64_t end) const {
        return Error(Code::kDataLoss, "pread " + path_ + ": " + std::to_string(count) + " bytes at " +
                                          std::to_string(offset) + " wanted, but the file ends at " +
                                          std::to_string(end));
    }

  protected:
    int descriptor() const { return descriptor_.get(); }

  private:
    Descriptor descriptor_;
    std::string path_;
};

/// What is in the page cache is read there; what is not is read from the disk and leaves it again. Nothing is
/// read ahead, for it could not be told from what others need.
class PassingReadFile final : public PosixReadFile {
  public:
    PassingReadFile(Descriptor descriptor, std::string path)
        : PosixReadFile(std::move(descriptor), std::move(path)) {
        (void)::posix_fadvise(this->descriptor(), 0, 0, POSIX_FADV_RANDOM);
    }

    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        const uint64_t end = size();
        if (offset > end || count > end - offset) {
            return ends_before(offset, count, end);
        }
        out.resize(count);
        size_t cached = 0;
        while (cached < count) {
            iovec piece{out.data() + cached, std::min(count - cached, kCallMax)};
            const ssize_t got = retry_interrupted([&] {
                return ::preadv2(descriptor(), &piece, 1, static_cast<off_t>(offset + cached), RWF_NOWAIT);
            });
            if (got <= 0) {
                break;  // not there, or a file system that cannot tell
            }
            cached += static_cast<size_t>(got);
        }
        if (cached == count) {
            return {};
        }
        AKIDB_TRY(const size_t read, read_some(offset + cached, out.data() + cached, count - cached));
        if (cached + read < count) {
            return ends_before(offset, count, offset + cached + read);
        }
        // By whole pages: one that is cut stays, for its other half may be somebody's.
        (void)::posix_fadvise(descriptor(), static_cast<off_t>(offset + cached), static_cast<off_t>(read),
                              POSIX_FADV_DONTNEED);
        return {};
    }
};

/// O_DIRECT: offset, length and memory in multiples of what any disk's sectors divide; only the last read may
/// be cut short by the end of the file.
class UncachedReadFile final : public ReadFile {
  public:
    UncachedReadFile(Descriptor descriptor, std::string path)
        : cached_(std::move(descriptor), std::move(path)) {}

    uint64_t size() const override { return cached_.size(); }

    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        const uint64_t end = cached_.size();
        if (offset > end || count > end - offset) {
            return cached_.ends_before(offset, count, end);
        }
        const uint64_t begin = offset / kDirectAlignment * kDirectAlignment;
        const size_t wanted = static_cast<size_t>(offset - begin) + count;
        const size_t bytes = (wanted + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
        const std::unique_ptr<char, decltype(&std::free)> buffer(
            static_cast<char*>(std::aligned_alloc(kDirectAlignment, std::max(bytes, kDirectAlignment))),
            &std::free);
        if (buffer == nullptr) {
            return Error(Code::kUnavailable, "no memory for a read of " + std::to_string(bytes) + " bytes");
        }
        AKIDB_TRY(const size_t got, cached_.read_some(begin, buffer.get(), bytes));
        if (got < wanted) {
            return cached_.ends_before(offset, count, begin + got);
        }
        out.assign(buffer.get() + (offset - begin), count);
        return {};
    }

  private:
    PosixReadFile cached_;
};

}  // namespace

std::unique_ptr<ReadFile> make_read_file(Descriptor descriptor, std::string path) {
    return std::make_unique<PosixReadFile>(std::move(descriptor), std::move(path));
}

std::unique_ptr<ReadFile> make_passing_read_file(Descriptor descriptor, std::string path) {
    return std::make_unique<PassingReadFile>(std::move(descriptor), std::move(path));
}

std::unique_ptr<ReadFile> make_uncached_read_file(Descriptor descriptor, std::string path) {
    return std::make_unique<UncachedReadFile>(std::move(descriptor), std::move(path));
}

}  // namespace akidb::io
