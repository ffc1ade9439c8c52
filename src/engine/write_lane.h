// WriteLane: the single file of writers of one collection, with group commit: the first waiter becomes
// leader, takes what has queued up meanwhile, and commits it as one group with one disk sync; the others
// sleep until their write is done. The commit function runs for one group at a time, without the lane's lock.
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
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
    bool is_done = false;
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
    std::vector<PendingWrite*> take_group() AKIDB_REQUIRES(mutex_);

    Commit commit_;
    Mutex mutex_;
    CondVar changed_;
    std::deque<PendingWrite*> queue_ AKIDB_GUARDED_BY(mutex_);
    bool has_leader_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_closed_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::engine
