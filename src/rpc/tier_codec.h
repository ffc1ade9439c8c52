// Policy and tier of a collection in messages that have them. The values of the contract follow those of the
// model by one, as its first stands for none. Pure, thread-safe.
#pragma once

#include <akidb/v1/collections.pb.h>

#include <algorithm>
#include <string>

#include "base/printable.h"
#include "service/tiers.h"

namespace akidb::rpc {

/// None stands for `memory`.
inline Result<model::StoragePolicy> read_policy(int from) {
    if (from < 0 || static_cast<size_t>(from) > model::kStoragePolicyNames.size()) {
        return invalid_argument("policy", "unknown policy " + std::to_string(from),
                                join_names(model::kStoragePolicyNames));
    }
    return static_cast<model::StoragePolicy>(std::max(from, 1) - 1);
}

template <class Message>
void write_tier(const service::CollectionTier& from, Message& to) {
    to.set_policy(static_cast<v1::StoragePolicy>(static_cast<int>(from.policy) + 1));
    to.set_tier(static_cast<v1::Tier>(static_cast<int>(from.tier) + 1));
    to.set_pinned(from.is_pinned);
}

}  // namespace akidb::rpc
