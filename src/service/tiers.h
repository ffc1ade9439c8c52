// Tiers: where collections are kept. A collection of the policy `memory` is open, on the local disk. Of
// `memory_s3` a copy of every checkpoint goes to an object store as well. One of `s3_only` is closed when
// nobody asked for it for a while (warm), and later its files are removed here (cold), once each was verified
// in the store; whoever asks for it waits until it is open again. What is to be sent and removed there is a
// queue in the catalog (catalog/tier_store.h): what fails is tried again with growing random pauses, and
// becomes a dead letter after so many tries, until somebody retries or drops it.
//
// What is local is the truth until the tier in the catalog says cold; from then on the store's copy is, until
// the files are here again and the catalog says so, before anything is written to them. So whenever the
// process dies, one of both is whole, and it is known which. One mover of a collection at a time; uploads
// only read. Thread-safe; wake() blocks its caller, so it is for threads that may wait.
//
// Searches of the plain sort do not open a cold collection: they read ranges of the cold index that goes to
// the store with the copy (service/cold_searches.h), until there were enough of them within an hour.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/collection_copy.h"
#include "backup/target.h"
#include "base/function_ref.h"
#include "base/logger.h"
#include "base/mutex.h"
#include "catalog/tier_store.h"
#include "io/executor.h"
#include "io/random.h"
#include "model/search.h"
#include "objects/breaker.h"
#include "service/cold_searches.h"
#include "service/directory.h"
#include "storage/disk_space.h"
#include "telemetry/metrics.h"

namespace akidb::service {

struct TierOptions {
    std::string place{};  // empty: no store, and every collection stays here
    uint64_t cache_bytes = uint64_t{10} << 30;
    uint64_t warm_after_us = 0;     // since a collection of s3_only was last asked for
    uint64_t cold_after_us = 0;     // the same
    uint64_t copy_interval_us = 0;  // writes are in a copy after about so long
    uint64_t tries_max = 8;         // of a task
    uint64_t retry_base_us = 1'000'000;
    uint64_t retry_cap_us = 64'000'000;
    uint64_t wait_us = 30'000'000;  // for an opening, unless a deadline is nearer
    size_t waiters_max = 8;         // at once, of all collections
    /// Within an hour, of a cold collection: that it is opened, too. 0: the first opens it, and no collection
    /// has a cold index.
    uint64_t promote_after = 10;
    uint64_t cold_memory_bytes = 256 << 20;  // of codes
};

struct CollectionTier {
    model::StoragePolicy policy = model::StoragePolicy::kMemory;
    model::Tier tier = model::Tier::kHot;
    bool is_pinned = false;
    bool is_moving = false;
    uint64_t bytes = 0;      // of its files
    bool has_copy = false;   // verified, of some checkpoint
    bool is_copied = false;  // of all that was written
    std::string error{};     // why it did not open when it was last asked for
};

struct DeadLetter {
    int64_t id = 0;
    catalog::TierTaskKind kind = catalog::TierTaskKind::kUpload;
    Uuid collection;
    std::string name{};  // empty once it is deleted
    uint64_t bytes = 0;
    uint64_t tries = 0;
    std::string error{};
    uint64_t queued_at_ms = 0;
};

struct TiersState {
    std::string place{};
    uint64_t hot = 0;
    uint64_t warm = 0;
    uint64_t cold = 0;
    uint64_t cached_bytes = 0;  // of s3_only, here
    uint64_t cache_bytes = 0;   // its bound
    uint64_t pending = 0;       // tasks, without dead letters
    uint64_t pending_bytes = 0;
    uint64_t oldest_pending_ms = 0;  // when it was queued; 0: none
    uint64_t dead = 0;
    objects::BreakerState breaker = objects::BreakerState::kClosed;
};

class Tiers {
  public:
    struct Dependencies {
        Directory& directory;
        catalog::TierStore& store;
        io::FileSystem& files;
        io::Clock& clock;
        io::Random& random;
        Logger& logger;
        telemetry::Metrics& metrics;
        io::Executor& openers;   // stopped before this goes, as the next two
        io::Executor& movers;    // one thread
        io::Executor& fetchers;  // other threads than those of the two
        io::Executor& readers;   // of ranges, for searches; others again
        std::string data{};      // the data directory
        backup::OpenTarget open_target{};
        objects::Breaker* breaker = nullptr;
        storage::DiskSpace* disk = nullptr;
    };
    Tiers(Dependencies given, TierOptions options);
    ~Tiers();

    /// Reads the catalog and removes what local files a crash left of cold collections. Once, before
    /// collections are loaded; those asleep are not to be opened.
    Result<std::vector<Asleep>> begin() AKIDB_EXCLUDES(mutex_);
    /// To be called every few seconds; starts what is due as a job.
    void tick() AKIDB_EXCLUDES(mutex_);
    /// The same in the caller's thread, to its end.
    void run_due(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    /// Whoever waits is told kUnavailable, now and from now on.
    void stop() AKIDB_EXCLUDES(mutex_);
    void export_gauges() AKIDB_EXCLUDES(mutex_);

    /// As Directory::find; a collection that is asleep is opened first, by one for all who ask. At the latest
    /// at the deadline (monotonic) kDeadlineExceeded; kUnavailable when the store cannot be reached, there is
    /// no room in the cache, too many wait, or it takes long; it goes on being opened meanwhile.
    Result<std::shared_ptr<engine::Collection>> wake(const CollectionRef& named,
                                                     std::optional<uint64_t> deadline_us = std::nullopt)
        AKIDB_EXCLUDES(mutex_);
    /// Whether wake() will not wait, as far as can be told.
    bool is_awake(const CollectionRef& named) const;
    /// A search of a cold collection by ranges of its cold index. None: it is not cold, or not to be answered
    /// so: then it is to be woken. Errors are those of a search, kDeadlineExceeded, and kUnavailable when too
    /// many wait.
    std::optional<Result<model::SearchReply>> search_cold(const CollectionRef& named,
                                                          const model::SearchRequest& request)
        AKIDB_EXCLUDES(mutex_);
    /// Of codes of cold collections, in memory.
    uint64_t cold_memory_bytes() const { return cold_searches_.bytes(); }
    /// Whether any collection is asleep. Quick.
    bool has_sleepers() const { return sleepers_.load(std::memory_order_relaxed) > 0; }

    /// kInvalidArgument on field "policy" for one that needs a store where there is none.
    Result<void> check_policy(model::StoragePolicy policy) const;
    /// Durable at return. Of a collection that is open.
    Result<void> set_policy(const Uuid& collection, model::StoragePolicy policy) AKIDB_EXCLUDES(mutex_);
    CollectionTier tier_of(const DirectoryEntry& entry) const AKIDB_EXCLUDES(mutex_);
    /// Before a write that makes the files of an open collection about so many bytes larger. kUnavailable
    /// while what collections of s3_only take here leaves no room for it; the next tick makes some. Quick.
    Result<void> admit_write(const Uuid& collection, uint64_t bytes) AKIDB_EXCLUDES(mutex_);
    /// At return it is done. kConflict when the collection is in use, or its policy does not allow it.
    Result<void> act(const CollectionRef& named, model::TierAction action) AKIDB_EXCLUDES(mutex_);
    /// After documents were erased: sends the new files and removes the old ones from the store, now. False
    /// where nothing is in a store. On an error the queue goes on trying.
    Result<bool> renew_copy(const Uuid& collection) AKIDB_EXCLUDES(mutex_);

    TiersState state() const AKIDB_EXCLUDES(mutex_);
    Result<std::vector<DeadLetter>> dead_letters() const;
    /// It is tried as if it were new. kNotFound.
    Result<void> retry_dead_letter(int64_t id);
    /// How many.
    Result<uint64_t> retry_all_dead_letters();
    /// An upload is not tried again before there is something new to send; objects of a removal stay.
    Result<void> drop_dead_letter(int64_t id) AKIDB_EXCLUDES(mutex_);
    void reset_breaker();

    /// That of its last write, of a collection that is asleep.
    std::optional<uint64_t> sequence_of_sleeper(const Uuid& collection) const AKIDB_EXCLUDES(mutex_);

    /// The files of a collection that is asleep, for whoever copies them.
    struct SleepingFiles {
        catalog::TierRow row;
        std::shared_ptr<backup::Target> target;  // of those in the store
        struct File {
            std::string name;
            std::string sha256;  // of those in the store
            std::unique_ptr<io::ReadFile> file;
        };
        std::vector<File> files{};
    };
    /// kConflict when it is not asleep, or about to be opened.
    Result<SleepingFiles> files_of_sleeper(const Uuid& collection) AKIDB_EXCLUDES(mutex_);

  private:
    struct Collection {
        catalog::TierRow row;
        bool is_moving = false;         // one thread moves it
        bool is_opening = false;        // a job that opens it is queued or runs
        uint64_t openings = 0;          // that ended
        std::optional<Error> error{};   // of the last
        uint64_t given_up_version = 0;  // of a dropped upload
        uint64_t looked_at_us = 0;      // when it was last uploaded
        uint64_t arriving_bytes = 0;    // being fetched
        uint64_t written_bytes = 0;     // admitted since its files were measured
        uint64_t indexed_version = 0;   // whose cold index is in the store, or which can have none
        uint64_t unread_version = 0;    // whose cold index was not there or damaged
        uint64_t searches = 0;          // that were answered cold, since…
        uint64_t searches_since_us = 0;
    };
    class Move;
    class UploadTurn;

    Result<void> wait_for_opening(const Uuid& id, uint64_t until_us, std::optional<uint64_t> deadline_us)
        AKIDB_EXCLUDES(mutex_);
    Result<uint64_t> begin_opening(const Uuid& id) AKIDB_EXCLUDES(mutex_);
    void end_opening(const Uuid& id, const Result<void>& outcome) AKIDB_EXCLUDES(mutex_);
    // Moves (tier_moves.cc).
    Result<void> open(const Uuid& id);
    Result<void> fetch(const catalog::TierRow& row);
    Result<void> make_room(const Uuid& id, uint64_t bytes);
    Result<void> lull(const Uuid& id);
    Result<void> drop(const Uuid& id);
    bool evict_one(const Uuid& but);
    void demote_idle(const std::stop_token& stop);
    uint64_t cached_bytes() const AKIDB_EXCLUDES(mutex_);
    uint64_t count_cached_bytes() const AKIDB_REQUIRES(mutex_);
    void measure_open();
    void measure(const Uuid& id) AKIDB_EXCLUDES(mutex_);
    Result<void> check_droppable(const catalog::TierRow& row);
    std::string path_of(const Uuid& id) const;
    // The queue (tier_queue.cc).
    struct Uploadable;
    Result<Uploadable> find_uploadable(const catalog::TierRow& row) const;
    Result<void> queue_uploads();
    bool upload_is_due(const Collection& collection, const DirectoryEntry& entry,
                       bool is_owed_cold_index) const;
    void run_tasks(const std::stop_token& stop);
    void run_task(catalog::TierTask task, const std::stop_token& stop);
    Result<void> upload(const catalog::TierTask& task, const std::stop_token& stop);
    Result<void> remove_copy(const catalog::TierTask& task);
    Result<std::shared_ptr<backup::Target>> reach_store(const std::string& place, backup::TargetUse use)
        AKIDB_EXCLUDES(target_mutex_);
    void note_failure(catalog::TierTask task, const Error& error, bool counts);
    // Searches of what is cold (tier_searches.cc).
    bool lacks_cold_index(const catalog::TierRow& row) const AKIDB_EXCLUDES(mutex_);
    Result<void> put_cold_index(const catalog::TierRow& row, backup::CollectionCopy& copy,
                                const std::stop_token& stop);
    Result<model::SearchReply> ask_cold(const catalog::TierRow& row, const model::CollectionSpec& spec,
                                        const model::SearchRequest& request);
    void note_cold_search(const Uuid& id) AKIDB_EXCLUDES(mutex_);
    void note_unread(const catalog::TierRow& row, const Error& error) AKIDB_EXCLUDES(mutex_);

    std::optional<catalog::TierRow> find_row(const Uuid& id) const AKIDB_EXCLUDES(mutex_);
    /// In the catalog, then here; one change at a time, so that none undoes another.
    Result<catalog::TierRow> change_row(const Uuid& id, FunctionRef<void(catalog::TierRow&)> change)
        AKIDB_EXCLUDES(mutex_, rows_mutex_);
    void forget_deleted() AKIDB_EXCLUDES(mutex_);
    void count_sleepers() AKIDB_REQUIRES(mutex_);
    void warn(std::string_view what, const std::string& name, const Error& error) const;
    std::string name_of_collection(const Uuid& id) const;

    const Dependencies given_;
    const TierOptions options_;
    std::atomic<uint64_t> sleepers_{0};
    std::atomic<bool> is_running_{false};
    uint64_t next_tick_us_ = 0;  // of who calls tick()
    Mutex rows_mutex_;           // of those who change a row; held while the catalog writes. Before mutex_.
    mutable Mutex mutex_;
    CondVar changed_;
    std::map<Uuid, Collection> collections_ AKIDB_GUARDED_BY(mutex_);
    std::atomic<size_t> waiters_{0};
    uint64_t room_bytes_ AKIDB_GUARDED_BY(mutex_) = 0;    // in the cache, at least
    uint64_t wanted_bytes_ AKIDB_GUARDED_BY(mutex_) = 0;  // the most that a write was refused for
    bool is_stopping_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_uploading_ AKIDB_GUARDED_BY(mutex_) = false;  // one upload at a time
    ColdSearches cold_searches_;
    Mutex target_mutex_;
    /// By use, once it was reached: for moves, and for what somebody waits for.
    std::map<backup::TargetUse, std::shared_ptr<backup::Target>> targets_ AKIDB_GUARDED_BY(target_mutex_);
};

}  // namespace akidb::service
