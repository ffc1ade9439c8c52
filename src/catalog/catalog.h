// Catalog: what exists, in SQLite (WAL mode, synchronous=FULL): collections and their aliases by tenant; who
// may reach them is in access_store.h. Every call is one transaction, durable at return.
// SQL lives in this folder only, always with bound parameters. Thread-safe (one connection under a mutex;
// calls are rare).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/collection_spec.h"

namespace akidb::catalog {

/// creating → active → deleting → (row removed). A start finishes what a crash left half-way.
enum class CollectionState : uint8_t { kCreating = 0, kActive = 1, kDeleting = 2 };

struct CollectionRow {
    model::CollectionSpec spec;
    CollectionState state = CollectionState::kCreating;
    Uuid tenant{};  // all zeros: the tenant "default"
};

/// Another name of an active collection.
struct AliasRow {
    std::string alias;
    Uuid collection;
    Uuid tenant{};
};

/// The alias names this collection from now on, or none.
struct AliasChange {
    std::string alias;
    std::optional<Uuid> collection;
};

class Catalog {
  public:
    /// Opens or creates, checks integrity (`quick_check`), migrates. kDataLoss when damaged, kConflict when
    /// made by a newer AkiDB.
    static Result<std::unique_ptr<Catalog>> open(const std::string& path);
    virtual ~Catalog() = default;

    /// State kCreating, with its metadata indexes. kAlreadyExists when an active or creating collection of
    /// that name is there, or an alias.
    /// kNotFound when there is no such tenant.
    virtual Result<void> insert_collection(const model::CollectionSpec& spec, const Uuid& tenant = {}) = 0;
    /// One that is deleted has no aliases from then on.
    virtual Result<void> set_collection_state(const Uuid& id, CollectionState state) = 0;
    /// Adds a metadata index or changes its type. kNotFound without the collection.
    virtual Result<void> put_metadata_index(const Uuid& collection, const model::MetadataField& field) = 0;
    /// Success when it is not there.
    virtual Result<void> remove_metadata_index(const Uuid& collection, const std::string& key) = 0;
    /// Its settings and its metadata indexes are those of `spec` from then on. kNotFound without the
    /// collection.
    virtual Result<void> change_collection(const model::CollectionSpec& spec) = 0;
    /// Success when it is not there.
    virtual Result<void> remove_collection(const Uuid& id) = 0;
    /// All of all tenants, by name.
    virtual Result<std::vector<CollectionRow>> list_collections() = 0;
    /// Of one tenant. All or none, in order. kAlreadyExists when a collection has the name; kNotFound when
    /// the collection is not active. An alias that is not there is removed with success.
    virtual Result<void> change_aliases(const std::vector<AliasChange>& changes, const Uuid& tenant = {}) = 0;
    /// All of all tenants, by alias.
    virtual Result<std::vector<AliasRow>> list_aliases() = 0;
    /// A copy in one file, as of one moment, while others read and write; `path` must not be there. Not
    /// synced.
    virtual Result<void> copy_to(const std::string& path) = 0;
    virtual Result<void> close() = 0;
};

}  // namespace akidb::catalog
