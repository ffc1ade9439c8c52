// AliasMap: other names of collections. Readers copy the pointer to one published map. An alias whose
// collection has gone names nothing; it goes from here with the next change, and from the catalog it went
// with its collection. Thread-safe; one at a time replaces the map.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/published.h"
#include "service/entry_map.h"

namespace akidb::service {

class AliasMap {
  public:
    AliasMap() : published_(std::make_shared<const Tenants>()) {}

    void assign(const std::vector<catalog::AliasRow>& rows, const EntryMap& entries) {
        Tenants next;
        for (const catalog::AliasRow& row : rows) {
            if (const auto entry = entries.lookup({row.tenant, row.collection.to_string()})) {
                next[row.tenant].emplace(row.alias, Target{row.collection, entry->spec.name});
            }
        }
        published_.store(std::make_shared<const Tenants>(std::move(next)));
    }

    /// As Directory::change_aliases says: in the catalog, then here. One at a time.
    Result<void> change(const Uuid& tenant, const std::vector<AliasAction>& actions, const EntryMap& entries,
                        catalog::Catalog& catalog);
    /// The catalog forgot them with the collection.
    void forget(const Uuid& collection);
    /// Those that name a collection.
    std::vector<Alias> list(const Uuid& tenant, const EntryMap& entries) const;
    std::shared_ptr<const DirectoryEntry> find(const CollectionRef& named, const EntryMap& entries) const {
        const auto tenants = published_.load();
        const auto map = tenants->find(named.tenant);
        if (map == tenants->end()) {
            return nullptr;
        }
        const auto at = map->second.find(named.name);
        if (at == map->second.end()) {
            return nullptr;
        }
        auto entry = entries.lookup({named.tenant, at->second.name});
        return entry != nullptr && entry->spec.id == at->second.id ? entry : nullptr;
    }

  private:
    struct Target {
        Uuid id;
        std::string name;
    };
    using Map = std::map<std::string, Target, std::less<>>;
    using Tenants = std::map<Uuid, Map>;

    /// What an action makes of `next`, and what the catalog has to change for it. Names that the action gives
    /// are those of before.
    Result<void> plan(const Uuid& tenant, const AliasAction& action, const EntryMap& entries, Map& next,
                      std::vector<catalog::AliasChange>& changes) const;

    Published<Tenants> published_;
};

}  // namespace akidb::service
