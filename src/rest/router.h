// Router: which route a method and a path mean. Segments are split first and percent-decoded once each, so an
// encoded slash stays inside an id. Knows templates, not what they do. Errors: kInvalidArgument for broken
// percent-encoding or query parameters. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/access.h"

namespace akidb::rest {

enum class RouteId : uint8_t {
    kHealth,
    kReady,
    kStartup,
    kMetrics,
    kHealthz,
    kReadyz,
    kLivez,
    kRoot,  // the last of the probes
    kCreateCollection,
    kListCollections,
    kDescribeCollection,
    kChangeCollection,
    kDeleteCollection,
    kStats,
    kUpsert,
    kUpdateDocuments,
    kGetDocuments,
    kGetDocument,
    kDeleteDocument,
    kDeleteDocuments,
    kEraseDocuments,
    kCount,
    kScroll,
    kFacet,
    kOptimize,
    kPutMetadataIndex,
    kDeleteMetadataIndex,
    kSearch,
    kSearchBatch,
    kListAliases,
    kChangeAliases,
    kSetUp,  // from here to the dialect: accounts
    kLogIn,
    kGetChallenge,
    kLogOut,
    kMe,
    kCreateUser,
    kListUsers,
    kGetUser,
    kUpdateUser,
    kDeleteUser,
    kCreateKey,
    kListKeys,
    kGetKey,
    kUpdateKey,
    kDeleteKey,
    kCreateTenant,
    kListTenants,
    kGetTenant,
    kUpdateTenant,
    kDeleteTenant,
    kDestroyBackupKeys,
    kReadAudit,
    kCreateBackup,
    kListBackups,
    kGetBackup,
    kGetTier,  // from here to the dialect: tiers
    kMoveTier,
    kGetTiers,
    kListDeadLetters,
    kRetryDeadLetters,
    kRetryDeadLetter,
    kDropDeadLetter,
    kResetBreaker,
    // The Qdrant dialect, from here to the end: collections, then reads, then writes.
    kQdrantListCollections,
    kQdrantDescribe,
    kQdrantCreate,
    kQdrantUpdate,
    kQdrantDelete,
    kQdrantExists,
    kQdrantPutIndex,
    kQdrantDeleteIndex,
    kQdrantChangeAliases,
    kQdrantListAliases,
    kQdrantCollectionAliases,
    kQdrantRetrieve,
    kQdrantPoint,
    kQdrantScroll,
    kQdrantCount,
    kQdrantFacet,
    kQdrantQuery,
    kQdrantQueryBatch,
    kQdrantQueryGroups,
    kQdrantSearch,
    kQdrantSearchBatch,
    kQdrantSearchGroups,
    kQdrantRecommend,
    kQdrantRecommendBatch,
    kQdrantRecommendGroups,
    kQdrantUpsert,
    kQdrantDeletePoints,
    kQdrantSetPayload,
    kQdrantOverwritePayload,
    kQdrantDeletePayload,
    kQdrantClearPayload,
    kQdrantVectors,
    kQdrantDeleteVectors,
    kQdrantBatch,
};
inline constexpr size_t kRouteCount = static_cast<size_t>(RouteId::kQdrantBatch) + 1;

struct Route {
    RouteId id;
    std::string_view method;
    std::string_view path;  // "{…}" stands for one segment
    model::Access access;   // a row without one does not compile
};

std::span<const Route> routes();

struct RouteMatch {
    const Route* route = nullptr;       // null: no such path, or not by this method
    std::string allow;                  // the methods of this path; empty: no such path
    std::string_view nearest;           // a path that looks like it, when there is none
    std::vector<std::string> captured;  // decoded, in order
};
/// HEAD is served as GET.
Result<RouteMatch> match_route(std::string_view method, std::string_view path);

/// "a=1&b=2", decoded; kInvalidArgument on unknown or repeated names.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query,
                                                                     std::span<const std::string_view> known);

}  // namespace akidb::rest
