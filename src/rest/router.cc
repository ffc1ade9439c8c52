#include "rest/router.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/printable.h"
#include "model/document_id.h"
#include "rest/api.h"
#include "rest/nearest.h"

namespace akidb::rest {
namespace {

using model::Access;
using enum model::Action;

// Each row says what it asks of who calls it: without that it does not compile, as Access has no default
// (model/access_test.cc shows it).
constexpr std::array<Route, kRouteCount> kRoutes{{
    {RouteId::kHealth, "GET", "/health", Access::everyone()},
    {RouteId::kReady, "GET", "/ready", Access::everyone()},
    {RouteId::kStartup, "GET", "/startup", Access::everyone()},
    {RouteId::kMetrics, "GET", "/metrics", Access::to_operators(kDatabaseRead)},
    {RouteId::kHealthz, "GET", "/healthz", Access::everyone()},
    {RouteId::kReadyz, "GET", "/readyz", Access::everyone()},
    {RouteId::kLivez, "GET", "/livez", Access::everyone()},
    {RouteId::kRoot, "GET", "/", Access::everyone()},
    {RouteId::kCreateCollection, "POST", "/api/v1/collections", Access::to(kCollectionCreate)},
    {RouteId::kListCollections, "GET", "/api/v1/collections", Access::to(kCollectionRead)},
    {RouteId::kDescribeCollection, "GET", "/api/v1/collections/{collection}", Access::to(kCollectionRead)},
    {RouteId::kChangeCollection, "PATCH", "/api/v1/collections/{collection}", Access::to(kCollectionUpdate)},
    {RouteId::kDeleteCollection, "DELETE", "/api/v1/collections/{collection}", Access::to(kCollectionDelete)},
    {RouteId::kStats, "GET", "/api/v1/collections/{collection}/stats", Access::to(kCollectionRead)},
    {RouteId::kUpsert, "PUT", "/api/v1/collections/{collection}/documents", Access::to(kDocumentInsert)},
    {RouteId::kUpdateDocuments, "PATCH", "/api/v1/collections/{collection}/documents",
     Access::to(kDocumentUpdate)},
    {RouteId::kGetDocuments, "POST", "/api/v1/collections/{collection}/documents/get",
     Access::to(kDocumentSearch)},
    {RouteId::kGetDocument, "GET", "/api/v1/collections/{collection}/documents/{id}",
     Access::to(kDocumentSearch)},
    {RouteId::kDeleteDocument, "DELETE", "/api/v1/collections/{collection}/documents/{id}",
     Access::to(kDocumentDelete)},
    {RouteId::kDeleteDocuments, "POST", "/api/v1/collections/{collection}/documents/delete",
     Access::to(kDocumentDelete)},
    {RouteId::kEraseDocuments, "POST", "/api/v1/collections/{collection}/documents/erase",
     Access::to(kDocumentDelete)},
    {RouteId::kCount, "POST", "/api/v1/collections/{collection}/count", Access::to(kDocumentSearch)},
    {RouteId::kScroll, "POST", "/api/v1/collections/{collection}/scroll", Access::to(kDocumentSearch)},
    {RouteId::kFacet, "POST", "/api/v1/collections/{collection}/facet", Access::to(kDocumentSearch)},
    {RouteId::kOptimize, "POST", "/api/v1/collections/{collection}/optimize", Access::to(kCollectionUpdate)},
    {RouteId::kPutMetadataIndex, "PUT", "/api/v1/collections/{collection}/metadata-indexes/{field}",
     Access::to(kCollectionUpdate)},
    {RouteId::kDeleteMetadataIndex, "DELETE", "/api/v1/collections/{collection}/metadata-indexes/{field}",
     Access::to(kCollectionUpdate)},
    {RouteId::kSearch, "POST", "/api/v1/collections/{collection}/search", Access::to(kDocumentSearch)},
    {RouteId::kSearchBatch, "POST", "/api/v1/collections/{collection}/search/batch",
     Access::to(kDocumentSearch)},
    {RouteId::kListAliases, "GET", "/api/v1/aliases", Access::to(kCollectionRead)},
    {RouteId::kChangeAliases, "POST", "/api/v1/aliases", Access::to(kCollectionUpdate)},
    {RouteId::kSetUp, "POST", "/api/v1/auth/setup", Access::everyone()},
    {RouteId::kLogIn, "POST", "/api/v1/auth/login", Access::everyone()},
    {RouteId::kGetChallenge, "POST", "/api/v1/auth/challenge", Access::everyone()},
    {RouteId::kLogOut, "POST", "/api/v1/auth/logout", Access::anyone_known()},
    {RouteId::kMe, "GET", "/api/v1/auth/me", Access::anyone_known()},
    {RouteId::kCreateUser, "POST", "/api/v1/users", Access::to(kUserCreate)},
    {RouteId::kListUsers, "GET", "/api/v1/users", Access::to(kUserRead)},
    {RouteId::kGetUser, "GET", "/api/v1/users/{user}", Access::to(kUserRead)},
    {RouteId::kUpdateUser, "PATCH", "/api/v1/users/{user}", Access::to(kUserUpdate)},
    {RouteId::kDeleteUser, "DELETE", "/api/v1/users/{user}", Access::to(kUserDelete)},
    {RouteId::kCreateKey, "POST", "/api/v1/keys", Access::to(kKeyCreate)},
    {RouteId::kListKeys, "GET", "/api/v1/keys", Access::to(kKeyRead)},
    {RouteId::kGetKey, "GET", "/api/v1/keys/{key}", Access::to(kKeyRead)},
    {RouteId::kUpdateKey, "PATCH", "/api/v1/keys/{key}", Access::to(kKeyUpdate)},
    {RouteId::kDeleteKey, "DELETE", "/api/v1/keys/{key}", Access::to(kKeyDelete)},
    {RouteId::kCreateTenant, "POST", "/api/v1/tenants", Access::to_operators(kTenantCreate)},
    {RouteId::kListTenants, "GET", "/api/v1/tenants", Access::to_operators(kTenantRead)},
    {RouteId::kGetTenant, "GET", "/api/v1/tenants/{tenant}", Access::to_operators(kTenantRead)},
    {RouteId::kUpdateTenant, "PATCH", "/api/v1/tenants/{tenant}", Access::to_operators(kTenantUpdate)},
    {RouteId::kDeleteTenant, "DELETE", "/api/v1/tenants/{tenant}", Access::to_operators(kTenantDelete)},
    {RouteId::kDestroyBackupKeys, "DELETE", "/api/v1/tenants/{tenant}/backup-keys",
     Access::to_operators(kTenantDelete)},
    {RouteId::kReadAudit, "GET", "/api/v1/audit", Access::to(kAuditRead)},
    {RouteId::kCreateBackup, "POST", "/api/v1/backups", Access::to_operators(kBackupCreate)},
    {RouteId::kListBackups, "GET", "/api/v1/backups", Access::to_operators(kBackupCreate)},
    {RouteId::kGetBackup, "GET", "/api/v1/backups/{backup}", Access::to_operators(kBackupCreate)},
    {RouteId::kGetTier, "GET", "/api/v1/collections/{collection}/tier", Access::to(kCollectionRead)},
    {RouteId::kMoveTier, "POST", "/api/v1/collections/{collection}/tier", Access::to(kAdminTiers)},
    {RouteId::kGetTiers, "GET", "/api/v1/tiers", Access::to_operators(kAdminTiers)},
    {RouteId::kListDeadLetters, "GET", "/api/v1/tiers/dead-letters", Access::to_operators(kAdminTiers)},
    {RouteId::kRetryDeadLetters, "POST", "/api/v1/tiers/dead-letters/retry",
     Access::to_operators(kAdminTiers)},
    {RouteId::kRetryDeadLetter, "POST", "/api/v1/tiers/dead-letters/{letter}/retry",
     Access::to_operators(kAdminTiers)},
    {RouteId::kDropDeadLetter, "DELETE", "/api/v1/tiers/dead-letters/{letter}",
     Access::to_operators(kAdminTiers)},
    {RouteId::kResetBreaker, "POST", "/api/v1/tiers/breaker/reset", Access::to_operators(kAdminTiers)},
    {RouteId::kQdrantListCollections, "GET", "/collections", Access::to(kCollectionRead)},
    {RouteId::kQdrantDescribe, "GET", "/collections/{collection}", Access::to(kCollectionRead)},
    {RouteId::kQdrantCreate, "PUT", "/collections/{collection}", Access::to(kCollectionCreate)},
    {RouteId::kQdrantUpdate, "PATCH", "/collections/{collection}", Access::to(kCollectionUpdate)},
    {RouteId::kQdrantDelete, "DELETE", "/collections/{collection}", Access::to(kCollectionDelete)},
    {RouteId::kQdrantExists, "GET", "/collections/{collection}/exists", Access::to(kCollectionRead)},
    {RouteId::kQdrantPutIndex, "PUT", "/collections/{collection}/index", Access::to(kCollectionUpdate)},
    {RouteId::kQdrantDeleteIndex, "DELETE", "/collections/{collection}/index/{field}",
     Access::to(kCollectionUpdate)},
    {RouteId::kQdrantChangeAliases, "POST", "/collections/aliases", Access::to(kCollectionUpdate)},
    {RouteId::kQdrantListAliases, "GET", "/aliases", Access::to(kCollectionRead)},
    {RouteId::kQdrantCollectionAliases, "GET", "/collections/{collection}/aliases",
     Access::to(kCollectionRead)},
    {RouteId::kQdrantRetrieve, "POST", "/collections/{collection}/points", Access::to(kDocumentSearch)},
    {RouteId::kQdrantPoint, "GET", "/collections/{collection}/points/{id}", Access::to(kDocumentSearch)},
    {RouteId::kQdrantScroll, "POST", "/collections/{collection}/points/scroll", Access::to(kDocumentSearch)},
    {RouteId::kQdrantCount, "POST", "/collections/{collection}/points/count", Access::to(kDocumentSearch)},
    {RouteId::kQdrantFacet, "POST", "/collections/{collection}/facet", Access::to(kDocumentSearch)},
    {RouteId::kQdrantQuery, "POST", "/collections/{collection}/points/query", Access::to(kDocumentSearch)},
    {RouteId::kQdrantQueryBatch, "POST", "/collections/{collection}/points/query/batch",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantQueryGroups, "POST", "/collections/{collection}/points/query/groups",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantSearch, "POST", "/collections/{collection}/points/search", Access::to(kDocumentSearch)},
    {RouteId::kQdrantSearchBatch, "POST", "/collections/{collection}/points/search/batch",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantSearchGroups, "POST", "/collections/{collection}/points/search/groups",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantRecommend, "POST", "/collections/{collection}/points/recommend",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantRecommendBatch, "POST", "/collections/{collection}/points/recommend/batch",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantRecommendGroups, "POST", "/collections/{collection}/points/recommend/groups",
     Access::to(kDocumentSearch)},
    {RouteId::kQdrantUpsert, "PUT", "/collections/{collection}/points", Access::to(kDocumentInsert)},
    {RouteId::kQdrantDeletePoints, "POST", "/collections/{collection}/points/delete",
     Access::to(kDocumentDelete)},
    {RouteId::kQdrantSetPayload, "POST", "/collections/{collection}/points/payload",
     Access::to(kDocumentUpdate)},
    {RouteId::kQdrantOverwritePayload, "PUT", "/collections/{collection}/points/payload",
     Access::to(kDocumentUpdate)},
    {RouteId::kQdrantDeletePayload, "POST", "/collections/{collection}/points/payload/delete",
     Access::to(kDocumentUpdate)},
    {RouteId::kQdrantClearPayload, "POST", "/collections/{collection}/points/payload/clear",
     Access::to(kDocumentUpdate)},
    {RouteId::kQdrantVectors, "PUT", "/collections/{collection}/points/vectors", Access::to(kDocumentUpdate)},
    {RouteId::kQdrantDeleteVectors, "POST", "/collections/{collection}/points/vectors/delete",
     Access::to(kDocumentUpdate)},
    {RouteId::kQdrantBatch, "POST", "/collections/{collection}/points/batch",
     Access::to(kDocumentInsert, kDocumentUpdate, kDocumentDelete)},
}};

constexpr bool ids_are_positions() {
    for (size_t i = 0; i < kRoutes.size(); ++i) {
        if (static_cast<size_t>(kRoutes[i].id) != i || kRoutes[i].path.empty()) {
            return false;
        }
    }
    return true;
}
static_assert(ids_are_positions());

constexpr size_t kCapturesMax = 2;

constexpr bool captures_fit() {
    return std::all_of(kRoutes.begin(), kRoutes.end(), [](const Route& route) {
        return std::count(route.path.begin(), route.path.end(), '{') <= ptrdiff_t{kCapturesMax};
    });
}
static_assert(captures_fit());

std::optional<unsigned> hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') {
        return static_cast<unsigned>(letter - '0');
    }
    char lower = static_cast<char>(letter | 0x20);
    if (lower >= 'a' && lower <= 'f') {
        return static_cast<unsigned>(lower - 'a' + 10);
    }
    return std::nullopt;
}

Result<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
        if (!high || !low) {
            return Error(Code::kInvalidArgument, "the URL holds a % that is not followed by two hex digits");
        }
        decoded.push_back(static_cast<char>(*high << 4 | *low));
        i += 2;
    }
    if (!model::is_utf8(decoded)) {
        return Error(Code::kInvalidArgument, "the URL is not valid UTF-8");
    }
    return decoded;
}

/// Takes the first segment (without slashes) off `path`.
std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(1);
    std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool is_open(std::string_view segment) {
    return !segment.empty() && segment.front() == '{';
}

struct Captured {
    std::array<std::string_view, kCapturesMax> segments;
    size_t count = 0;
};

/// The captured segments, still encoded; nothing when the path is another one.
std::optional<Captured> captures(std::string_view pattern, std::string_view path) {
    Captured found;
    while (!pattern.empty() && !path.empty()) {
        std::string_view wanted = next_segment(pattern);
        std::string_view given = next_segment(path);
        if (is_open(wanted) && !given.empty()) {
            found.segments[found.count++] = given;
        } else if (wanted != given) {
            return std::nullopt;
        }
    }
    if (!pattern.empty() || !path.empty()) {
        return std::nullopt;
    }
    return found;
}

std::string_view nearest_path(std::string_view path) {
    std::vector<std::string_view> paths;
    for (const Route& route : kRoutes) {
        paths.push_back(route.path);
    }
    return nearest_name(path, paths);
}

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

std::vector<std::string> route_list() {
    std::vector<std::string> list;
    for (const Route& route : kRoutes) {
        list.push_back(std::string(route.method).append(" ").append(route.path));
    }
    return list;
}

Result<RouteMatch> match_route(std::string_view method, std::string_view path) {
    RouteMatch match;
    if (path.empty() || path.front() != '/') {
        return match;
    }
    std::string_view wanted = method == "HEAD" ? "GET" : method;
    Captured segments;
    for (const Route& route : kRoutes) {
        auto found = captures(route.path, path);
        if (!found) {
            continue;
        }
        // "documents/get" is a path of its own beside "documents/{id}", yet a document may be called "get":
        // the methods of both count.
        if (route.method == wanted && match.route == nullptr) {
            match.route = &route;
            segments = *found;
        }
        match.allow.append(match.allow.empty() ? "" : ", ").append(route.method);
    }
    if (match.allow.empty()) {
        match.nearest = nearest_path(path);
    }
    for (size_t i = 0; i < segments.count; ++i) {
        AKIDB_TRY(std::string decoded, percent_decoded(segments.segments[i]));
        match.captured.push_back(std::move(decoded));
    }
    return match;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query, std::span<const std::string_view> known) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) {
            continue;
        }
        size_t equals = pair.find('=');
        AKIDB_TRY(std::string name, percent_decoded(pair.substr(0, equals)));
        AKIDB_TRY(
            std::string value,
            percent_decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1)));
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            std::string_view near = nearest_name(name, known);
            return invalid_argument(
                printable(name),
                "unknown query parameter" +
                    (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?"),
                known.empty() ? "no query parameters" : join_names(known));
        }
        for (const auto& [earlier, ignored] : parameters) {
            if (earlier == name) {
                return invalid_argument(printable(name), "the query parameter is there twice");
            }
        }
        parameters.emplace_back(std::move(name), std::move(value));
    }
    return parameters;
}

}  // namespace akidb::rest
