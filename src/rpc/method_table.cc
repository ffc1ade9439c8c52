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
