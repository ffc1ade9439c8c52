// A library to preload into the server: beside the directory POWER_DATA it keeps, in POWER_SHADOW, what a
// disk that forgets everything unsynced would hold:
//   POWER_SHADOW/inodes/N  the content of the file with inode N, as of its last sync
//   POWER_SHADOW/tree      the names, as of the last sync of each directory; files are hard links to inodes/N
// Writes and truncations only note what is dirty; a sync copies it, and that of a directory copies its list
// of names. Nothing else may open a file for writing under POWER_DATA. With POWER_SYNCS_LIE set, syncs copy
// nothing: a disk that lies, for testing the test. Memory mapped for writing (SQLite's -shm, which is made
// anew after a crash) is not followed.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

template <class Call>
Call next(const char* name) {
    return reinterpret_cast<Call>(dlsym(RTLD_NEXT, name));
}

struct Range {
    off_t begin = 0;
    off_t end = 0;
};

struct Watched {
    bool is_ours = false;  // a file under POWER_DATA
    std::vector<Range> dirty;
};

class Layer {
  public:
    static Layer& instance() {
        static Layer* const layer = new Layer();  // never destroyed: threads may write until the very end
        return *layer;
    }

    bool is_on() const { return !data_.empty() && !shadow_.empty(); }

    void note_created(int file) {
        struct stat status {};
        if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !is_under_data(path_of(file))) {
            return;
        }
        const std::scoped_lock lock(mutex_);  // the number may have belonged to a file that is gone
        unlink(inode_path(status.st_ino).c_str());
        watched_[status.st_ino] = {.is_ours = true, .dirty = {}};
    }

    void note_written(int file, off_t begin, off_t end) {
        struct stat status {};
        if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
            return;
        }
        const std::scoped_lock lock(mutex_);
        Watched& watched = find(file, status);
        if (watched.is_ours && begin < end) {
            watched.dirty.push_back({begin, end});
        }
    }

    void note_synced(int file) {
        struct stat status {};
        if (lies_ || fstat(file, &status) != 0) {
            return;
        }
        const std::scoped_lock lock(mutex_);
        if (S_ISDIR(status.st_mode)) {
            sync_names(path_of(file));
        } else if (S_ISREG(status.st_mode)) {
            Watched& watched = find(file, status);
            if (watched.is_ours) {
                copy_dirty(file, status, watched);
            }
        }
    }

  private:
    Layer() {
        if (const char* data = getenv("POWER_DATA"); data != nullptr) {
            data_ = data;
        }
        if (const char* shadow = getenv("POWER_SHADOW"); shadow != nullptr) {
            shadow_ = shadow;
        }
        lies_ = getenv("POWER_SYNCS_LIE") != nullptr;
    }

    static std::string path_of(int file) {
        char path[4096];
        const ssize_t length =
            readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof(path));
        return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
    }
    bool is_under_data(const std::string& path) const {
        return path == data_ || path.starts_with(data_ + "/");
    }
    std::string inode_path(ino_t inode) const { return shadow_ + "/inodes/" + std::to_string(inode); }

    /// A file of an earlier process may be dirty from its start to its end.
    Watched& find(int file, const struct stat& status) {
        const auto [at, is_new] = watched_.try_emplace(status.st_ino);
        if (is_new) {
            at->second.is_ours = is_under_data(path_of(file));
            at->second.dirty.push_back({0, status.st_size});
        }
        return at->second;
    }

    void copy_dirty(int file, const struct stat& status, Watched& watched) {
        static const auto write_at = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
        static const auto cut = next<int (*)(int, off_t)>("ftruncate");
        static const auto open_file = next<int (*)(const char*, int, ...)>("open");
        const int copy = open_file(inode_path(status.st_ino).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        // The file may be open for writing alone.
        const int source = open_file(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC);
        bool worked = source >= 0 && copy >= 0 && cut(copy, status.st_size) == 0;
        std::string bytes;
        for (const Range& range : watched.dirty) {
            const off_t end = std::min(range.end, status.st_size);
            for (off_t at = range.begin; worked && at < end;) {
                bytes.resize(static_cast<size_t>(std::min<off_t>(end - at, 1 << 20)));
                const ssize_t count = pread(source, bytes.data(), bytes.size(), at);
                worked = count >= 0 && write_at(copy, bytes.data(), static_cast<size_t>(count), at) == count;
                at = count > 0 ? at + count : end;  // cut short meanwhile
            }
        }
        watched.dirty.clear();
        close(source);
        close(copy);
        insist(worked, "copying what was synced");
    }

    void sync_names(const std::string& directory) {
        if (!is_under_data(directory)) {
            return;
        }
        const fs::path tree = shadow_ + "/tree" + directory.substr(data_.size());
        std::error_code fault;
        if (!fs::is_directory(tree, fault)) {
            synced_early_.insert(directory);  // counts as soon as its own name is durable
            return;
        }
        for (const fs::directory_entry& entry : fs::directory_iterator(tree, fault)) {
            struct stat status {};
            if (lstat((directory + "/" + entry.path().filename().string()).c_str(), &status) != 0) {
                fs::remove_all(entry.path(), fault);
            }
        }
        for (const fs::directory_entry& entry : fs::directory_iterator(directory, fault)) {
            sync_name(entry.path(), tree / entry.path().filename());
        }
        insist(!fault, "copying the names of a directory");
    }

    void sync_name(const fs::path& real, const fs::path& durable) {
        static const auto open_file = next<int (*)(const char*, int, ...)>("open");
        static const auto move = next<int (*)(const char*, const char*)>("rename");
        struct stat status {};
        if (lstat(real.c_str(), &status) != 0) {
            return;  // gone meanwhile
        }
        if (S_ISDIR(status.st_mode)) {
            mkdir(durable.c_str(), 0700);
            if (synced_early_.erase(real.string()) > 0) {
                sync_names(real.string());
            }
            return;
        }
        const std::string content = inode_path(status.st_ino);
        close(open_file(content.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));  // a name without a byte
        struct stat wanted {};
        struct stat there {};
        const bool is_same = stat(content.c_str(), &wanted) == 0 && lstat(durable.c_str(), &there) == 0 &&
                             wanted.st_ino == there.st_ino;
        const std::string beside = shadow_ + "/next";
        insist(is_same ||
                   (link(content.c_str(), beside.c_str()) == 0 && move(beside.c_str(), durable.c_str()) == 0),
               "copying a name");
    }

    static void insist(bool worked, const char* what) {
        if (!worked) {
            perror(what);
            abort();
        }
    }

    std::string data_;
    std::string shadow_;
    bool lies_ = false;
    std::mutex mutex_;
    std::map<ino_t, Watched> watched_;
    std::set<std::string> synced_early_;  // directories
};

ssize_t written(int file, off_t at, ssize_t count) {
    if (count > 0 && Layer::instance().is_on()) {
        Layer::instance().note_written(file, at, at + count);
    }
    return count;
}

int opened(const char* call, const char* path, int flags, mode_t mode) {
    using Open = int (*)(const char*, int, ...);
    const bool may_create = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    const int file = next<Open>(call)(path, flags, mode);
    if (may_create && file >= 0 && Layer::instance().is_on()) {
        Layer::instance().note_created(file);
    }
    return file;
}

mode_t mode_of(int flags, va_list arguments) {
    return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned int)) : 0;
}

int synced(const char* call, int file) {
    static const auto sync_file = next<int (*)(int)>("fdatasync");
    static const auto sync_all = next<int (*)(int)>("fsync");
    const int result = call[1] == 'd' ? sync_file(file) : sync_all(file);
    if (result == 0 && Layer::instance().is_on()) {
        Layer::instance().note_synced(file);
    }
    return result;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return opened("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return opened("open64", path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t count) {
    static const auto call = next<ssize_t (*)(int, const void*, size_t)>("write");
    const ssize_t done = call(file, bytes, count);
    const int kept = errno;
    const off_t end = done > 0 ? lseek(file, 0, SEEK_CUR) : -1;
    errno = kept;
    return end < 0 ? done : written(file, end - done, done);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) {
    static const auto call = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
    return written(file, at, call(file, bytes, count, at));
}

ssize_t pwrite64(int file, const void* bytes, size_t count, off_t at) {
    return pwrite(file, bytes, count, at);
}

int fdatasync(int file) {
    return synced("fdatasync", file);
}

int fsync(int file) {
    return synced("fsync", file);
}
}
