#include "engine/id_map.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace akidb::engine {
namespace {

constexpr uint64_t kSlotsMin = 1024;

uint64_t mix(uint64_t value) {  // the finaliser of splitmix64 (Steele et al. 2014)
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
}

}  // namespace

uint64_t IdMap::hash_of(std::string_view id) const {
    uint64_t hash = mix(key_ ^ id.size());
    while (!id.empty()) {
        uint64_t word = 0;
        const size_t taken = std::min<size_t>(id.size(), 8);
        std::memcpy(&word, id.data(), taken);
        hash = mix(hash ^ word) + key_;
        id.remove_prefix(taken);
    }
    return mix(hash);
}

// The slot comes from the low 32 bits alone, so that growing needs no id.
uint32_t IdMap::find(std::string_view id) const {
    const auto hash = static_cast<uint32_t>(hash_of(id));
    MutexLock lock(mutex_);
    if (slots_.empty()) {
        return kNoRow;
    }
    const uint64_t mask = slots_.size() - 1;
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.row == kNoRow) {
            return kNoRow;
        }
        if (slot.hash == hash && rows_.id(slot.row) == id) {
            return slot.row;
        }
    }
}

uint32_t IdMap::insert(uint32_t row) {
    const std::string_view id = rows_.id(row);
    const auto hash = static_cast<uint32_t>(hash_of(id));
    MutexLock lock(mutex_);
    if ((used_ + 1) * 2 > slots_.size()) {
        grow(std::max<uint64_t>(kSlotsMin, slots_.size() * 2));
    }
    return put(hash, id, row);
}

uint32_t IdMap::put(uint32_t hash, std::string_view id, uint32_t row) {
    const uint64_t mask = slots_.size() - 1;
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.row == kNoRow) {
            slot = {hash, row};
            ++used_;
            return kNoRow;
        }
        if (slot.hash == hash && rows_.id(slot.row) == id) {
            return std::exchange(slot.row, row);
        }
    }
}

// Each id's place is a miss of the cache; asked for some rows ahead, they are waited for together.
void IdMap::fill(uint32_t end) {
    constexpr uint32_t kAhead = 16;
    reserve(end);
    MutexLock lock(mutex_);
    std::array<uint32_t, kAhead> hashes;
    for (uint32_t row = 0; row < end + std::min(end, kAhead); ++row) {
        if (row >= kAhead || row >= end) {
            const uint32_t due = row - std::min(end, kAhead);
            put(hashes[due % kAhead], rows_.id(due), due);
        }
        if (row < end) {
            hashes[row % kAhead] = static_cast<uint32_t>(hash_of(rows_.id(row)));
            __builtin_prefetch(&slots_[hashes[row % kAhead] & (slots_.size() - 1)], 1);
        }
    }
}

void IdMap::reserve(uint64_t ids) {
    if (ids == 0) {
        return;  // a collection without documents costs nothing
    }
    MutexLock lock(mutex_);
    const uint64_t slots = std::bit_ceil(std::max<uint64_t>(kSlotsMin, ids * 2 + 2));
    if (slots > slots_.size()) {
        grow(slots);
    }
}

void IdMap::grow(uint64_t slots) {
    Slots larger(slots);
    const uint64_t mask = slots - 1;
    for (const Slot& slot : slots_) {
        if (slot.row == kNoRow) {
            continue;
        }
        uint64_t at = slot.hash & mask;
        while (larger[at].row != kNoRow) {
            at = (at + 1) & mask;
        }
        larger[at] = slot;
    }
    slots_.swap(larger);
    bytes_.store(slots_.size() * sizeof(Slot), std::memory_order_relaxed);
}

}  // namespace akidb::engine
