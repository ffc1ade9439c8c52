// TierStore: where each collection is kept and what is still to be done in the object store, in the catalog's
// file: the tier of a collection, its copy, the queue of uploads and removals, which so outlives the process,
// and which objects were sent: a list of the store may not show them all. A collection without a row has the
// policy `memory`. When a collection's row goes, its copy is queued for removal in the same transaction; what
// was sent of it stays written down until it is removed. Every call is one transaction, durable at return.
// Thread-safe (a connection of its own under a mutex).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/storage_tier.h"

namespace akidb::catalog {

struct TierRow {
    Uuid collection;
    model::StoragePolicy policy = model::StoragePolicy::kMemory;
    model::Tier tier = model::Tier::kHot;
    bool is_pinned = false;
    Uuid copy{};                   // the name of its copy in the store; zeros: it has none
    std::string place{};           // the store that the copy is in
    uint64_t copied_version = 0;   // of the manifest whose files were all verified there; 0: none
    uint64_t settled_version = 0;  // warm and cold: of the manifest that covers every write; 0: hot
    uint64_t sequence = 0;         // at that manifest, as the next two
    uint64_t documents = 0;
    uint64_t documents_hash = 0;
    uint64_t bytes = 0;  // of its files when they were last looked at
};

enum class TierTaskKind : uint8_t { kUpload = 0, kRemove = 1 };

struct TierTask {
    int64_t id = 0;
    TierTaskKind kind = TierTaskKind::kUpload;
    Uuid collection;
    Uuid copy;
    std::string place{};
    uint64_t bytes = 0;  // about so many
    uint64_t tries = 0;  // that failed
    bool is_dead = false;
    std::string error{};  // of the last
    uint64_t queued_at_ms = 0;
    uint64_t not_before_ms = 0;
};

class TierStore {
  public:
    /// Of a file that Catalog::open has brought to its newest version.
    static Result<std::unique_ptr<TierStore>> open(const std::string& path);
    virtual ~TierStore() = default;

    virtual Result<std::vector<TierRow>> list_rows() = 0;
    /// Makes or replaces. kNotFound without the collection.
    virtual Result<void> put_row(const TierRow& row) = 0;
    /// The same, and the task is queued, both or neither.
    virtual Result<void> put_row_and_task(const TierRow& row, const TierTask& task) = 0;
    /// The longest queued first.
    virtual Result<std::vector<TierTask>> list_tasks() = 0;
    /// Of an id of 0 a new one, unless one of this kind and copy is queued; success for one that is gone.
    virtual Result<void> put_task(const TierTask& task) = 0;
    /// Success when it is not there.
    virtual Result<void> remove_task(int64_t id) = 0;
    /// What of a copy may be in the store, by names within it, in their order: noted before it is sent,
    /// forgotten once it is removed.
    virtual Result<std::vector<std::string>> list_objects(const Uuid& copy) = 0;
    /// Success for those that are noted.
    virtual Result<void> note_objects(const Uuid& copy, const std::vector<std::string>& names) = 0;
    virtual Result<void> forget_objects(const Uuid& copy, const std::vector<std::string>& names) = 0;
    /// For a catalog that is to be opened elsewhere, with all its files: nothing is asleep there, and the
    /// copies belong to the server that made them.
    virtual Result<void> forget_copies() = 0;
    virtual Result<void> close() = 0;
};

}  // namespace akidb::catalog
