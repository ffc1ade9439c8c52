// Collections that are closed while nobody asks for them.
#include "service/directory_impl.h"

namespace akidb::service {

void Directory::allow_sleep() {
    impl_->allows_sleep = true;
}

std::optional<DirectoryEntry> Directory::find_by_id(const Uuid& id) const {
    for (const auto& entry : impl_->entries.all()) {
        if (entry->spec.id == id) {
            return *entry;
        }
    }
    return std::nullopt;
}

Result<std::shared_ptr<engine::Collection>> Directory::lull(const Uuid& id) {
    MutexLock lock(impl_->declaring);
    std::optional<DirectoryEntry> entry = find_by_id(id);
    if (!entry) {
        return no_collection(id.to_string());
    }
    if (entry->condition != Condition::kServing || entry->usage == nullptr) {
        return Error(Code::kConflict, "the collection does not serve");
    }
    const DirectoryEntry before = *entry;
    entry->condition = Condition::kAsleep;
    entry->asleep_documents = entry->collection->stats().documents;
    entry->collection = nullptr;
    if (before.usage->users.fetch_or(kLeaving) > 0) {
        before.usage->users.fetch_and(~kLeaving);
        return Error(Code::kConflict, "the collection is in use");
    }
    impl_->entries.update(*entry);
    return before.collection;
}

void Directory::note_asleep(const Uuid& id, uint64_t documents) {
    MutexLock lock(impl_->declaring);
    if (std::optional<DirectoryEntry> entry = find_by_id(id);
        entry && entry->condition == Condition::kAsleep) {
        entry->asleep_documents = documents;
        impl_->entries.update(*entry);
    }
}

Result<void> Directory::rouse(const Uuid& id) {
    std::optional<DirectoryEntry> entry = find_by_id(id);
    if (!entry) {
        return no_collection(id.to_string());
    }
    if (entry->condition != Condition::kAsleep) {
        return Error(Code::kConflict, "the collection is not asleep");
    }
    entry->usage = impl_->make_usage();
    const std::shared_ptr<engine::Collection> opened = impl_->load(*entry);
    const std::optional<DirectoryEntry> now = find_by_id(id);
    if (!now) {
        if (opened != nullptr) {
            static_cast<void>(opened->close(false).has_value());  // its files are about to go
        }
        return no_collection(id.to_string());
    }
    return now->condition == Condition::kServing ? Result<void>()
                                                 : find({now->tenant, now->spec.name}).error();
}

}  // namespace akidb::service
