// SimFileSystem: io::FileSystem in memory, with a disk under it that keeps only what was synced. It counts
// and logs every call, cuts the power or fails a call where it is told, and rebuilds what the disk would hold
// after a power cut, so that a test can open a database on every state that a crash can leave behind.
//
// What is durable: file bytes after sync of the file; names (create, rename, remove, make and remove
// directory) after sync of the directory that holds them, never by a sync of the file; zeros and size after
// preallocate. A rename between directories is one step, as in a journal: a sync of either directory makes it
// durable, with what came before it there. Units: bytes, and calls counted from 0. Errors as FileSystem says;
// after the power cut kUnavailable. Not modelled: permissions, links, a mapping that sees later
// writes (here it is a copy of the moment of map). Single-threaded, and so are all images made from it; it
// must outlive the file objects it gave out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "sim/dice.h"

namespace akidb::sim {

struct Directory;
struct File;
struct NameChange;

enum class CrashModel : uint8_t {
    kAllUnsyncedLost,
    kAllKept,
    kPrefixPerFile,   // of each file's unsynced bytes, and of each directory's changes of names
    kRandomSectors,   // any subset of the 512-byte sectors written since the sync
    kTornLastPage,    // all kept, but the last 4 KiB page of each file is half old
    kReorderedNames,  // each unsynced change of names kept or lost by itself; data kept
    kGrownButZero,    // sizes kept, but the content is zeros or what was there before
};
inline constexpr CrashModel kCrashModels[] = {
    CrashModel::kAllUnsyncedLost, CrashModel::kAllKept,      CrashModel::kPrefixPerFile,
    CrashModel::kRandomSectors,   CrashModel::kTornLastPage, CrashModel::kReorderedNames,
    CrashModel::kGrownButZero,
};

const char* name_of(CrashModel model);

enum class Fault : uint8_t {
    kIoError,     // any call fails without effect; of a sync, the data may be lost as in kFailedSync
    kDiskFull,    // what needs new space fails, perhaps after a part; appends inside preallocated space go on
    kFailedSync,  // sync fails, and what it should have synced never reaches the disk although reads show it;
                  // a later sync reports success (fsyncgate)
    kShortWrite,  // append writes a part, then fails
    kQuota,       // as kDiskFull: EDQUOT
    kReadOnly,    // whatever changes the disk fails: EROFS after the kernel gave up on it
    kTooManyFiles,  // what opens a file fails: EMFILE
    kInterrupted,   // any call fails without effect: an EINTR that the file system's retries did not outlast
    kFailedClose,   // close fails; what was synced stays
    kFlippedBit,    // a read or a mapping gets one wrong bit; the disk is right
    kMisdirectedRead,  // a read or a mapping gets a 512-byte sector from another place of the file
};
inline constexpr Fault kFaults[] = {
    Fault::kIoError,     Fault::kDiskFull,   Fault::kFailedSync,      Fault::kShortWrite,
    Fault::kQuota,       Fault::kReadOnly,   Fault::kTooManyFiles,    Fault::kInterrupted,
    Fault::kFailedClose, Fault::kFlippedBit, Fault::kMisdirectedRead,
};
const char* name_of(Fault fault);

enum class Verb : uint8_t {
    kCreate,
    kAppend,
    kPreallocate,  // writes the zeros; a kSync of its own follows
    kSync,
    kClose,
    kRename,
    kRemove,
    kMakeDirectory,
    kRemoveDirectory,
    kSyncDirectory,
    kLock,
    kOpenRead,
    kRead,
    kMap,
    kList,
    kFreeBytes,
};
/// Whether a call of this kind can have the fault at all (of appends kDiskFull needs more: new space).
bool can_have(Verb verb, Fault fault);
/// False for calls that leave the disk as it is: a crash before one equals a crash after it.
constexpr bool mutates(Verb verb) {
    return verb <= Verb::kLock;
}

struct Call {
    Verb verb;
    std::string path;
    uint64_t bytes = 0;  // appended, preallocated or read
};

class SimFileSystem final : public io::FileSystem {
  public:
    explicit SimFileSystem(uint64_t seed);
    ~SimFileSystem() override;

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

    /// Calls so far; each is a point where a crash or a fault may sit.
    uint64_t calls() const { return calls_; }
    const std::vector<Call>& log() const { return log_; }
    void forget_log() { log_.clear(); }
    /// Runs before each call takes effect, with its number: the place to take a crash image of every point in
    /// one run.
    void before_each_call(std::function<void(uint64_t call, Verb verb)> observer) {
        observer_ = std::move(observer);
    }

    /// The power goes off right before this call: it and every later one have no effect and fail.
    void crash_after(uint64_t call) { power_off_at_ = call; }
    bool power_is_off() const { return power_is_off_; }
    /// Takes calls again, with everything unsynced still visible: what a killed process leaves to the next
    /// one.
    void revive() {
        power_is_off_ = false;
        power_off_at_ = UINT64_MAX;
    }
    /// What the disk holds if the power is cut now (or was cut by crash_after). The image is a file system of
    /// its own, with the power on. Cheap: bytes are shared.
    std::unique_ptr<SimFileSystem> crash_image(CrashModel model, uint64_t seed) const;

    /// The first call from number `call` on that can have this fault has it; with `sticky` all of them.
    void fail_call(uint64_t call, Fault fault, bool sticky);
    void clear_faults() { faults_.clear(); }
    uint64_t faults_hit() const { return faults_hit_; }
    void set_free_bytes(uint64_t bytes) { free_bytes_ = bytes; }
    /// What needs space fails with kDiskFull when the visible files would hold more than this in all.
    void set_capacity(uint64_t bytes) { capacity_ = bytes; }

    /// Flips one bit (which one, the seed says) of this byte, on disk and in memory; false when there is no
    /// such byte.
    bool bit_flip(const std::string& path, uint64_t offset);
    // Files of a database, which writes in place and is its own judge of power cuts (sim_sqlite.h): neither
    // calls nor faults, and each change of names is durable at once.
    /// Null when it is not there.
    std::shared_ptr<File> find_database(const std::string& path) const;
    /// Null when its directory is not there.
    std::shared_ptr<File> make_database(const std::string& path);
    void remove_database(const std::string& path);

    /// Of visible files, directories not counted.
    uint64_t file_count() const;
    uint64_t total_bytes() const;

  private:
    /// What a read of these bytes gets under the fault.
    std::string spoilt(std::string bytes, Fault fault);

    friend class SimAppendFile;
    friend class SimReadFile;
    friend class ImageBuilder;

    struct PlannedFault {
        uint64_t from = 0;
        Fault fault = Fault::kIoError;
        bool sticky = false;
    };
    struct Place;

    /// Counts, logs, and says which fault the call shall have. An error means the power is off.
    Result<std::optional<Fault>> begin(Verb verb, const std::string& path, uint64_t bytes, bool needs_space);
    /// begin for calls that fail as a whole.
    Result<void> enter(Verb verb, const std::string& path, bool needs_space = false);
    Result<Place> find_place(const std::string& path, std::string_view call) const;
    Result<std::shared_ptr<Directory>> find_directory(const std::string& path, std::string_view call) const;
    Result<std::shared_ptr<File>> find_file(const std::string& path, std::string_view call) const;
    void record(NameChange change);
    /// Takes the directory's pending changes out of the list; the disk gets them, or loses them for good.
    void settle_names(const Directory* directory, bool keep);

    Dice dice_;
    std::shared_ptr<Directory> root_;
    std::vector<NameChange> pending_;  // changes of names not yet durable, oldest first
    std::vector<Call> log_;
    std::vector<PlannedFault> faults_;
    std::function<void(uint64_t, Verb)> observer_;
    uint64_t calls_ = 0;
    uint64_t faults_hit_ = 0;
    uint64_t power_off_at_ = UINT64_MAX;
    uint64_t free_bytes_ = uint64_t{1} << 40;
    uint64_t capacity_ = UINT64_MAX;
    bool power_is_off_ = false;
};

}  // namespace akidb::sim
