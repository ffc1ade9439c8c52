#include "io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/posix_append_file.h"
#include "io/posix_descriptor.h"
#include "io/posix_read_file.h"

namespace akidb::io {
namespace {

constexpr mode_t kFileMode = 0640;  // the umask takes more away; others never read a database's files
constexpr mode_t kDirectoryMode = 0750;

Result<Descriptor> open_at(const std::string& path, int flags) {
    const int number =
        retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kFileMode); });
    if (number < 0) {
        return error_of(errno, "open", path);
    }
    return Descriptor(number);
}

struct OpenFile {
    Descriptor descriptor;
    uint64_t size;
};

Result<OpenFile> open_regular(const std::string& path) {
    // Without O_NONBLOCK the open of a named pipe would wait for its writer.
    AKIDB_TRY(Descriptor descriptor, open_at(path, O_RDONLY | O_NONBLOCK));
    struct stat status {};
    if (::fstat(descriptor.get(), &status) != 0) {
        return error_of(errno, "fstat", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return Error(Code::kInternal, "open " + path + ": not a file");
    }
    return OpenFile{std::move(descriptor), static_cast<uint64_t>(status.st_size)};
}

class PosixMappedFile final : public MappedFile {
  public:
    PosixMappedFile(void* address, size_t size) : address_(address), size_(size) {}
    ~PosixMappedFile() override {
        if (size_ > 0) {
            ::munmap(address_, size_);
        }
    }
    PosixMappedFile(const PosixMappedFile&) = delete;
    PosixMappedFile& operator=(const PosixMappedFile&) = delete;

    std::string_view bytes() const override {
        return size_ == 0 ? std::string_view() : std::string_view(static_cast<const char*>(address_), size_);
    }
    void expect_read(std::string_view bytes) const override {
#ifdef MADV_POPULATE_READ
        const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
        const size_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
        ::madvise(const_cast<char*>(bytes.data()) - before, bytes.size() + before, MADV_POPULATE_READ);
#else
        static_cast<void>(bytes);
#endif
    }

    void forget() const override {
        if (size_ > 0) {  // in one step: no address is without memory for a moment; where it fails, all stays
            ::mmap(address_, size_, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                   0);
        }
    }

  private:
    void* address_;
    size_t size_;
};

class PosixFileLock final : public FileLock {
  public:
    explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  private:
    Descriptor descriptor_;  // the kernel lets go of the lock with it, also when the process is killed
};

Error lock_is_held(int descriptor, const std::string& path) {
    char text[32] = {};
    const ssize_t got = retry_interrupted([&] { return ::pread(descriptor, text, sizeof(text) - 1, 0); });
    std::string holder(text, got > 0 ? static_cast<size_t>(got) : 0);
    holder.erase(std::find_if(holder.begin(), holder.end(), [](char c) { return c < '0' || c > '9'; }),
                 holder.end());
    return Error(Code::kConflict,
                 "lock " + path + ": held by " +
                     (holder.empty() ? std::string("another process") : "process " + holder));
}

class PosixFileSystem final : public FileSystem {
  public:
    explicit PosixFileSystem(Caching caching) : caching_(caching) {}

    Result<std::unique_ptr<AppendFile>> create(const std::string& path) override {
        AKIDB_TRY(Descriptor descriptor, open_at(path, O_RDWR | O_CREAT | O_EXCL));
        return caching_ == Caching::kPassing ? make_passing_append_file(std::move(descriptor), path)
                                             : make_append_file(std::move(descriptor), path);
    }

    Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
        AKIDB_TRY(OpenFile file, open_regular(path));
        return caching_ == Caching::kPassing ? make_passing_read_file(std::move(file.descriptor), path)
                                             : make_read_file(std::move(file.descriptor), path);
    }

    Result<std::unique_ptr<ReadFile>> open_uncached(const std::string& path) override {
        const int number = retry_interrupted(
            [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); });
        if (number < 0 && errno == EINVAL) {
            return open_read(path);  // tmpfs, for one, has no way past the cache
        }
        if (number < 0) {
            return error_of(errno, "open", path);
        }
        return make_uncached_read_file(Descriptor(number), path);
    }

    Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
        AKIDB_TRY(const OpenFile file, open_regular(path));
        if (file.size == 0) {
            return std::make_unique<PosixMappedFile>(nullptr, 0);
        }
        const auto size = static_cast<size_t>(file.size);
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.descriptor.get(), 0);
        if (address == MAP_FAILED) {
            return error_of(errno, "mmap", path);
        }
        return std::make_unique<PosixMappedFile>(address, size);
    }

    Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;

    Result<void> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) {
            return error_of(errno, "rename", from + " to " + to);
        }
        return {};
    }

    Result<void> rename_new(const std::string& from, const std::string& to) override {
        // A second name, then the first one goes: whoever dies between leaves both, and `to` is whole.
        if (::link(from.c_str(), to.c_str()) != 0) {
            return error_of(errno, "link", from + " to " + to);
        }
        return remove(from);
    }

    Result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) {
            return error_of(errno, "unlink", path);
        }
        return {};
    }

    Result<void> make_directory(const std::string& path) override {
        if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
            return {};
        }
        const int number = errno;
        struct stat status {};
        if (number == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
            return {};
        }
        return error_of(number, "mkdir", path);
    }

    Result<void> remove_directory(const std::string& path) override {
        if (::rmdir(path.c_str()) != 0) {
            // Some file systems say EEXIST for ENOTEMPTY, which would read as "the name is taken".
            return error_of(errno == EEXIST ? ENOTEMPTY : errno, "rmdir", path);
        }
        return {};
    }

    Result<void> sync_directory(const std::string& path) override {
        const int number =
            retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
        if (number < 0) {
            return error_of(errno, "open", path);
        }
        const Descriptor descriptor(number);
        if (::fsync(descriptor.get()) != 0) {
            return error_of(errno, "fsync", path);
        }
        return {};
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        AKIDB_TRY(Descriptor descriptor, open_at(path, O_RDWR | O_CREAT | O_NONBLOCK));
        if (retry_interrupted([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) != 0) {
            return errno == EWOULDBLOCK ? lock_is_held(descriptor.get(), path)
                                        : error_of(errno, "flock", path);
        }
        // The pid only helps people; a full disk must not keep the server from starting.
        const std::string pid = std::to_string(::getpid()) + "\n";
        if (::ftruncate(descriptor.get(), 0) == 0) {
            (void)!::pwrite(descriptor.get(), pid.data(), pid.size(), 0);
        }
        return std::make_unique<PosixFileLock>(std::move(descriptor));
    }

    Result<uint64_t> free_bytes(const std::string& path) override {
        struct statvfs status {};
        if (retry_interrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0) {
            return error_of(errno, "statvfs", path);
        }
        return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
    }

    Result<uint64_t> volume_bytes(const std::string& path) override {
        struct statvfs status {};
        if (retry_interrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0) {
            return error_of(errno, "statvfs", path);
        }
        return static_cast<uint64_t>(status.f_blocks) * status.f_frsize;
    }

    Result<void> occupy(const std::string& path, uint64_t bytes) override {
        int number = 0;
        {
            AKIDB_TRY(const Descriptor descriptor, open_at(path, O_RDWR | O_CREAT | O_EXCL));
            const auto size = static_cast<off_t>(bytes);
            if (retry_interrupted([&] { return ::fallocate(descriptor.get(), 0, 0, size); }) == 0) {
                return {};
            }
            number = errno;
        }
        ::unlink(path.c_str());
        if (number == EOPNOTSUPP) {
            return FileSystem::occupy(path, bytes);
        }
        return error_of(number, "fallocate", path);
    }

  private:
    const Caching caching_;
};

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), &::closedir);
    if (!open) {
        return error_of(errno, "opendir", directory);
    }
    std::vector<DirectoryEntry> entries;
    while (true) {
        errno = 0;
        const dirent* found = ::readdir(open.get());
        if (found == nullptr) {
            break;
        }
        std::string name(found->d_name);
        if (name == "." || name == "..") {
            continue;
        }
        struct stat status {};
        if (::fstatat(::dirfd(open.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) {
                continue;  // removed while we listed
            }
            return error_of(errno, "fstatat", directory + "/" + name);
        }
        const bool is_directory = S_ISDIR(status.st_mode);
        entries.push_back(
            {std::move(name), is_directory, is_directory ? 0 : static_cast<uint64_t>(status.st_size)});
    }
    if (errno != 0) {
        return error_of(errno, "readdir", directory);
    }
    std::sort(entries.begin(), entries.end(),
              [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
    return entries;
}

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system(Caching caching) {
    return std::make_unique<PosixFileSystem>(caching);
}

}  // namespace akidb::io
