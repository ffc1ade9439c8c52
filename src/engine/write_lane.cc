#include "engine/write_lane.h"

namespace akidb::engine {
namespace {

// A group is one frame of the log: large enough to share the sync, small enough that replay reads it in one
// piece.
constexpr size_t kGroupBytesMax = 16 << 20;
constexpr size_t kGroupWritesMax = 1024;

using Turn = PendingWrite::Turn;

void wake(std::shared_ptr<std::atomic<Turn>> turn, Turn what) {  // by value: the write may go at the store
    *turn = what;
    turn->notify_one();
}

bool stands_alone(const PendingWrite& write) {
    return write.remove_matching != nullptr || write.between_groups != nullptr;
}

}  // namespace

Result<WriteReply> WriteLane::run(PendingWrite& write) {
    write.turn = std::make_shared<std::atomic<Turn>>(Turn::kWait);
    {
        MutexLock lock(mutex_);
        if (is_closed_) {
            return Error(Code::kUnavailable, "the collection is closed for writes").with_retry_after(1);
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
        std::vector<PendingWrite*> group;
        {
            MutexLock lock(mutex_);
            group = take_group();
        }
        commit_(group);
        for (const PendingWrite* done : group) {
            wake(done->turn, Turn::kDone);
        }
    }
    leave();
    return std::move(*write.reply);
}

/// The first that waits leads from here on; it cannot go before it is told.
void WriteLane::leave() {
    MutexLock lock(mutex_);
    has_leader_ = !queue_.empty();
    if (has_leader_) {
        wake(queue_.front()->turn, Turn::kLead);
    } else {
        emptied_.notify_all();
    }
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
