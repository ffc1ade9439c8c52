// Directory: which collections exist and in which condition: the link between names (catalog) and open
// engines. Readers copy one published map. Loading runs in parallel in the background while ports are already
// open; a collection that cannot be opened is quarantined and named, and the others serve (rule R12).
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/printable.h"
#include "catalog/catalog.h"
#include "engine/collection.h"
#include "io/random.h"

namespace akidb::service {

/// kNoSpace: opening it needs more space than the disk has; tried again until it has (see tend). kAsleep: it
/// is closed and opened when it is asked for (service/tiers.h).
enum class Condition : uint8_t { kLoading, kServing, kQuarantined, kNoSpace, kAsleep };

/// A collection as a client names it (name, id or alias) among those of its tenant. Of what belongs to
/// another tenant nothing is known.
struct CollectionRef {
    Uuid tenant;
    std::string_view name;
};

/// With the name as it was asked for, which tells nothing of what is there.
inline Error no_collection(std::string_view named, std::string field = "collection") {
    return Error(Code::kNotFound, "no collection of this name or id: " + printable(named))
        .with_field(std::move(field));
}

/// Who uses a collection that may be put to sleep.
struct Usage {
    std::atomic<uint64_t> users{0};
    std::atomic<uint64_t> last_used_us{0};  // by the monotonic clock
};

struct DirectoryEntry {
    model::CollectionSpec spec;
    Uuid tenant{};
    Condition condition = Condition::kLoading;
    std::shared_ptr<engine::Collection> collection;  // set when serving
    std::string reason;                              // why quarantined or without space
    std::shared_ptr<Usage> usage{};                  // null where nothing sleeps
    uint64_t asleep_documents = 0;                   // while asleep
};

/// A collection that a start does not open.
struct Asleep {
    Uuid id;
    uint64_t documents = 0;
};

struct Alias {
    std::string alias;
    std::string collection;  // its name
};

/// `collection` gives the alias a collection, whether it had one or not; `rename_to` gives it another name;
/// with neither it goes.
struct AliasAction {
    std::string alias;
    std::optional<std::string> collection{};  // a name, an id, or an alias as of before
    std::optional<std::string> rename_to{};
};

struct LoadProgress {
    size_t loaded = 0;  // serving, quarantined or without space
    size_t total = 0;
    size_t quarantined = 0;
    bool finished = false;
};

class Directory {
  public:
    /// `root` is DATA/collections. Everything given must outlive the directory.
    Directory(engine::Dependencies dependencies, io::Random& random, catalog::Catalog& catalog,
              std::string root, engine::CollectionOptions options);
    ~Directory();

    /// Reads the catalog, finishes half-made and half-deleted collections, and opens the rest as jobs on
    /// `loader`, but for those asleep.
    Result<void> start_loading(io::Executor& loader, const std::vector<Asleep>& asleep = {});
    LoadProgress progress() const;
    /// Tries again, on `loader`, what did not open for want of space; starts what is due in collections; puts
    /// those in quarantine that a scrub found damaged. To be called every few seconds.
    void tend(io::Executor& loader);

    /// kNotFound; kUnavailable while it loads or sleeps; kDataLoss when quarantined; kDiskFull without space
    /// to open.
    Result<std::shared_ptr<engine::Collection>> find(const CollectionRef& named) const;
    /// By name.
    std::vector<DirectoryEntry> list(const Uuid& tenant) const;
    /// Of all tenants.
    std::vector<DirectoryEntry> list_all() const;
    Result<DirectoryEntry> describe(const CollectionRef& named) const;

    /// All or none, durable at return: who asks meanwhile sees either those of before or those of after.
    /// Fields "actions[i]…". kNotFound, kAlreadyExists (a collection has the name), kInvalidArgument.
    Result<void> change_aliases(const Uuid& tenant, const std::vector<AliasAction>& actions);
    /// By alias.
    std::vector<Alias> aliases(const Uuid& tenant) const;

    /// Names.
    std::vector<std::string> quarantined() const;
    /// A collection whose log failed: its writes are off until the process restarts.
    bool has_poisoned() const;
    /// Sets the gauges that describe collections; the server calls it before each scrape. Series of the first
    /// 200 names. What the collections take of the memory, all together.
    engine::MemoryUse export_gauges(telemetry::Metrics& metrics);

    Result<DirectoryEntry> create(const Uuid& tenant, model::CollectionSpec spec);
    /// In the catalog first, then in the collection; kNotFound on field "field" when there is none to remove.
    Result<void> put_metadata_index(const CollectionRef& named, const model::MetadataField& field);
    Result<void> remove_metadata_index(const CollectionRef& named, const std::string& key);
    /// As model::apply says, all or nothing: in the catalog first, then in the collection.
    Result<DirectoryEntry> change(const CollectionRef& named, const model::CollectionChange& change);
    /// The name is gone at return; running searches finish on their snapshot; files go when the last reader
    /// left. An alias is refused (kInvalidArgument): what it names is not for whoever knows the alias to
    /// delete.
    Result<void> remove(const CollectionRef& named);

    /// Before start_loading: from then on find() counts who uses a collection, until he lets it go.
    void allow_sleep();
    std::optional<DirectoryEntry> find_by_id(const Uuid& id) const;
    /// Takes a collection that serves and that nobody uses out of reach (kAsleep); who calls closes it.
    /// kConflict while it is in use or does not serve, kNotFound.
    Result<std::shared_ptr<engine::Collection>> lull(const Uuid& id);
    /// How many documents a collection has that is asleep.
    void note_asleep(const Uuid& id, uint64_t documents);
    /// Opens a collection that is asleep, in the caller's thread, and publishes what came of it. kNotFound
    /// when it was deleted meanwhile; then it is closed again, and its files are the caller's to remove.
    Result<void> rouse(const Uuid& id);

    /// Closes every collection in turn (see engine::Collection::close).
    Result<void> close_all(bool checkpoint);

  private:
    void quarantine_damaged(io::Executor& loader);

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::service
