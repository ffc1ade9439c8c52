#include "rpc/method_table.h"

#include <array>

#include "model/limits.h"

namespace akidb::rpc {
namespace {

using enum MethodId;
using model::Access;
using model::Action;
using model::kBodyBytesMax;
using model::kImportBodyBytesMax;

// In the order of MethodId.
constexpr std::array<MethodRow, kMethodCount> kMethods{{
    {kCreateCollection, "CollectionService/Create", "POST /api/v1/collections", kBodyBytesMax,
     Access::to(Action::kCollectionCreate)},
    {kListCollections, "CollectionService/List", "GET /api/v1/collections", kBodyBytesMax,
     Access::to(Action::kCollectionRead)},
    {kDescribeCollection, "CollectionService/Describe",
     "GET /api/v1/collections/{collection}, GET /api/v1/collections/{collection}/stats", kBodyBytesMax,
     Access::to(Action::kCollectionRead)},
    {kChangeCollection, "CollectionService/Change", "PATCH /api/v1/collections/{collection}", kBodyBytesMax,
     Access::to(Action::kCollectionUpdate)},
    {kDeleteCollection, "CollectionService/Delete", "DELETE /api/v1/collections/{collection}", kBodyBytesMax,
     Access::to(Action::kCollectionDelete)},
    {kPutMetadataIndex, "CollectionService/PutMetadataIndex",
     "PUT /api/v1/collections/{collection}/metadata-indexes/{field}", kBodyBytesMax,
     Access::to(Action::kCollectionUpdate)},
    {kDeleteMetadataIndex, "CollectionService/DeleteMetadataIndex",
     "DELETE /api/v1/collections/{collection}/metadata-indexes/{field}", kBodyBytesMax,
     Access::to(Action::kCollectionUpdate)},
    {kOptimize, "CollectionService/Optimize", "POST /api/v1/collections/{collection}/optimize", kBodyBytesMax,
     Access::to(Action::kCollectionUpdate)},
    {kListAliases, "CollectionService/ListAliases", "GET /api/v1/aliases", kBodyBytesMax,
     Access::to(Action::kCollectionRead)},
    {kChangeAliases, "CollectionService/ChangeAliases", "POST /api/v1/aliases", kBodyBytesMax,
     Access::to(Action::kCollectionUpdate)},
    {kUpsert, "DocumentService/Upsert", "PUT /api/v1/collections/{collection}/documents", kImportBodyBytesMax,
     Access::to(Action::kDocumentInsert)},
    {kUpdate, "DocumentService/Update", "PATCH /api/v1/collections/{collection}/documents",
     kImportBodyBytesMax, Access::to(Action::kDocumentUpdate)},
    {kGet, "DocumentService/Get",
     "POST /api/v1/collections/{collection}/documents/get, GET "
     "/api/v1/collections/{collection}/documents/{id}",
     kBodyBytesMax, Access::to(Action::kDocumentSearch)},
    {kDelete, "DocumentService/Delete",
     "POST /api/v1/collections/{collection}/documents/delete, DELETE "
     "/api/v1/collections/{collection}/documents/{id}",
     kBodyBytesMax, Access::to(Action::kDocumentDelete)},
    {kErase, "DocumentService/Erase", "POST /api/v1/collections/{collection}/documents/erase", kBodyBytesMax,
     Access::to(Action::kDocumentDelete)},
    {kCount, "DocumentService/Count", "POST /api/v1/collections/{collection}/count", kBodyBytesMax,
     Access::to(Action::kDocumentSearch)},
    {kScroll, "DocumentService/Scroll", "POST /api/v1/collections/{collection}/scroll", kBodyBytesMax,
     Access::to(Action::kDocumentSearch)},
    {kFacet, "DocumentService/Facet", "POST /api/v1/collections/{collection}/facet", kBodyBytesMax,
     Access::to(Action::kDocumentSearch)},
    {kImport, "DocumentService/Import", "", kImportBodyBytesMax, Access::to(Action::kDocumentInsert)},
    {kExport, "DocumentService/Export", "", kBodyBytesMax, Access::to(Action::kDocumentSearch)},
    {kSearch, "SearchService/Search", "POST /api/v1/collections/{collection}/search", kBodyBytesMax,
     Access::to(Action::kDocumentSearch)},
    {kSearchBatch, "SearchService/SearchBatch", "POST /api/v1/collections/{collection}/search/batch",
     kImportBodyBytesMax, Access::to(Action::kDocumentSearch)},
    {kSetUp, "AccessService/SetUp", "POST /api/v1/auth/setup", kBodyBytesMax, Access::everyone()},
    {kLogIn, "AccessService/LogIn", "POST /api/v1/auth/login", kBodyBytesMax, Access::everyone()},
    {kGetChallenge, "AccessService/GetChallenge", "POST /api/v1/auth/challenge", kBodyBytesMax,
     Access::everyone()},
    {kLogOut, "AccessService/LogOut", "POST /api/v1/auth/logout", kBodyBytesMax, Access::anyone_known()},
    {kWhoAmI, "AccessService/WhoAmI", "GET /api/v1/auth/me", kBodyBytesMax, Access::anyone_known()},
    {kCreateUser, "AccessService/CreateUser", "POST /api/v1/users", kBodyBytesMax,
     Access::to(Action::kUserCreate)},
    {kListUsers, "AccessService/ListUsers", "GET /api/v1/users", kBodyBytesMax,
     Access::to(Action::kUserRead)},
    {kGetUser, "AccessService/GetUser", "GET /api/v1/users/{user}", kBodyBytesMax,
     Access::to(Action::kUserRead)},
    {kUpdateUser, "AccessService/UpdateUser", "PATCH /api/v1/users/{user}", kBodyBytesMax,
     Access::to(Action::kUserUpdate)},
    {kDeleteUser, "AccessService/DeleteUser", "DELETE /api/v1/users/{user}", kBodyBytesMax,
     Access::to(Action::kUserDelete)},
    {kCreateKey, "AccessService/CreateKey", "POST /api/v1/keys", kBodyBytesMax,
     Access::to(Action::kKeyCreate)},
    {kListKeys, "AccessService/ListKeys", "GET /api/v1/keys", kBodyBytesMax, Access::to(Action::kKeyRead)},
    {kGetKey, "AccessService/GetKey", "GET /api/v1/keys/{key}", kBodyBytesMax, Access::to(Action::kKeyRead)},
    {kRevokeKey, "AccessService/RevokeKey", "PATCH /api/v1/keys/{key}", kBodyBytesMax,
     Access::to(Action::kKeyUpdate)},
    {kDeleteKey, "AccessService/DeleteKey", "DELETE /api/v1/keys/{key}", kBodyBytesMax,
     Access::to(Action::kKeyDelete)},
    {kCreateTenant, "AccessService/CreateTenant", "POST /api/v1/tenants", kBodyBytesMax,
     Access::to_operators(Action::kTenantCreate)},
    {kListTenants, "AccessService/ListTenants", "GET /api/v1/tenants", kBodyBytesMax,
     Access::to_operators(Action::kTenantRead)},
    {kGetTenant, "AccessService/GetTenant", "GET /api/v1/tenants/{tenant}", kBodyBytesMax,
     Access::to_operators(Action::kTenantRead)},
    {kUpdateTenant, "AccessService/UpdateTenant", "PATCH /api/v1/tenants/{tenant}", kBodyBytesMax,
     Access::to_operators(Action::kTenantUpdate)},
    {kDeleteTenant, "AccessService/DeleteTenant", "DELETE /api/v1/tenants/{tenant}", kBodyBytesMax,
     Access::to_operators(Action::kTenantDelete)},
    {kDestroyBackupKeys, "AccessService/DestroyBackupKeys", "DELETE /api/v1/tenants/{tenant}/backup-keys",
     kBodyBytesMax, Access::to_operators(Action::kTenantDelete)},
    {kQueryAudit, "AccessService/QueryAudit", "GET /api/v1/audit", kBodyBytesMax,
     Access::to(Action::kAuditRead)},
    {kDescribeTier, "TierService/Describe", "GET /api/v1/collections/{collection}/tier", kBodyBytesMax,
     Access::to(Action::kCollectionRead)},
    {kMoveCollection, "TierService/Move", "POST /api/v1/collections/{collection}/tier", kBodyBytesMax,
     Access::to(Action::kAdminTiers)},
    {kDescribeServerTiers, "TierService/DescribeServer", "GET /api/v1/tiers", kBodyBytesMax,
     Access::to_operators(Action::kAdminTiers)},
    {kListDeadLetters, "TierService/ListDeadLetters", "GET /api/v1/tiers/dead-letters", kBodyBytesMax,
     Access::to_operators(Action::kAdminTiers)},
    {kRetryDeadLetters, "TierService/RetryDeadLetters",
     "POST /api/v1/tiers/dead-letters/retry, POST /api/v1/tiers/dead-letters/{letter}/retry", kBodyBytesMax,
     Access::to_operators(Action::kAdminTiers)},
    {kDropDeadLetter, "TierService/DropDeadLetter", "DELETE /api/v1/tiers/dead-letters/{letter}",
     kBodyBytesMax, Access::to_operators(Action::kAdminTiers)},
    {kResetBreaker, "TierService/ResetBreaker", "POST /api/v1/tiers/breaker/reset", kBodyBytesMax,
     Access::to_operators(Action::kAdminTiers)},
}};

constexpr bool is_in_order_of_ids() {
    for (size_t i = 0; i < kMethods.size(); ++i) {
        if (static_cast<size_t>(kMethods[i].id) != i || kMethods[i].name.empty()) {
            return false;
        }
    }
    return true;
}
static_assert(is_in_order_of_ids());

}  // namespace

std::span<const MethodRow> method_table() {
    return kMethods;
}

const MethodRow& row_of(MethodId id) {
    return kMethods[static_cast<size_t>(id)];
}

}  // namespace akidb::rpc
