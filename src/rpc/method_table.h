// The methods of akidb.v1, and which route of REST does the same: the list that holds both protocols
// together. A test compares it with the contract in proto/ and with the routes. Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/access.h"

namespace akidb::rpc {

enum class MethodId : uint8_t {
    kCreateCollection,
    kListCollections,
    kDescribeCollection,
    kChangeCollection,
    kDeleteCollection,
    kPutMetadataIndex,
    kDeleteMetadataIndex,
    kOptimize,
    kListAliases,
    kChangeAliases,
    kUpsert,
    kUpdate,
    kGet,
    kDelete,
    kErase,
    kCount,
    kScroll,
    kFacet,
    kImport,
    kExport,
    kSearch,
    kSearchBatch,
    kSetUp,
    kLogIn,
    kGetChallenge,
    kLogOut,
    kWhoAmI,
    kCreateUser,
    kListUsers,
    kGetUser,
    kUpdateUser,
    kDeleteUser,
    kCreateKey,
    kListKeys,
    kGetKey,
    kRevokeKey,
    kDeleteKey,
    kCreateTenant,
    kListTenants,
    kGetTenant,
    kUpdateTenant,
    kDeleteTenant,
    kDestroyBackupKeys,
    kQueryAudit,
    kDescribeTier,
    kMoveCollection,
    kDescribeServerTiers,
    kListDeadLetters,
    kRetryDeadLetters,
    kDropDeadLetter,
    kResetBreaker,
};
inline constexpr size_t kMethodCount = static_cast<size_t>(MethodId::kResetBreaker) + 1;

struct MethodRow {
    MethodId id;
    std::string_view name;    // without the package
    std::string_view routes;  // "METHOD /path" of those that do the same, separated by ", "
    size_t message_bytes_max;
    model::Access access;  // a row without one does not compile; that of its routes, by a test
};

std::span<const MethodRow> method_table();
const MethodRow& row_of(MethodId id);

}  // namespace akidb::rpc
