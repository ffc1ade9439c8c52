#include "engine/write_lane.h"

namespace akidb::engine {
namespace {

// A group is one frame of the log: large enough to share the sync, small enough that replay reads it in one
// piece.
constexpr size_t kGroupBytesMax = 16 << 20;
constexpr size_t kGroupWritesMax = 1024;
// That a thread which leads for those who do not wait commits in a row, so that lanes with much to do share
// the threads with the others.
constexpr int kGroupsInARow = 32;

using Turn = PendingWrite::Turn;

void wake(std::shared_ptr<std::atomic<Turn>> turn, Turn what) {  // by value: the write may go at the store
    *turn = what;
    turn->notify_one();
}

Error closed() {
    return Error(Code::kUnavailable, "the collection is closed for writes").with_retry_after(1);
}

bool stands_alone(const PendingWrite& write) {
    return write.resolve != nullptr || write.between_groups != nullptr;
}

}  // namespace

Result<WriteReply> WriteLane::run(PendingWrite& write) {
    write.turn = std::make_shared<std::atomic<Turn>>(Turn::kWait);
    {
        MutexLock lock(mutex_);
        if (is_closed_) {
            return closed();
        }
        queue_.push_back(&write);
        if (!has_leader_) {
            has_leader_ = true;
            *write.turn = Turn::kLead;
        }
    }
    write.turn->wait(Turn::kWait);
    if (*write.turn == Turn::kDone) {
        return std::move(*write.reply);
    }
    // The leader's own write may not be in the first group (a write that stands alone was ahead of it).
    while (*write.turn != Turn::kDone) {
        commit_next();
    }
    while (!leave()) {
        commit_next();
    }
    return std::move(*write.reply);
}

void WriteLane::submit(std::unique_ptr<PendingWrite> write) {
    {
        MutexLock lock(mutex_);
        if (!is_closed_) {
            queue_.push_back(write.get());
            static_cast<void>(write.release());  // the leader takes it back
            if (has_leader_) {
                return;
            }
            has_leader_ = true;
        }
    }
    if (write != nullptr) {
        write->done(closed());
    } else if (!can_lead_elsewhere()) {
        lead();
    }
}

void WriteLane::lead() {
    for (int groups = 0; groups < kGroupsInARow || !can_lead_elsewhere(); ++groups) {
        {
            MutexLock lock(mutex_);
            if (queue_.empty()) {
                has_leader_ = false;
                emptied_.notify_all();
                return;
            }
        }
        commit_next();
    }
}

/// The leader alone takes from the queue, so it holds what the leader saw in it.
void WriteLane::commit_next() {
    std::vector<PendingWrite*> group;
    {
        MutexLock lock(mutex_);
        group = take_group();
    }
    commit_(group);
    for (PendingWrite* write : group) {
        if (write->done) {
            const std::unique_ptr<PendingWrite> ours(write);
            ours->done(std::move(*ours->reply));
        } else {
            wake(write->turn, Turn::kDone);
        }
    }
}

/// The first that waits leads from here on; it cannot go before it is told. False when nobody else can lead.
bool WriteLane::leave() {
    MutexLock lock(mutex_);
    if (queue_.empty()) {
        has_leader_ = false;
        emptied_.notify_all();
        return true;
    }
    if (queue_.front()->done) {
        return can_lead_elsewhere();
    }
    wake(queue_.front()->turn, Turn::kLead);
    return true;
}

std::vector<PendingWrite*> WriteLane::take_group() noexcept {
    std::vector<PendingWrite*> group;
    size_t bytes = 0;
    while (!queue_.empty() && group.size() < kGroupWritesMax) {
        PendingWrite* next = queue_.front();
        if (!group.empty() && (stands_alone(*next) || bytes + next->record.body.size() > kGroupBytesMax)) {
            break;
        }
        queue_.pop_front();
        group.push_back(next);
        bytes += next->record.body.size();
        if (stands_alone(*next)) {
            break;
        }
    }
    return group;
}

void WriteLane::close() {
    MutexLock lock(mutex_);
    is_closed_ = true;
    while (has_leader_ || !queue_.empty()) {
        emptied_.wait(mutex_);
    }
}

}  // namespace akidb::engine
