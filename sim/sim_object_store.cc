#include "sim/sim_object_store.h"

#include <algorithm>
#include <iterator>

#include "objects/sha256.h"

namespace akidb::sim {
namespace {

using objects::PutMode;

// Of the requests that can have a fault of a family that is on; together about every fifth.
constexpr uint64_t kFaultOneIn = 20;
constexpr uint64_t kLateRequestsMax = 200;
constexpr uint64_t kStaleRequestsMax = 40;
constexpr uint64_t kSlowUsMax = 60'000'000;

Error power_is_off() {
    return Error(Code::kUnavailable, "power is off");
}

Error no_answer() {
    return Error(Code::kDeadlineExceeded, "the connection ended without an answer");
}

}  // namespace

const char* name_of(ObjectFault fault) {
    constexpr const char* kNames[] = {
        "503 before", "500 before",     "500 after commit", "lost reply",          "late", "late duplicate",
        "stale list", "truncated read", "flipped read",     "multipart left open", "slow"};
    static_assert(std::size(kNames) == kObjectFaultCount);
    return kNames[static_cast<size_t>(fault)];
}

SimObjectStore::SimObjectStore(uint64_t seed, SimPower& power, SimClock& clock)
    : dice_(seed), power_(power), clock_(clock) {
    for (size_t i = 0; i < kObjectFaultCount; ++i) {
        if (dice_.coin()) {
            families_.insert(static_cast<ObjectFault>(i));
        }
    }
    keeps_checksums_ = dice_.coin();
}

bool SimObjectStore::draw(ObjectFault fault) {
    const bool is_drawn = !is_calm_ && families_.contains(fault) && dice_.one_in(kFaultOneIn);
    faults_[static_cast<size_t>(fault)] += is_drawn ? 1 : 0;
    return is_drawn;
}

Result<void> SimObjectStore::begin() {
    if (!power_.step()) {
        return power_is_off();
    }
    ++requests_;
    while (!late_.empty() && late_.front().due <= requests_) {
        const LateChange late = std::move(late_.front());
        late_.pop_front();
        deliver(late);
    }
    if (draw(ObjectFault::kSlow)) {
        clock_.advance_us(1 + dice_.below(kSlowUsMax));
    }
    if (draw(ObjectFault::kRefused)) {
        return Error(Code::kUnavailable, "503 SlowDown");
    }
    if (draw(ObjectFault::kFailedBefore)) {
        return Error(Code::kUnavailable, "500 InternalError");
    }
    return {};
}

Result<void> SimObjectStore::end() {
    if (!power_.step()) {
        return power_is_off();
    }
    if (draw(ObjectFault::kFailedAfter)) {
        return Error(Code::kUnavailable, "500 InternalError");
    }
    if (draw(ObjectFault::kLostReply)) {
        return no_answer();
    }
    return {};
}

/// That it is refused now is nobody's to hear.
void SimObjectStore::deliver(const LateChange& late) {
    const Change change{late.key, late.bytes ? &*late.bytes : nullptr, late.mode, true};
    static_cast<void>(apply(change).has_value());
}

void SimObjectStore::let_all_arrive() {
    while (!late_.empty()) {
        const LateChange late = std::move(late_.front());
        late_.pop_front();
        deliver(late);
    }
}

size_t SimObjectStore::late_puts(std::string_view prefix) const {
    return static_cast<size_t>(std::count_if(late_.begin(), late_.end(), [&](const LateChange& late) {
        return late.bytes && late.key.starts_with(prefix) && !objects_.contains(late.key);
    }));
}

void SimObjectStore::note_listed(const std::string& key, bool was_there) {
    listed_.push_back({requests_, key, was_there});
    while (listed_.front().request + kStaleRequestsMax < requests_) {
        listed_.pop_front();
    }
}

/// As the store does it, early or late.
Result<void> SimObjectStore::apply(const Change& change) {
    const auto there = objects_.find(change.key);
    if (change.bytes == nullptr) {
        if (there != objects_.end()) {
            note_listed(change.key, true);
            objects_.erase(there);
            removed_.insert(change.key);
        }
        return {};
    }
    if (there != objects_.end() && change.mode == PutMode::kCreateOnly) {
        return Error(Code::kAlreadyExists, "the object " + change.key + " is there");
    }
    if (there == objects_.end()) {
        note_listed(change.key, false);
    }
    if (change.is_late && removed_.contains(change.key)) {
        returned_.insert(change.key);
    }
    objects_[change.key] = {*change.bytes, objects::sha256_hex(*change.bytes)};
    return {};
}

void SimObjectStore::postpone(const Change& change) {
    LateChange late{.due = requests_ + 1 + dice_.below(kLateRequestsMax),
                    .key = change.key,
                    .bytes = change.bytes == nullptr ? std::nullopt : std::optional(*change.bytes),
                    .mode = change.mode};
    const auto behind = std::find_if(late_.begin(), late_.end(),
                                     [&](const LateChange& other) { return other.due > late.due; });
    late_.insert(behind, std::move(late));
}

Result<void> SimObjectStore::change(const Change& change) {
    AKIDB_TRY(begin());
    if (draw(ObjectFault::kLate)) {
        postpone(change);
        return no_answer();
    }
    const Result<void> outcome = apply(change);
    if (outcome && draw(ObjectFault::kLateDuplicate)) {
        postpone(change);
    }
    AKIDB_TRY(end());
    return outcome;
}

Result<void> SimObjectStore::put(const std::string& key, std::string_view bytes, PutMode mode) {
    AKIDB_TRY(objects::check_put(key, bytes.size(), objects::kSinglePutBytesMax));
    const std::string sent(bytes);
    return change({.key = key, .bytes = &sent, .mode = mode});
}

Result<void> SimObjectStore::put_file(const std::string& key, const objects::FileToPut& source) {
    AKIDB_TRY(objects::check_put(key, source.bytes, objects::kObjectBytesMax));
    std::string bytes;
    AKIDB_TRY(source.file.read_at(0, source.bytes, bytes));
    if (objects::sha256_hex(bytes) != source.sha256) {
        return Error(Code::kDataLoss, "the file for " + key + " is not what was to be put");
    }
    if (draw(ObjectFault::kMultipartLeftOpen)) {
        AKIDB_TRY(begin());
        return Error(Code::kUnavailable, "the upload of " + key + " was not completed");
    }
    return change({.key = key, .bytes = &bytes});
}

Result<void> SimObjectStore::remove(const std::string& key) {
    AKIDB_TRY(objects::check_key(key));
    return change({.key = key});
}

Result<const SimObjectStore::Object*> SimObjectStore::look_up(const std::string& key) const {
    const auto found = objects_.find(key);
    if (found == objects_.end()) {
        return Error(Code::kNotFound, "there is no object " + key);
    }
    return &found->second;
}

Result<void> SimObjectStore::spoil(std::string& bytes, bool is_verified) {
    if (bytes.empty()) {
        return {};
    }
    if (draw(ObjectFault::kTruncatedRead)) {
        return Error(Code::kDataLoss, "the answer is shorter than its length says");
    }
    if (draw(ObjectFault::kFlippedRead)) {
        char& byte = bytes[dice_.below(bytes.size())];
        byte = static_cast<char>(byte ^ (1 << dice_.below(8)));
        return is_verified ? Result<void>(Error(Code::kDataLoss, "the answer does not fit its checksum"))
                           : Result<void>();
    }
    return {};
}

Result<std::string> SimObjectStore::get(const std::string& key, uint64_t bytes_max) {
    AKIDB_TRY(objects::check_key(key));
    AKIDB_TRY(begin());
    const Result<const Object*> object = look_up(key);
    AKIDB_TRY(end());
    AKIDB_TRY(const Object* const found, object);
    if (found->bytes.size() > bytes_max) {
        return Error(Code::kPayloadTooLarge,
                     "the object " + key + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
    if (keeps_checksums_ && objects::sha256_hex(found->bytes) != found->sha256) {
        return Error(Code::kDataLoss, "the object " + key + " does not fit its checksum");
    }
    std::string bytes = found->bytes;
    AKIDB_TRY(spoil(bytes, keeps_checksums_));
    return bytes;
}

Result<std::string> SimObjectStore::get_range(const std::string& key, objects::ByteRange range) {
    AKIDB_TRY(objects::check_key(key));
    AKIDB_TRY(begin());
    const Result<const Object*> object = look_up(key);
    AKIDB_TRY(end());
    AKIDB_TRY(const Object* const found, object);
    if (range.offset > found->bytes.size() || range.count > found->bytes.size() - range.offset) {
        return Error(Code::kDataLoss, "the object " + key + " ends before what was asked of it");
    }
    std::string bytes = found->bytes.substr(range.offset, range.count);
    AKIDB_TRY(spoil(bytes, false));
    return bytes;
}

Result<objects::ObjectFacts> SimObjectStore::head(const std::string& key) {
    AKIDB_TRY(objects::check_key(key));
    AKIDB_TRY(begin());
    const Result<const Object*> object = look_up(key);
    AKIDB_TRY(end());
    AKIDB_TRY(const Object* const found, object);
    return objects::ObjectFacts{key, found->bytes.size(), keeps_checksums_ ? found->sha256 : std::string()};
}

std::set<std::string> SimObjectStore::listed_keys(bool is_stale) {
    std::set<std::string> keys;
    for (const auto& [key, object] : objects_) {
        keys.insert(key);
    }
    if (!is_stale) {
        return keys;
    }
    const uint64_t as_of = requests_ - std::min(requests_, 1 + dice_.below(kStaleRequestsMax));
    for (auto listed = listed_.rbegin(); listed != listed_.rend() && listed->request >= as_of; ++listed) {
        if (listed->was_there) {
            keys.insert(listed->key);
        } else {
            keys.erase(listed->key);
        }
    }
    return keys;
}

Result<objects::ObjectPage> SimObjectStore::list(const objects::ListRequest& request) {
    AKIDB_TRY(objects::check_list(request));
    AKIDB_TRY(begin());
    const std::set<std::string> keys = listed_keys(draw(ObjectFault::kStaleList));
    objects::ObjectPage page;
    for (auto at = keys.lower_bound(std::max(request.prefix, request.after));
         at != keys.end() && at->starts_with(request.prefix); ++at) {
        if (*at == request.after) {
            continue;
        }
        if (page.objects.size() == request.limit) {
            page.is_last = false;
            break;
        }
        const auto found = objects_.find(*at);
        page.objects.push_back({*at, found == objects_.end() ? 0 : found->second.bytes.size(), {}});
    }
    AKIDB_TRY(end());
    return page;
}

std::vector<std::string> SimObjectStore::keys(const std::string& prefix) const {
    std::vector<std::string> keys;
    for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix);
         ++at) {
        keys.push_back(at->first);
    }
    return keys;
}

const std::string* SimObjectStore::find(const std::string& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : &found->second.bytes;
}

void SimObjectStore::damage(const std::string& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end() || found->second.bytes.empty() || dice_.one_in(3)) {
        objects_.erase(key);
        return;
    }
    char& byte = found->second.bytes[dice_.below(found->second.bytes.size())];
    byte = static_cast<char>(byte ^ (1 << dice_.below(8)));
}

}  // namespace akidb::sim
