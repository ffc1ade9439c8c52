// StoragePolicy and Tier: where a collection is kept, as it was asked for and as it is now. Plain values; the
// names below are those of every protocol (docs/tiers.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace akidb::model {

/// kMemory: on the local disk alone, and always open. kMemoryS3: the same, and a copy of every checkpoint in
/// the object store. kS3Only: the store is its home; the local disk holds it while it is used.
enum class StoragePolicy : uint8_t { kMemory = 0, kMemoryS3 = 1, kS3Only = 2 };
inline constexpr std::array<std::string_view, 3> kStoragePolicyNames{"memory", "memory_s3", "s3_only"};
std::string_view name_of(StoragePolicy policy);
std::optional<StoragePolicy> storage_policy_from(std::string_view name);

/// kHot: open, in memory. kWarm: closed, its files on the local disk. kCold: its files in the store alone.
enum class Tier : uint8_t { kHot = 0, kWarm = 1, kCold = 2 };
inline constexpr std::array<std::string_view, 3> kTierNames{"hot", "warm", "cold"};
std::string_view name_of(Tier tier);
std::optional<Tier> tier_from(std::string_view name);

/// What an operator may ask of a collection.
enum class TierAction : uint8_t {
    kPromoteToHot = 0,
    kDemoteToWarm = 1,
    kDemoteToCold = 2,
    kPin = 3,
    kUnpin = 4
};
inline constexpr std::array<std::string_view, 5> kTierActionNames{"promote_to_hot", "demote_to_warm",
                                                                  "demote_to_cold", "pin", "unpin"};
std::string_view name_of(TierAction action);
std::optional<TierAction> tier_action_from(std::string_view name);

}  // namespace akidb::model
