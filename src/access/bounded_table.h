// BoundedTable: what is remembered of many keys in a fixed amount of memory. A key is 64 bits of a keyed
// hash; two keys with one hash share a value. Where it is full, a segmented LRU (Karedla, Love and Wherry
// 1994) makes room: a key that came once is on probation, one that came again is protected, and the one
// longest unseen on probation goes first. So a flood of keys seen once does not wash out those who come
// often. A value that is pinned (a key that must wait) never goes: rather is a new key turned away. Split
// into shards with a lock each. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.h"

namespace akidb::access {

template <class Value>
class BoundedTable {
  public:
    /// At least one key a shard.
    explicit BoundedTable(size_t keys_max) : shard_max_((keys_max + kShards - 1) / kShards) {}

    /// Calls edit(value) under the shard's lock; a new key starts as Value{}. False, and no call, when the
    /// table is full of pinned values.
    template <class IsPinned, class Edit>
    bool edit(uint64_t key, const IsPinned& is_pinned, const Edit& edit) {
        Shard& shard = shards_[key % kShards];
        MutexLock lock(shard.mutex);
        uint32_t slot = shard.find(key);
        if (slot == kNone) {
            slot = shard.insert(key, shard_max_, is_pinned);
            if (slot == kNone) {
                return false;
            }
        } else {
            shard.touch(slot, shard_max_);
        }
        edit(shard.slots[slot].value);
        return true;
    }
    /// The value, or Value{} for a key that is not there. Does not count as being seen.
    Value look(uint64_t key) const {
        const Shard& shard = shards_[key % kShards];
        MutexLock lock(shard.mutex);
        const uint32_t slot = shard.find(key);
        return slot == kNone ? Value{} : shard.slots[slot].value;
    }
    size_t size() const {
        size_t total = 0;
        for (const Shard& shard : shards_) {
            MutexLock lock(shard.mutex);
            total += shard.slots.size();
        }
        return total;
    }

  private:
    static constexpr size_t kShards = 16;
    static constexpr uint32_t kNone = UINT32_MAX;
    static constexpr int kVictimsTried = 8;  // of each segment: an edit takes bounded time

    enum Segment : uint8_t { kProbation, kProtected, kSegments };

    struct Slot {
        uint64_t key = 0;
        Value value{};
        uint32_t newer = kNone;
        uint32_t older = kNone;
        uint32_t chain = kNone;  // the next slot of the same bucket
        Segment segment = kProbation;
    };
    struct List {
        uint32_t newest = kNone;
        uint32_t oldest = kNone;
        size_t count = 0;
    };

    struct Shard {
        mutable Mutex mutex;
        std::vector<Slot> slots AKIDB_GUARDED_BY(mutex);
        std::vector<uint32_t> buckets AKIDB_GUARDED_BY(mutex) = std::vector<uint32_t>(8, kNone);
        std::array<List, kSegments> lists AKIDB_GUARDED_BY(mutex);

        uint32_t& bucket_of(uint64_t key) AKIDB_REQUIRES(mutex) {
            return buckets[(key / kShards) % buckets.size()];
        }

        uint32_t find(uint64_t key) const AKIDB_REQUIRES(mutex) {
            uint32_t at = buckets[(key / kShards) % buckets.size()];
            while (at != kNone && slots[at].key != key) {
                at = slots[at].chain;
            }
            return at;
        }

        void push(uint32_t at, Segment segment) AKIDB_REQUIRES(mutex) {
            List& list = lists[segment];
            Slot& slot = slots[at];
            slot.segment = segment;
            slot.newer = kNone;
            slot.older = list.newest;
            (list.newest == kNone ? list.oldest : slots[list.newest].newer) = at;
            list.newest = at;
            ++list.count;
        }

        void pull(uint32_t at) AKIDB_REQUIRES(mutex) {
            Slot& slot = slots[at];
            List& list = lists[slot.segment];
            (slot.newer == kNone ? list.newest : slots[slot.newer].older) = slot.older;
            (slot.older == kNone ? list.oldest : slots[slot.older].newer) = slot.newer;
            --list.count;
        }

        /// Four fifths may be protected, so that there is always a probation to come back from.
        void touch(uint32_t at, size_t shard_max) AKIDB_REQUIRES(mutex) {
            pull(at);
            push(at, kProtected);
            if (lists[kProtected].count > shard_max - shard_max / 5) {
                const uint32_t demoted = lists[kProtected].oldest;
                pull(demoted);
                push(demoted, kProbation);
            }
        }

        template <class IsPinned>
        uint32_t insert(uint64_t key, size_t shard_max, const IsPinned& is_pinned) AKIDB_REQUIRES(mutex) {
            uint32_t at = static_cast<uint32_t>(slots.size());
            if (slots.size() < shard_max) {
                slots.emplace_back();
                if (slots.size() > buckets.size()) {
                    grow();
                }
            } else {
                at = find_victim(is_pinned);
                if (at == kNone) {
                    return kNone;
                }
                pull(at);
                unchain(at);
            }
            slots[at].key = key;
            slots[at].value = Value{};
            slots[at].chain = bucket_of(key);
            bucket_of(key) = at;
            push(at, kProbation);
            return at;
        }

        template <class IsPinned>
        uint32_t find_victim(const IsPinned& is_pinned) const AKIDB_REQUIRES(mutex) {
            for (const List& list : lists) {
                uint32_t at = list.oldest;
                for (int tried = 0; at != kNone && tried < kVictimsTried; ++tried, at = slots[at].newer) {
                    if (!is_pinned(slots[at].value)) {
                        return at;
                    }
                }
            }
            return kNone;
        }

        void unchain(uint32_t at) AKIDB_REQUIRES(mutex) {
            uint32_t* link = &bucket_of(slots[at].key);
            while (*link != at) {
                link = &slots[*link].chain;
            }
            *link = slots[at].chain;
        }

        /// The slot just added is in no bucket yet, and stays out.
        void grow() AKIDB_REQUIRES(mutex) {
            buckets.assign(buckets.size() * 2, kNone);
            for (uint32_t at = 0; at + 1 < slots.size(); ++at) {
                uint32_t& bucket = bucket_of(slots[at].key);
                slots[at].chain = bucket;
                bucket = at;
            }
        }
    };

    const size_t shard_max_;
    std::array<Shard, kShards> shards_;
};

}  // namespace akidb::access
