// Dead letters: what failed too often, until somebody says what is to become of it.
#include <algorithm>

#include "service/tiers.h"

namespace akidb::service {

using catalog::TierRow;
using catalog::TierTask;
using catalog::TierTaskKind;

namespace {

/// To be tried at once, as if it never had been.
void revive(TierTask& task) {
    task.is_dead = false;
    task.tries = 0;
    task.not_before_ms = 0;
}

Error no_dead_letter(int64_t id) {
    return Error(Code::kNotFound, "there is no dead letter " + std::to_string(id)).with_field("id");
}

}  // namespace

Result<std::vector<DeadLetter>> Tiers::dead_letters() const {
    AKIDB_TRY(const std::vector<TierTask> tasks, given_.store.list_tasks());
    std::vector<DeadLetter> letters;
    for (const TierTask& task : tasks) {
        if (task.is_dead) {
            letters.push_back({task.id, task.kind, task.collection, name_of_collection(task.collection),
                               task.bytes, task.tries, task.error, task.queued_at_ms});
        }
    }
    return letters;
}

Result<uint64_t> Tiers::retry_all_dead_letters() {
    AKIDB_TRY(const std::vector<TierTask> tasks, given_.store.list_tasks());
    uint64_t count = 0;
    for (TierTask task : tasks) {
        if (task.is_dead) {
            revive(task);
            AKIDB_TRY(given_.store.put_task(task));
            ++count;
        }
    }
    return count;
}

Result<void> Tiers::retry_dead_letter(int64_t id) {
    AKIDB_TRY(const std::vector<TierTask> tasks, given_.store.list_tasks());
    for (TierTask task : tasks) {
        if (task.is_dead && task.id == id) {
            revive(task);
            return given_.store.put_task(task);
        }
    }
    return no_dead_letter(id);
}

Result<void> Tiers::drop_dead_letter(int64_t id) {
    AKIDB_TRY(const std::vector<TierTask> tasks, given_.store.list_tasks());
    const auto task = std::find_if(tasks.begin(), tasks.end(),
                                   [&](const TierTask& one) { return one.is_dead && one.id == id; });
    if (task == tasks.end()) {
        return no_dead_letter(id);
    }
    const std::optional<DirectoryEntry> entry = given_.directory.find_by_id(task->collection);
    const uint64_t version = entry && entry->collection != nullptr
                                 ? entry->collection->checkpoint_state().manifest_version
                                 : find_row(task->collection).value_or(TierRow{}).settled_version;
    AKIDB_TRY(given_.store.remove_task(id));
    if (task->kind == TierTaskKind::kRemove) {
        AKIDB_TRY(const auto sent, given_.store.list_objects(task->copy));
        AKIDB_TRY(given_.store.forget_objects(task->copy, sent));
    }
    if (task->kind == TierTaskKind::kUpload && entry) {
        MutexLock lock(mutex_);
        collections_[task->collection].given_up_version = version;
    }
    return {};
}

}  // namespace akidb::service
