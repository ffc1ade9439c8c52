// WriteLane: the single file of writers of one collection, with group commit: a leader takes what has queued
// up, commits it as one group with one disk sync, and then takes what came meanwhile. A write is either
// waited for (run) or told of its end (submit), which costs no thread a write. Of those who wait, the first
// leads and the others sleep until their write is done; a leader whose own write is done leaves and wakes the
// first that still waits, and nobody else: with many writers, waking all for each group costs more than the
// sync. Where nobody waits, lead() is called on a thread that the owner provides. The commit function runs
// for one group at a time, without the lane's lock. Thread-safe.
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
    std::optional<model::WriteKey> key;
    /// Sets `record` and `documents`. Called by the leader when all writes before this one are applied, for
    /// what it writes, or whether it may, depends on them: so it is a group of its own. Null: they are set.
    std::function<Result<void>(PendingWrite& write)> resolve;
    /// Not a write at all: runs in the lane between groups (trimming the log).
    std::function<Result<void>()> between_groups;

    std::optional<Result<WriteReply>> reply;
    /// Nobody waits for a write that has this: its leader calls it, without the lane's lock.
    WriteDone done;
    /// Set by a leader, once; its own object, so that waking a writer never touches a write that has gone.
    enum class Turn : uint32_t { kWait, kLead, kDone };
    std::shared_ptr<std::atomic<Turn>> turn;
};

class WriteLane {
  public:
    /// Sets `reply` of every write of the group.
    using Commit = std::function<void(std::span<PendingWrite* const> group)>;
    /// Has lead() called once on another thread, which keeps the lane alive until then; false when it cannot.
    using LeadElsewhere = std::function<bool()>;

    explicit WriteLane(Commit commit, LeadElsewhere lead_elsewhere = nullptr)
        : commit_(std::move(commit)), lead_elsewhere_(std::move(lead_elsewhere)) {}

    /// Blocks until the write was committed or refused. kUnavailable after close().
    Result<WriteReply> run(PendingWrite& write) AKIDB_EXCLUDES(mutex_);
    /// Returns at once and calls `write->done` later, or leads itself first when no other thread can.
    void submit(std::unique_ptr<PendingWrite> write) AKIDB_EXCLUDES(mutex_);
    /// For the thread that LeadElsewhere found.
    void lead() AKIDB_EXCLUDES(mutex_);
    /// Refuses new writes and waits until the lane is empty. Idempotent.
    void close() AKIDB_EXCLUDES(mutex_);

  private:
    std::vector<PendingWrite*> take_group() noexcept AKIDB_REQUIRES(mutex_);
    void commit_next() AKIDB_EXCLUDES(mutex_);
    bool leave() AKIDB_EXCLUDES(mutex_);
    bool can_lead_elsewhere() const { return lead_elsewhere_ && lead_elsewhere_(); }

    Commit commit_;
    LeadElsewhere lead_elsewhere_;
    Mutex mutex_;
    CondVar emptied_;
    std::deque<PendingWrite*> queue_ AKIDB_GUARDED_BY(mutex_);
    bool has_leader_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_closed_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::engine
