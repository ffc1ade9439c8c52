#include "sim/sim_sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "sim/sim_tree.h"

namespace akidb::sim {

/// One open file of a connection.
struct SimSqlite::Open {
    SimSqlite& owner;
    std::string path;  // empty: a temporary one, which nobody else sees
    std::shared_ptr<File> file;
    int lock = SQLITE_LOCK_NONE;
};

/// What SQLite calls. Its own types do not know ours, so each finds its object behind a pointer.
struct SqliteCalls {
    struct Handle {
        sqlite3_file base;
        SimSqlite::Open* open;
    };
    static SimSqlite& owner_of(sqlite3_vfs* vfs) { return *static_cast<SimSqlite*>(vfs->pAppData); }
    static SimSqlite::Open& open_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->open; }

    static int close(sqlite3_file* file) {
        SimSqlite::Open* const open = reinterpret_cast<Handle*>(file)->open;
        std::erase(open->owner.open_, open);
        if (open->owner.open_.empty()) {
            open->owner.shared_.clear();
        }
        delete open;
        return SQLITE_OK;
    }

    static int read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
        const Content& content = open_of(file).file->visible.read();
        const std::string found = content.read(static_cast<uint64_t>(offset), static_cast<uint64_t>(count));
        std::memset(bytes, 0, static_cast<size_t>(count));
        std::memcpy(bytes, found.data(), found.size());
        return found.size() == static_cast<size_t>(count) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    }

    static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
        SimSqlite::Open& open = open_of(file);
        if (open.owner.power_.is_off()) {
            return SQLITE_IOERR_WRITE;
        }
        const std::string_view text(static_cast<const char*>(bytes), static_cast<size_t>(count));
        open.file->visible.write().write(static_cast<uint64_t>(offset), text);
        open.file->durable.write().write(static_cast<uint64_t>(offset), text);
        return SQLITE_OK;
    }

    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        SimSqlite::Open& open = open_of(file);
        if (open.owner.power_.is_off()) {
            return SQLITE_IOERR_TRUNCATE;
        }
        open.file->visible.write().resize(static_cast<uint64_t>(size));
        open.file->durable.write().resize(static_cast<uint64_t>(size));
        return SQLITE_OK;
    }

    static int sync(sqlite3_file* file, int /*flags*/) {
        return open_of(file).owner.power_.step() ? SQLITE_OK : SQLITE_IOERR_FSYNC;
    }

    static int size(sqlite3_file* file, sqlite3_int64* size) {
        *size = static_cast<sqlite3_int64>(open_of(file).file->visible.read().size());
        return SQLITE_OK;
    }

    /// The strongest lock that another connection has on the file.
    static int lock_of_others(const SimSqlite::Open& one) {
        int strongest = SQLITE_LOCK_NONE;
        for (const SimSqlite::Open* other : one.owner.open_) {
            if (other != &one && other->path == one.path && !one.path.empty()) {
                strongest = std::max(strongest, other->lock);
            }
        }
        return strongest;
    }

    static int lock(sqlite3_file* file, int level) {
        SimSqlite::Open& open = open_of(file);
        const int others = lock_of_others(open);
        const bool is_taken = level == SQLITE_LOCK_EXCLUSIVE ? others >= SQLITE_LOCK_SHARED
                              : level == SQLITE_LOCK_SHARED  ? others >= SQLITE_LOCK_PENDING
                                                             : others >= SQLITE_LOCK_RESERVED;
        if (is_taken) {
            return SQLITE_BUSY;
        }
        open.lock = std::max(open.lock, level);
        return SQLITE_OK;
    }

    static int unlock(sqlite3_file* file, int level) {
        SimSqlite::Open& open = open_of(file);
        open.lock = std::min(open.lock, level);
        return SQLITE_OK;
    }

    static int check_reserved_lock(sqlite3_file* file, int* is_reserved) {
        *is_reserved = lock_of_others(open_of(file)) >= SQLITE_LOCK_RESERVED ? 1 : 0;
        return SQLITE_OK;
    }

    static int file_control(sqlite3_file* /*file*/, int /*what*/, void* /*argument*/) {
        return SQLITE_NOTFOUND;
    }
    static int sector_size(sqlite3_file* /*file*/) { return 512; }
    static int device_characteristics(sqlite3_file* /*file*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

    static int shm_map(sqlite3_file* file, int number, int bytes, int makes, volatile void** found) {
        SimSqlite::Open& open = open_of(file);
        auto& regions = open.owner.shared_[open.path];
        const auto wanted = static_cast<size_t>(number);
        *found = nullptr;
        if (wanted >= regions.size() && makes == 0) {
            return SQLITE_OK;
        }
        while (regions.size() <= wanted) {
            regions.push_back(std::make_unique<std::string>(static_cast<size_t>(bytes), '\0'));
        }
        *found = regions[wanted]->data();
        return SQLITE_OK;
    }
    /// One thread, and no connection reads while another writes: there is nobody to wait for.
    static int shm_lock(sqlite3_file* /*file*/, int /*offset*/, int /*count*/, int /*flags*/) {
        return SQLITE_OK;
    }
    static void shm_barrier(sqlite3_file* /*file*/) {}
    static int shm_unmap(sqlite3_file* file, int removes) {
        if (removes != 0) {
            open_of(file).owner.shared_.erase(open_of(file).path);
        }
        return SQLITE_OK;
    }

    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods kMethods = {2,
                                                    close,
                                                    read,
                                                    write,
                                                    truncate,
                                                    sync,
                                                    size,
                                                    lock,
                                                    unlock,
                                                    check_reserved_lock,
                                                    file_control,
                                                    sector_size,
                                                    device_characteristics,
                                                    shm_map,
                                                    shm_lock,
                                                    shm_barrier,
                                                    shm_unmap,
                                                    nullptr,
                                                    nullptr};
        return &kMethods;
    }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* given) {
        SimSqlite& owner = owner_of(vfs);
        file->pMethods = nullptr;
        const std::string path = name == nullptr ? "" : name;
        std::shared_ptr<File> found =
            path.empty() ? std::make_shared<File>() : owner.disk_->find_database(path);
        if (found == nullptr && (flags & SQLITE_OPEN_CREATE) != 0 && !owner.power_.is_off()) {
            found = owner.disk_->make_database(path);
        }
        if (found == nullptr) {
            return SQLITE_CANTOPEN;
        }
        std::unique_ptr<SimSqlite::Open> opened(new SimSqlite::Open{owner, path, std::move(found)});
        owner.open_.push_back(opened.get());
        reinterpret_cast<Handle*>(file)->open = opened.release();
        file->pMethods = methods();
        if (given != nullptr) {
            *given = flags;
        }
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int /*sync_directory*/) {
        SimSqlite& owner = owner_of(vfs);
        if (owner.power_.is_off()) {
            return SQLITE_IOERR_DELETE;
        }
        owner.disk_->remove_database(name);
        return SQLITE_OK;
    }

    static int access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* is_there) {
        *is_there = owner_of(vfs).disk_->find_database(name) != nullptr ? 1 : 0;
        return SQLITE_OK;
    }

    static int full_path(sqlite3_vfs* /*vfs*/, const char* name, int bytes_max, char* path) {
        sqlite3_snprintf(bytes_max, path, "%s", name);
        return SQLITE_OK;
    }

    static int randomness(sqlite3_vfs* vfs, int count, char* bytes) {
        for (int i = 0; i < count; ++i) {
            bytes[i] = static_cast<char>(owner_of(vfs).dice_.next());
        }
        return count;
    }
    static int pause(sqlite3_vfs* /*vfs*/, int microseconds) { return microseconds; }

    static int time_ms(sqlite3_vfs* vfs, sqlite3_int64* since_4714_bc) {
        constexpr sqlite3_int64 kUnixEpoch = 210866760000000;  // of SQLite's documentation
        *since_4714_bc = kUnixEpoch + static_cast<sqlite3_int64>(owner_of(vfs).clock_.unix_ms());
        return SQLITE_OK;
    }
    static int time_days(sqlite3_vfs* vfs, double* days) {
        sqlite3_int64 now = 0;
        time_ms(vfs, &now);
        *days = static_cast<double>(now) / 86'400'000.0;
        return SQLITE_OK;
    }
    static int last_error(sqlite3_vfs* /*vfs*/, int /*bytes*/, char* /*text*/) { return 0; }
};

SimSqlite::SimSqlite(uint64_t seed, SimPower& power, const SimClock& clock)
    : dice_(seed),
      power_(power),
      clock_(clock),
      name_("akidb-sim-" + std::to_string(seed)),
      vfs_(std::make_unique<sqlite3_vfs>()) {
    *vfs_ = {};
    vfs_->iVersion = 2;
    vfs_->szOsFile = sizeof(SqliteCalls::Handle);
    vfs_->mxPathname = 512;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = this;
    vfs_->xOpen = SqliteCalls::open;
    vfs_->xDelete = SqliteCalls::remove;
    vfs_->xAccess = SqliteCalls::access;
    vfs_->xFullPathname = SqliteCalls::full_path;
    vfs_->xRandomness = SqliteCalls::randomness;
    vfs_->xSleep = SqliteCalls::pause;
    vfs_->xCurrentTime = SqliteCalls::time_days;
    vfs_->xCurrentTimeInt64 = SqliteCalls::time_ms;
    vfs_->xGetLastError = SqliteCalls::last_error;
    AKIDB_ASSERT(sqlite3_vfs_register(vfs_.get(), 1) == SQLITE_OK);
}

SimSqlite::~SimSqlite() {
    AKIDB_ASSERT(open_.empty());
    sqlite3_vfs_unregister(vfs_.get());
}

void SimSqlite::mount(SimFileSystem& disk) {
    AKIDB_ASSERT(open_.empty());
    disk_ = &disk;
}

}  // namespace akidb::sim
