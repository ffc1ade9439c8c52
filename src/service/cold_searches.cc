#include "service/cold_searches.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace akidb::service {
namespace {

/// Whether asking again would end the same way.
bool is_lasting(const Error& error) {
    return error.code() == Code::kNotFound || error.code() == Code::kDataLoss ||
           error.code() == Code::kConflict;
}

}  // namespace

Result<model::SearchReply> ColdSearches::search(const Question& question,
                                                const model::SearchRequest& request) {
    const uint64_t began_us = clock_.monotonic_us();
    RangeReader reader(question.source, clock_, readers_, question.until_us);
    AKIDB_TRY(const Index index, find(question, reader));
    Result<model::SearchReply> reply =
        index->search(request, clock_.unix_ms(),
                      [&](const std::vector<engine::ColdRange>& ranges) { return reader.read(ranges); });
    if (!reply) {
        if (reply.error().code() == Code::kDataLoss || reply.error().code() == Code::kNotFound) {
            give_up(question.identity, reply.error());
        }
        return reply;
    }
    reply->explanation->actual_cost_us = static_cast<double>(clock_.monotonic_us() - began_us);
    reply->explanation->round_trips = reader.round_trips();
    reply->explanation->fetched_bytes = reader.bytes();
    return reply;
}

Result<ColdSearches::Index> ColdSearches::find(const Question& question, RangeReader& reader) {
    AKIDB_TRY(Index there, take(question));
    if (there != nullptr) {
        return there;
    }
    const Result<Index> read = engine::ColdIndex::read(
        question.identity, [&](const std::vector<engine::ColdRange>& ranges) { return reader.read(ranges); });
    keep(question.identity, read);
    return read;
}

Result<ColdSearches::Index> ColdSearches::take(const Question& question) {
    const engine::ColdIdentity& identity = question.identity;
    MutexLock lock(mutex_);
    while (kept_[identity.collection].is_reading) {
        const uint64_t now_us = clock_.monotonic_us();
        if (now_us >= question.until_us) {
            return Error(Code::kDeadlineExceeded, "the object store did not answer in time");
        }
        changed_.wait_for(mutex_,
                          std::chrono::microseconds(std::min(kWaiterLooksUpUs, question.until_us - now_us)));
    }
    Kept& kept = kept_[identity.collection];
    if (kept.version != identity.version) {
        kept = Kept{.version = identity.version};
    }
    if (kept.fault) {
        return Error(*kept.fault);
    }
    kept.used = ++turn_;
    if (kept.index == nullptr) {
        AKIDB_TRY(reserve(kept, engine::ColdIndex::bytes_of(identity)));
        kept.is_reading = true;
    }
    return kept.index;
}

Result<void> ColdSearches::reserve(Kept& kept, uint64_t bytes) {
    if (bytes > bytes_max_) {
        kept.fault = Error(Code::kConflict, "its codes take " + std::to_string(bytes) +
                                                " bytes, more than the setting tiers.cold_memory_bytes (" +
                                                std::to_string(bytes_max_) + ")");
        return Error(*kept.fault);
    }
    while (count_bytes() + bytes > bytes_max_) {
        Kept* oldest = nullptr;
        for (auto& [id, other] : kept_) {
            if (other.index != nullptr && (oldest == nullptr || other.used < oldest->used)) {
                oldest = &other;
            }
        }
        if (oldest == nullptr) {
            return Error(Code::kUnavailable, "tiers.cold_memory_bytes is taken by codes that are being read");
        }
        oldest->index.reset();
        oldest->bytes = 0;
    }
    kept.bytes = bytes;
    return {};
}

void ColdSearches::keep(const engine::ColdIdentity& identity, const Result<Index>& read) {
    MutexLock lock(mutex_);
    Kept& kept = kept_[identity.collection];
    kept.is_reading = false;
    const bool is_kept = read && !kept.is_forgotten;
    kept.index = is_kept ? *read : nullptr;
    kept.bytes = is_kept ? kept.bytes : 0;
    if (!read && is_lasting(read.error()) && !kept.is_forgotten) {
        kept.fault = read.error();
    }
    kept.is_forgotten = false;
    changed_.notify_all();
}

void ColdSearches::give_up(const engine::ColdIdentity& identity, const Error& error) {
    MutexLock lock(mutex_);
    const auto found = kept_.find(identity.collection);
    if (found != kept_.end() && found->second.version == identity.version && !found->second.is_reading) {
        found->second = Kept{.version = identity.version, .fault = error};
    }
}

void ColdSearches::forget(const Uuid& collection) {
    MutexLock lock(mutex_);
    const auto found = kept_.find(collection);
    if (found == kept_.end()) {
        return;
    }
    if (found->second.is_reading) {
        found->second.is_forgotten = true;
    } else {
        kept_.erase(found);
    }
}

uint64_t ColdSearches::bytes() const {
    MutexLock lock(mutex_);
    return count_bytes();
}

uint64_t ColdSearches::count_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [id, kept] : kept_) {
        bytes += kept.bytes;
    }
    return bytes;
}

}  // namespace akidb::service
