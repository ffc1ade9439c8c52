#include "engine/remembered_keys.h"

#include <algorithm>
#include <cstring>

namespace akidb::engine {
namespace {

// Forgotten with each group, so that no writer waits for a million at once; more than a group can add.
constexpr size_t kForgottenAtOnce = 4096;
// Copied with the lock held, for the same reason.
constexpr size_t kCopiedAtOnce = 4096;

Result<WriteReply> answer_again(const model::WriteKey& key, const storage::RememberedKey& known) {
    if (key.fingerprint != known.key.fingerprint) {
        return Error(Code::kConflict,
                     "this Idempotency-Key was used for another write in the last 24 hours: a new write "
                     "needs a "
                     "new key, and a retry must be the same to the byte")
            .with_field("Idempotency-Key");
    }
    if (known.count == storage::kCountLost) {
        return Error(
                   Code::kConflict,
                   "the write with this Idempotency-Key was applied; its answer was lost in a repair of the "
                   "collection")
            .with_field("Idempotency-Key");
    }
    return WriteReply{known.sequence, known.count, true, known.key.first_made_id};
}

}  // namespace

size_t RememberedKeys::DigestHash::operator()(const Digest128& digest) const {
    size_t hash = 0;
    std::memcpy(&hash, digest.bytes.data(), sizeof(hash));
    return hash;
}

RememberedKeys::RememberedKeys(const io::Clock& clock, uint64_t keys_max, telemetry::Metrics& metrics)
    : clock_(clock), keys_max_(keys_max), replays_(metrics.counter(telemetry::MetricId::kWritesReplayed)) {}

void RememberedKeys::start() {
    MutexLock lock(mutex_);
    started_us_ = clock_.monotonic_us();
    started_at_ms_ = std::max(clock_.unix_ms(), keys_.empty() ? 0 : keys_.back().remembered_at_ms);
}

uint64_t RememberedKeys::now_ms() const {
    return started_at_ms_ + (clock_.monotonic_us() - started_us_) / 1000;
}

bool RememberedKeys::is_remembered(const storage::RememberedKey& key, uint64_t now_ms) const {
    return now_ms < key.remembered_at_ms + kRememberedForMs;
}

void RememberedKeys::add(const storage::RememberedKey& key) {
    MutexLock lock(mutex_);
    keys_.push_back(key);
    by_key_[key.key.key] = &keys_.back();
}

void RememberedKeys::forget_some(uint64_t now_ms) {
    for (size_t i = 0; i < kForgottenAtOnce && !keys_.empty() && !is_remembered(keys_.front(), now_ms); ++i) {
        const auto known = by_key_.find(keys_.front().key.key);
        if (known != by_key_.end() && known->second == &keys_.front()) {
            by_key_.erase(known);
        }
        keys_.pop_front();
    }
}

std::optional<Result<WriteReply>> RememberedKeys::look_up(const model::WriteKey& key, uint64_t now_ms) const {
    const auto known = by_key_.find(key.key);
    if (known == by_key_.end() || !is_remembered(*known->second, now_ms)) {
        return std::nullopt;
    }
    Result<WriteReply> reply = answer_again(key, *known->second);
    if (reply.has_value()) {
        replays_.add();
    }
    return reply;
}

std::optional<Result<WriteReply>> RememberedKeys::find(const model::WriteKey& key, uint64_t sequence) const {
    MutexLock lock(mutex_);
    const auto known = by_key_.find(key.key);
    if (known == by_key_.end() || known->second->sequence > sequence) {
        return std::nullopt;
    }
    return look_up(key, now_ms());
}

Error RememberedKeys::no_room(uint64_t now_ms) const {
    const uint64_t end_ms = keys_.empty() ? 0 : keys_.front().remembered_at_ms + kRememberedForMs;
    const uint64_t left_ms = end_ms > now_ms ? end_ms - now_ms : 0;
    return Error(Code::kRateLimited,
                 "more Idempotency-Keys were used in the last 24 hours than the setting "
                 "storage.remembered_keys_max allows a collection; writes without a key go on")
        .with_field("Idempotency-Key")
        .with_retry_after(static_cast<uint32_t>(std::max<uint64_t>(1, left_ms / 1000)));
}

std::vector<RememberedKeys::Repeat> RememberedKeys::settle(std::vector<PendingWrite*>& group) {
    std::vector<Repeat> repeats;
    if (std::none_of(group.begin(), group.end(),
                     [](const PendingWrite* write) { return write->key.has_value(); })) {
        return repeats;
    }
    std::unordered_map<Digest128, const PendingWrite*, DigestHash> fresh;
    MutexLock lock(mutex_);
    const uint64_t now = now_ms();
    forget_some(now);
    std::vector<PendingWrite*> kept;
    for (PendingWrite* write : group) {
        if (!write->key.has_value()) {
            kept.push_back(write);
        } else if (std::optional<Result<WriteReply>> known = look_up(*write->key, now)) {
            write->reply = std::move(known);
        } else if (const auto first = fresh.find(write->key->key); first != fresh.end()) {
            repeats.push_back({write, first->second});
        } else if (keys_.size() + fresh.size() >= keys_max_) {
            write->reply = no_room(now);
        } else {
            fresh.emplace(write->key->key, write);
            kept.push_back(write);
        }
    }
    group = std::move(kept);
    return repeats;
}

void RememberedKeys::answer(std::span<const Repeat> repeats) const {
    MutexLock lock(mutex_);
    for (const Repeat& repeat : repeats) {
        const Result<WriteReply>& first = *repeat.first->reply;
        repeat.write->reply =
            first.has_value() ? look_up(*repeat.write->key, now_ms()) : std::optional(first);
    }
}

void RememberedKeys::add_keys(std::span<PendingWrite* const> group) const {
    for (PendingWrite* write : group) {
        if (write->key.has_value()) {
            storage::add_key(write->record, *write->key, now_ms());
        }
    }
}

std::vector<storage::RememberedKey> RememberedKeys::up_to(uint64_t sequence) const {
    std::vector<storage::RememberedKey> found;
    const uint64_t now = now_ms();
    uint64_t after = 0;
    while (true) {
        MutexLock lock(mutex_);
        const auto by_sequence = [](uint64_t given, const storage::RememberedKey& key) {
            return given < key.sequence;
        };
        auto next = std::upper_bound(keys_.begin(), keys_.end(), after, by_sequence);
        for (size_t i = 0; i < kCopiedAtOnce && next != keys_.end() && next->sequence <= sequence;
             ++i, ++next) {
            after = next->sequence;
            if (is_remembered(*next, now)) {
                found.push_back(*next);
            }
        }
        if (next == keys_.end() || next->sequence > sequence) {
            return found;
        }
    }
}

bool RememberedKeys::is_unchanged_since(uint64_t covered) const {
    MutexLock lock(mutex_);
    return !keys_.empty() && keys_.back().sequence <= covered && is_remembered(keys_.back(), now_ms());
}

}  // namespace akidb::engine
