#include "service/directory.h"

#include <algorithm>

#include "service/directory_impl.h"

namespace akidb::service {
namespace {

std::vector<DirectoryEntry> copies_of(const std::vector<std::shared_ptr<const DirectoryEntry>>& entries) {
    std::vector<DirectoryEntry> copies;
    for (const auto& entry : entries) {
        copies.push_back(*entry);
    }
    return copies;
}

}  // namespace

Directory::Directory(engine::Dependencies dependencies, io::Random& random, catalog::Catalog& catalog,
                     std::string root, engine::CollectionOptions options)
    : impl_(std::make_unique<Impl>(dependencies, random, catalog, std::move(root), options)) {}

Directory::~Directory() = default;

Result<void> Directory::start_loading(io::Executor& loader, const std::vector<Asleep>& asleep) {
    AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, impl_->catalog.list_collections());
    std::vector<DirectoryEntry> loading;
    std::vector<DirectoryEntry> known;
    for (const catalog::CollectionRow& row : rows) {
        if (row.state != catalog::CollectionState::kActive) {
            AKIDB_TRY(impl_->erase_files(row.spec.id));  // a crash came between
            continue;
        }
        DirectoryEntry entry;
        entry.spec = row.spec;
        entry.tenant = row.tenant;
        entry.usage = impl_->make_usage();
        const auto sleeps = std::find_if(asleep.begin(), asleep.end(),
                                         [&](const Asleep& one) { return one.id == row.spec.id; });
        if (sleeps != asleep.end()) {
            entry.condition = Condition::kAsleep;
            entry.asleep_documents = sleeps->documents;
        } else {
            loading.push_back(entry);
        }
        known.push_back(std::move(entry));
    }
    impl_->entries.assign(std::move(known));
    AKIDB_TRY(const std::vector<catalog::AliasRow> aliases, impl_->catalog.list_aliases());
    impl_->aliases.assign(aliases, impl_->entries);
    impl_->total = loading.size();
    impl_->listed = true;
    for (const DirectoryEntry& entry : loading) {
        if (!loader.submit("load", [this, entry](const std::stop_token& stop) {
                if (!stop.stop_requested()) {
                    impl_->load(entry);
                    impl_->loaded.fetch_add(1);
                }
            })) {
            return Error(Code::kUnavailable, "the loader refused a collection");
        }
    }
    return {};
}

/// As if a start had found the damage. The engine itself refuses everything since it did.
void Directory::quarantine_damaged(io::Executor& loader) {
    for (const auto& found : impl_->entries.all()) {
        const auto collection = found->collection;
        if (collection == nullptr || collection->damage().empty()) {
            continue;
        }
        MutexLock lock(impl_->declaring);
        const auto entry = impl_->entries.lookup({found->tenant, found->spec.name});
        if (entry == nullptr || entry->collection != collection) {
            continue;
        }
        DirectoryEntry damaged{
            .spec = entry->spec, .tenant = entry->tenant, .condition = Condition::kQuarantined};
        damaged.usage = entry->usage;
        damaged.reason = collection->damage() + how_to_repair(entry->spec.name);
        impl_->quarantined.fetch_add(1);
        impl_->entries.update(damaged);
        // Nothing is left to be saved: the log has what was acknowledged.
        const auto close = [collection](const std::stop_token&) {
            static_cast<void>(collection->close(false).has_value());
        };
        if (!loader.submit("close", close)) {
            close({});
        }
    }
}

void Directory::tend(io::Executor& loader) {
    for (const auto& entry : impl_->entries.all()) {
        if (entry->collection != nullptr) {
            entry->collection->tend();
        }
    }
    quarantine_damaged(loader);
    std::vector<DirectoryEntry> waiting;
    for (const auto& entry : impl_->entries.all()) {
        if (entry->condition == Condition::kNoSpace) {
            waiting.push_back(*entry);
        }
    }
    if (waiting.empty() || impl_->is_reopening.exchange(true)) {
        return;
    }
    const auto reopen = [this, waiting](const std::stop_token& stop) {
        for (const DirectoryEntry& entry : waiting) {
            if (!stop.stop_requested()) {
                impl_->load(entry, true);
            }
        }
        impl_->is_reopening = false;
    };
    if (!loader.submit("load", reopen)) {
        impl_->is_reopening = false;
    }
}

LoadProgress Directory::progress() const {
    LoadProgress progress;
    progress.loaded = impl_->loaded;
    progress.total = impl_->total;
    progress.quarantined = impl_->quarantined;
    progress.finished = impl_->listed && progress.loaded >= progress.total;
    if (progress.finished) {  // from then on what is there now counts, not what was there at the start
        progress.total = impl_->entries.size();
        progress.loaded = progress.total;
    }
    return progress;
}

Result<DirectoryEntry> Directory::describe(const CollectionRef& named) const {
    const auto entry = impl_->lookup(named);
    if (entry == nullptr) {
        return no_collection(named.name);
    }
    return *entry;
}

Result<std::shared_ptr<engine::Collection>> Directory::find(const CollectionRef& named) const {
    const auto entry = impl_->lookup(named);
    if (entry == nullptr) {
        return no_collection(named.name);
    }
    switch (entry->condition) {
        case Condition::kServing:
            return Impl::lease(*entry, impl_->dependencies.clock.monotonic_us());
        case Condition::kAsleep:
            return Error(Code::kUnavailable, "the collection is asleep").with_retry_after(1);
        case Condition::kLoading:
            return Error(Code::kUnavailable, "the collection is loading").with_retry_after(1);
        case Condition::kQuarantined:
            return Error(Code::kDataLoss, "the collection is quarantined: " + entry->reason)
                .with_field("collection");
        case Condition::kNoSpace:
            return Error(Code::kDiskFull, "the collection waits for space on the disk: " + entry->reason);
    }
    return Error(Code::kInternal, "a collection in no known condition");
}

std::vector<DirectoryEntry> Directory::list(const Uuid& tenant) const {
    return copies_of(impl_->entries.all_of(tenant));
}

std::vector<DirectoryEntry> Directory::list_all() const {
    return copies_of(impl_->entries.all());
}

std::vector<std::string> Directory::quarantined() const {
    std::vector<std::string> names;
    for (const auto& entry : impl_->entries.all()) {
        if (entry->condition == Condition::kQuarantined) {
            names.push_back(entry->spec.name);
        }
    }
    return names;
}

bool Directory::has_poisoned() const {
    const auto entries = impl_->entries.all();
    return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
        return entry->collection != nullptr && entry->collection->stats().is_poisoned;
    });
}

Result<DirectoryEntry> Directory::create(const Uuid& tenant, model::CollectionSpec spec) {
    AKIDB_TRY(model::validate(spec));
    spec.id = io::make_uuid(impl_->random, impl_->dependencies.clock);
    spec.created_at_ms = impl_->dependencies.clock.unix_ms();
    // An empty collection's first log file, and what the catalog writes about it.
    constexpr uint64_t kNewCollectionBytes = 1 << 20;
    if (storage::DiskSpace* disk = impl_->dependencies.disk;
        disk != nullptr && !disk->admits(kNewCollectionBytes)) {
        return Error(Code::kDiskFull, "the disk is full: there is no space for a new collection");
    }
    AKIDB_TRY(impl_->catalog.insert_collection(spec, tenant));
    DirectoryEntry entry{.spec = spec, .tenant = tenant, .condition = Condition::kServing};
    entry.usage = impl_->make_usage();
    auto open = [&]() -> Result<void> {
        const std::string path = impl_->path_of(spec.id);
        AKIDB_TRY(engine::Collection::create(impl_->dependencies.files, impl_->root, path));
        AKIDB_TRY(entry.collection,
                  engine::Collection::open(impl_->dependencies, path, spec, impl_->options));
        return impl_->catalog.set_collection_state(spec.id, catalog::CollectionState::kActive);
    };
    if (Result<void> opened = open(); !opened.has_value()) {
        if (Result<void> erased = impl_->erase_files(spec.id); !erased.has_value()) {
            impl_->dependencies.logger.log(LogLevel::kWarning,
                                           "a half-made collection is left for the next start",
                                           {{"collection", spec.name}, {"error", erased.error().message()}});
        }
        return std::move(opened).error().with_context("creating collection " + spec.name);
    }
    impl_->entries.put(entry);
    return entry;
}

Result<void> Directory::put_metadata_index(const CollectionRef& named, const model::MetadataField& field) {
    MutexLock lock(impl_->declaring);
    AKIDB_TRY(const auto collection, find(named));
    AKIDB_TRY(DirectoryEntry entry, describe(named));
    AKIDB_TRY(model::apply({.metadata_indexes = {field}}, entry.spec));
    AKIDB_TRY(impl_->catalog.put_metadata_index(entry.spec.id, field));
    collection->declare_metadata_indexes(entry.spec.metadata_indexes);
    impl_->entries.update(entry);
    return {};
}

Result<void> Directory::remove_metadata_index(const CollectionRef& named, const std::string& key) {
    MutexLock lock(impl_->declaring);
    AKIDB_TRY(const auto collection, find(named));
    AKIDB_TRY(DirectoryEntry entry, describe(named));
    std::vector<model::MetadataField>& fields = entry.spec.metadata_indexes;
    if (std::erase_if(fields, [&](const model::MetadataField& one) { return one.key == key; }) == 0) {
        return Error(Code::kNotFound, "there is no metadata index on this field").with_field("field");
    }
    AKIDB_TRY(impl_->catalog.remove_metadata_index(entry.spec.id, key));
    collection->declare_metadata_indexes(fields);
    impl_->entries.update(entry);
    return {};
}

Result<DirectoryEntry> Directory::change(const CollectionRef& named, const model::CollectionChange& change) {
    MutexLock lock(impl_->declaring);
    AKIDB_TRY(const auto collection, find(named));
    AKIDB_TRY(DirectoryEntry entry, describe(named));
    AKIDB_TRY(model::apply(change, entry.spec));
    AKIDB_TRY(impl_->catalog.change_collection(entry.spec));
    collection->declare_metadata_indexes(entry.spec.metadata_indexes);
    collection->change_settings(entry.spec.settings);
    impl_->entries.update(entry);
    return entry;
}

Result<void> Directory::remove(const CollectionRef& named) {
    const uint64_t began_us = impl_->dependencies.clock.monotonic_us();
    AKIDB_TRY(const DirectoryEntry entry, describe(named));
    if (impl_->entries.lookup(named) == nullptr) {
        return invalid_argument("collection",
                                "this is an alias of the collection \"" + entry.spec.name + "\"",
                                "the name or the id of a collection");
    }
    if (entry.condition == Condition::kLoading) {
        return Error(Code::kUnavailable, "the collection is loading").with_retry_after(1);
    }
    // Unpublished first: while the catalog still holds the name, nobody can make a new collection under it.
    if (impl_->entries.take({entry.tenant, entry.spec.name}, entry.spec.id) == nullptr) {
        return no_collection(named.name);
    }
    const auto deleting = catalog::CollectionState::kDeleting;
    auto mark = [&] { return impl_->catalog.set_collection_state(entry.spec.id, deleting); };
    Result<void> marked = mark();
    storage::DiskSpace* const disk = impl_->dependencies.disk;
    if (!marked && marked.error().code() == Code::kDiskFull && disk != nullptr && disk->release_ballast()) {
        marked = mark();  // deleting must work on a full disk (rule R14)
    }
    if (!marked.has_value()) {
        impl_->entries.put(entry);
        return marked;
    }
    if (entry.condition == Condition::kQuarantined) {
        impl_->quarantined.fetch_sub(1);
    }
    {
        MutexLock lock(impl_->declaring);
        impl_->aliases.forget(entry.spec.id);
    }
    // Searches that run hold mappings, which outlive their files' names; nobody waits for them.
    auto erase = [impl = impl_.get(), collection = entry.collection,
                  id = entry.spec.id](const std::stop_token&) {
        if (collection != nullptr) {
            const Result<void> closed = collection->close(false);  // a failing disk does not keep the files
            static_cast<void>(closed.has_value());
        }
        if (Result<void> erased = impl->erase_files(id); !erased.has_value()) {
            impl->dependencies.logger.log(LogLevel::kWarning,
                                          "files of a deleted collection are left for the next start",
                                          {{"id", id.to_string()}, {"error", erased.error().message()}});
        }
    };
    if (!impl_->dependencies.executor.submit("erase", erase)) {
        erase({});
    }
    impl_->dependencies.metrics.histogram(telemetry::MetricId::kCollectionDeleteDuration)
        .observe(static_cast<double>(impl_->dependencies.clock.monotonic_us() - began_us) / 1e6);
    return {};
}

Result<void> Directory::change_aliases(const Uuid& tenant, const std::vector<AliasAction>& actions) {
    MutexLock lock(impl_->declaring);
    return impl_->aliases.change(tenant, actions, impl_->entries, impl_->catalog);
}

std::vector<Alias> Directory::aliases(const Uuid& tenant) const {
    return impl_->aliases.list(tenant, impl_->entries);
}

Result<void> Directory::close_all(bool checkpoint) {
    Result<void> outcome;
    for (const auto& entry : impl_->entries.all()) {
        Result<void> closed = entry->collection ? entry->collection->close(checkpoint) : Result<void>();
        if (!closed.has_value() && outcome.has_value()) {
            outcome = std::move(closed).error().with_context("closing collection " + entry->spec.name);
        }
    }
    return outcome;
}

engine::MemoryUse Directory::export_gauges(telemetry::Metrics& metrics) {
    return impl_->gauges.set(impl_->entries, impl_->quarantined, metrics);
}

}  // namespace akidb::service
