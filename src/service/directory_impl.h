// What a directory is made of: shared by the files that implement it.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "io/file_system.h"
#include "service/alias_map.h"
#include "service/collection_gauges.h"
#include "service/directory.h"
#include "service/entry_map.h"

namespace akidb::service {

/// Beside the count of who uses a collection: it is being closed.
inline constexpr uint64_t kLeaving = uint64_t{1} << 63;

inline std::string how_to_repair(const std::string& name) {
    return "; with the server stopped, `akidb repair --collection " + name +
           "` tells what is lost and can make it open again";
}

struct Directory::Impl {
    Impl(engine::Dependencies given, io::Random& random_source, catalog::Catalog& rows, std::string where,
         engine::CollectionOptions collection_options)
        : dependencies(given),
          random(random_source),
          catalog(rows),
          root(std::move(where)),
          options(collection_options) {}

    std::string path_of(const Uuid& id) const { return root + "/" + id.to_string(); }

    Result<void> erase_files(const Uuid& id) {
        AKIDB_TRY(io::remove_tree(dependencies.files, root, id.to_string()));
        return catalog.remove_collection(id);
    }

    /// `waited`: it had no space before; that it still has none is no news.
    /// Null when it did not open.
    std::shared_ptr<engine::Collection> load(DirectoryEntry entry, bool waited = false) {
        const model::CollectionSpec& spec = entry.spec;
        entry.reason.clear();
        auto opened = engine::Collection::open(dependencies, path_of(spec.id), spec, options);
        if (opened.has_value()) {
            entry.condition = Condition::kServing;
            entry.collection = std::move(opened).value();
        } else {
            const bool waits = opened.error().code() == Code::kDiskFull;
            entry.condition = waits ? Condition::kNoSpace : Condition::kQuarantined;
            entry.reason = opened.error().message();
            if (opened.error().code() == Code::kDataLoss) {
                entry.reason += how_to_repair(spec.name);
            }
            if (!waits || !waited) {
                dependencies.logger.log(
                    LogLevel::kError,
                    waits ? "collection waits for space on the disk" : "collection quarantined",
                    {{"collection", spec.name}, {"error", entry.reason}});
            }
            quarantined.fetch_add(waits ? 0 : 1);
        }
        entries.update(entry);
        return entry.collection;
    }

    std::shared_ptr<Usage> make_usage() const {
        if (!allows_sleep) {
            return nullptr;
        }
        auto usage = std::make_shared<Usage>();
        usage->last_used_us = dependencies.clock.monotonic_us();
        return usage;
    }

    /// The collection of an entry that serves, in use until the result goes. Who uses it counts himself
    /// before he looks whether it is leaving, and lull() says so before it counts: one of both sees the
    /// other. Each opening has a Usage of its own, so that nobody comes late into one that was closed.
    static Result<std::shared_ptr<engine::Collection>> lease(const DirectoryEntry& entry, uint64_t now_us) {
        if (entry.usage == nullptr) {
            return entry.collection;
        }
        struct Lease {
            Lease(std::shared_ptr<Usage> counted, std::shared_ptr<engine::Collection> used)
                : usage(std::move(counted)), collection(std::move(used)) {}
            Lease(const Lease&) = delete;
            Lease& operator=(const Lease&) = delete;
            ~Lease() { usage->users.fetch_sub(1); }
            const std::shared_ptr<Usage> usage;
            const std::shared_ptr<engine::Collection> collection;
        };
        const bool is_leaving = (entry.usage->users.fetch_add(1) & kLeaving) != 0;
        auto lease = std::make_shared<Lease>(entry.usage, entry.collection);
        if (is_leaving) {
            return Error(Code::kUnavailable, "the collection is just being closed").with_retry_after(1);
        }
        entry.usage->last_used_us.store(now_us, std::memory_order_relaxed);
        engine::Collection* const collection = lease->collection.get();
        return std::shared_ptr<engine::Collection>(std::move(lease), collection);
    }

    std::shared_ptr<const DirectoryEntry> lookup(const CollectionRef& named) const {
        if (auto entry = entries.lookup(named)) {
            return entry;
        }
        return aliases.find(named, entries);
    }

    const engine::Dependencies dependencies;
    io::Random& random;
    catalog::Catalog& catalog;
    const std::string root;
    const engine::CollectionOptions options;
    Mutex declaring;  // of those who change metadata indexes or aliases: catalog, collection and map in one
                      // order
    EntryMap entries;
    AliasMap aliases;
    std::atomic<size_t> loaded{0};
    std::atomic<size_t> total{0};
    std::atomic<size_t> quarantined{0};
    std::atomic<bool> listed{false};
    std::atomic<bool> is_reopening{false};
    bool allows_sleep = false;
    CollectionGauges gauges;
};

}  // namespace akidb::service
