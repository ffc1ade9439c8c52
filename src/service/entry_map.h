// EntryMap: the directory's entries by tenant and name. Readers copy the pointer to one published map and
// take no lock afterwards; a change of one entry replaces what is in its slot, and the map is copied only
// when names come or go, so that opening n collections makes no n² copies. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/published.h"
#include "base/uuid.h"
#include "service/directory.h"

namespace akidb::service {

class EntryMap {
  public:
    EntryMap() : published_(std::make_shared<const Map>()) {}

    size_t size() const { return published_.load()->size(); }
    /// Of all tenants; of one tenant by name.
    std::vector<std::shared_ptr<const DirectoryEntry>> all() const {
        const auto map = published_.load();
        std::vector<std::shared_ptr<const DirectoryEntry>> entries;
        entries.reserve(map->size());
        for (const auto& [key, slot] : *map) {
            entries.push_back(slot->load());
        }
        return entries;
    }
    /// By name.
    std::vector<std::shared_ptr<const DirectoryEntry>> all_of(const Uuid& tenant) const {
        const auto map = published_.load();
        std::vector<std::shared_ptr<const DirectoryEntry>> entries;
        for (auto at = map->lower_bound(CollectionRef{tenant, {}}); at != map->end(); ++at) {
            if (at->first.tenant != tenant) {
                break;
            }
            entries.push_back(at->second->load());
        }
        return entries;
    }

    /// In place of all there are: at the start.
    void assign(std::vector<DirectoryEntry> entries) AKIDB_EXCLUDES(mutex_) {
        Map next;
        for (DirectoryEntry& entry : entries) {
            Key key{entry.tenant, entry.spec.name};
            next[std::move(key)] = slot_of(std::move(entry));
        }
        MutexLock lock(mutex_);
        published_.store(std::make_shared<const Map>(std::move(next)));
    }

    void put(DirectoryEntry entry) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (replace(entry)) {
            return;
        }
        Map next = *published_.load();
        Key key{entry.tenant, entry.spec.name};
        next[std::move(key)] = slot_of(std::move(entry));
        published_.store(std::make_shared<const Map>(std::move(next)));
    }

    /// Null when another entry took the name, or none has it.
    std::shared_ptr<const DirectoryEntry> take(const CollectionRef& named, const Uuid& id)
        AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        Map next = *published_.load();
        const auto at = next.find(named);
        if (at == next.end()) {
            return nullptr;
        }
        auto entry = at->second->load();
        if (entry->spec.id != id) {
            return nullptr;
        }
        next.erase(at);
        published_.store(std::make_shared<const Map>(std::move(next)));
        return entry;
    }

    std::shared_ptr<const DirectoryEntry> lookup(const CollectionRef& named) const {
        const auto map = published_.load();
        if (const auto at = map->find(named); at != map->end()) {
            return at->second->load();
        }
        if (const auto id = Uuid::parse(named.name)) {
            for (const auto& [key, slot] : *map) {
                if (key.tenant != named.tenant) {
                    continue;
                }
                if (auto entry = slot->load(); entry->spec.id == *id) {
                    return entry;
                }
            }
        }
        return nullptr;
    }

    /// Publishes the entry's new description, unless the collection was removed meanwhile.
    void update(const DirectoryEntry& entry) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        static_cast<void>(replace(entry));
    }

  private:
    using Slot = Published<DirectoryEntry>;
    struct Key {
        Uuid tenant;
        std::string name;
    };
    struct KeyOrder {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            return a.tenant != b.tenant ? a.tenant < b.tenant
                                        : std::string_view(a.name) < std::string_view(b.name);
        }
    };
    using Map = std::map<Key, std::shared_ptr<Slot>, KeyOrder>;

    static std::shared_ptr<Slot> slot_of(DirectoryEntry entry) {
        return std::make_shared<Slot>(std::make_shared<const DirectoryEntry>(std::move(entry)));
    }

    /// False when no entry has this name and id.
    bool replace(const DirectoryEntry& entry) AKIDB_REQUIRES(mutex_) {
        const auto map = published_.load();
        const auto at = map->find(CollectionRef{entry.tenant, entry.spec.name});
        if (at == map->end() || at->second->load()->spec.id != entry.spec.id) {
            return false;
        }
        at->second->store(std::make_shared<const DirectoryEntry>(entry));
        return true;
    }

    Mutex mutex_;  // of those who replace the map
    Published<Map> published_;
};

}  // namespace akidb::service
