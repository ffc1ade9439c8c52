#include "model/storage_tier.h"

#include <algorithm>

namespace akidb::model {
namespace {

template <class Value, size_t kCount>
std::optional<Value> value_from(const std::array<std::string_view, kCount>& names, std::string_view name) {
    const auto* const found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? std::nullopt : std::optional(static_cast<Value>(found - names.begin()));
}

}  // namespace

std::string_view name_of(StoragePolicy policy) {
    return kStoragePolicyNames[static_cast<size_t>(policy)];
}

std::optional<StoragePolicy> storage_policy_from(std::string_view name) {
    return value_from<StoragePolicy>(kStoragePolicyNames, name);
}

std::string_view name_of(Tier tier) {
    return kTierNames[static_cast<size_t>(tier)];
}

std::optional<Tier> tier_from(std::string_view name) {
    return value_from<Tier>(kTierNames, name);
}

std::string_view name_of(TierAction action) {
    return kTierActionNames[static_cast<size_t>(action)];
}

std::optional<TierAction> tier_action_from(std::string_view name) {
    return value_from<TierAction>(kTierActionNames, name);
}

}  // namespace akidb::model
