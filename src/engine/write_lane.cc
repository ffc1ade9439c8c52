#include "engine/write_lane.h"

namespace akidb::engine {
namespace {

// A group is one frame of the log: large enough to share the sync, small enough that replay reads it in one
// piece.
constexpr size_t kGroupBytesMax = 16 << 20;
constexpr size_t kGroupWritesMax = 1024;

bool stands_alone(const PendingWrite& write) {
    return write.remove_matching != nullptr || write.between_groups != nullptr;
}

}  // namespace

Result<WriteReply> WriteLane::run(PendingWrite& write) {
    std::vector<PendingWrite*> group;
    {
        MutexLock lock(mutex_);
        if (is_closed_) {
            return Error(Code::kUnavailable, "the collection is closed for writes").with_retry_after(1);
        }
        queue_.push_back(&write);
        while (!write.is_done && has_leader_) {
            changed_.wait(mutex_);
        }
        if (write.is_done) {
            return std::move(*write.reply);
        }
        has_leader_ = true;
        group = take_group();
    }
    // The leader's own write may not be in the first group (a write that stands alone was ahead of it).
    while (true) {
        commit_(group);
        MutexLock lock(mutex_);
        for (PendingWrite* done : group) {
            done->is_done = true;
        }
        if (write.is_done) {
            has_leader_ = false;
            changed_.notify_all();
            return std::move(*write.reply);
        }
        changed_.notify_all();
        group = take_group();
    }
}

std::vector<PendingWrite*> WriteLane::take_group() {
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
        changed_.wait(mutex_);
    }
}

}  // namespace akidb::engine
