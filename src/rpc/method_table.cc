#include "rpc/method_table.h"

#include <array>

#include "model/limits.h"

namespace akidb::rpc {
namespace {

using enum MethodId;
using model::kBodyBytesMax;
using model::kImportBodyBytesMax;

// In the order of MethodId.
constexpr std::array<MethodRow, kMethodCount> kMethods{{
    {kCreateCollection, "CollectionService/Create", "POST /api/v1/collections", kBodyBytesMax},
    {kListCollections, "CollectionService/List", "GET /api/v1/collections", kBodyBytesMax},
    {kDescribeCollection, "CollectionService/Describe",
     "GET /api/v1/collections/{collection}, GET /api/v1/collections/{collection}/stats", kBodyBytesMax},
    {kDeleteCollection, "CollectionService/Delete", "DELETE /api/v1/collections/{collection}", kBodyBytesMax},
    {kPutMetadataIndex, "CollectionService/PutMetadataIndex",
     "PUT /api/v1/collections/{collection}/metadata-indexes/{field}", kBodyBytesMax},
    {kDeleteMetadataIndex, "CollectionService/DeleteMetadataIndex",
     "DELETE /api/v1/collections/{collection}/metadata-indexes/{field}", kBodyBytesMax},
    {kOptimize, "CollectionService/Optimize", "POST /api/v1/collections/{collection}/optimize",
     kBodyBytesMax},
    {kListAliases, "CollectionService/ListAliases", "GET /api/v1/aliases", kBodyBytesMax},
    {kChangeAliases, "CollectionService/ChangeAliases", "POST /api/v1/aliases", kBodyBytesMax},
    {kUpsert, "DocumentService/Upsert", "PUT /api/v1/collections/{collection}/documents",
     kImportBodyBytesMax},
    {kUpdate, "DocumentService/Update", "PATCH /api/v1/collections/{collection}/documents",
     kImportBodyBytesMax},
    {kGet, "DocumentService/Get",
     "POST /api/v1/collections/{collection}/documents/get, GET "
     "/api/v1/collections/{collection}/documents/{id}",
     kBodyBytesMax},
    {kDelete, "DocumentService/Delete",
     "POST /api/v1/collections/{collection}/documents/delete, DELETE "
     "/api/v1/collections/{collection}/documents/{id}",
     kBodyBytesMax},
    {kErase, "DocumentService/Erase", "POST /api/v1/collections/{collection}/documents/erase", kBodyBytesMax},
    {kCount, "DocumentService/Count", "POST /api/v1/collections/{collection}/count", kBodyBytesMax},
    {kScroll, "DocumentService/Scroll", "POST /api/v1/collections/{collection}/scroll", kBodyBytesMax},
    {kFacet, "DocumentService/Facet", "POST /api/v1/collections/{collection}/facet", kBodyBytesMax},
    {kImport, "DocumentService/Import", "", kImportBodyBytesMax},
    {kExport, "DocumentService/Export", "", kBodyBytesMax},
    {kSearch, "SearchService/Search", "POST /api/v1/collections/{collection}/search", kBodyBytesMax},
    {kSearchBatch, "SearchService/SearchBatch", "POST /api/v1/collections/{collection}/search/batch",
     kImportBodyBytesMax},
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
