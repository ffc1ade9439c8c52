// WriteLane: the single file of writers of one collection, with group commit: the first waiter becomes
// leader, takes what has queued up meanwhile, and commits it as one group with one disk sync; the others
// sleep until their write is done. A leader whose own write is done leaves and wakes the first that still
// waits, and nobody else: with many writers, waking all for each group costs more than the sync. The commit
// function runs for one group at a time, without the lane's lock. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/collection.h"
#include "storage/log_format.h"

namespace akidb::engine {

struct PendingWrite {
    storage::LogRecord record;
    uint64_t documents = 0;  // rows that an upsert will append
    /// Made into `record` by the leader, alone at the head of its group: what it selects depends on all
    /// before it.
    const model::Filter* remove_matching = nullptr;
    /// Not a write at all: runs in the lane between groups (trimming the log).
    std::function<Result<void>()> between_groups;

    std::optional<Result<WriteReply>> reply;
    /// Set by a leader, once; its own object, so that waking a writer never touches a write that has gone.
    enum class Turn : uint32_t { kWait, kLead, kDone };
    std::shared_ptr<std::atomic<Turn>> turn;
};

class WriteLane {
  public:
    /// Sets `reply` of every write of the group.
    using Commit = std::function<void(std::span<PendingWrite* const> group)>;

    explicit WriteLane(Commit commit) : commit_(std::move(commit)) {}

    /// Blocks until the write was committed or refused. kUnavailable after close().
    Result<WriteReply> run(PendingWrite& write) AKIDB_EXCLUDES(mutex_);
    /// Refuses new writes and waits until the lane is empty. Idempotent.
    void close() AKIDB_EXCLUDES(mutex_);

  private:
    std::vector<PendingWrite*> take_group() noexcept AKIDB_REQUIRES(mutex_);
    void leave() AKIDB_EXCLUDES(mutex_);

    Commit commit_;
    Mutex mutex_;
    CondVar emptied_;
    std::deque<PendingWrite*> queue_ AKIDB_GUARDED_BY(mutex_);
    bool has_leader_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_closed_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::engine
