#include "service/service.h"

#include <utility>

#include "model/limits.h"
#include "service/composed_search.h"

namespace akidb::service {
namespace {

// Above these a search holds up the other connections of its thread.
constexpr uint64_t kQuickTopKMax = 1'000;
constexpr uint64_t kQuickFloatsMax = 16 << 20;  // 64 MB: some 5 ms from memory

CollectionDescription describe(const DirectoryEntry& entry) {
    CollectionDescription description{entry.spec, entry.condition, entry.reason, {}};
    if (entry.collection != nullptr) {
        description.stats = entry.collection->stats();
    }
    return description;
}

Result<model::SearchReply> search_one(const engine::Collection& collection,
                                      const model::SearchRequest& request) {
    return request.is_composed() ? search_composed(collection, request) : collection.search(request);
}

/// Of a search, documents in its answer.
uint64_t documents_of(const model::SearchRequest& request) {
    return uint64_t{request.offset} +
           uint64_t{request.top_k} * (request.group_by ? request.group_by->size : 1);
}

Result<void> check_batch(const std::vector<model::SearchRequest>& requests) {
    if (requests.empty() || requests.size() > model::kBatchSearchesMax) {
        return invalid_argument("searches", "a batch of " + std::to_string(requests.size()) + " searches",
                                "1.." + std::to_string(model::kBatchSearchesMax) + " searches");
    }
    uint64_t documents = 0;
    for (size_t i = 0; i < requests.size(); ++i) {
        documents += documents_of(requests[i]);
        if (documents > model::kTopKMax) {
            return invalid_argument(
                "searches[" + std::to_string(i) + "].top_k", "the searches ask for too many documents",
                "at most " + std::to_string(model::kTopKMax) + " in all, top_k and offset of each added up");
        }
    }
    return {};
}

}  // namespace

Service::Service(Directory& directory, const io::Clock& clock, io::Random& random)
    : directory_(directory), clock_(clock), random_(random) {}

Result<CollectionDescription> Service::create_collection(const RequestContext&,
                                                         const CreateCollection& request) {
    model::CollectionSpec spec;
    spec.name = request.name;
    spec.dimension = request.dimension;
    spec.metric = request.metric;
    spec.metadata_indexes = request.metadata_indexes;
    AKIDB_TRY(const DirectoryEntry entry, directory_.create(std::move(spec)));
    return describe(entry);
}

Result<std::vector<CollectionDescription>> Service::list_collections(const RequestContext&) {
    std::vector<CollectionDescription> descriptions;
    for (const DirectoryEntry& entry : directory_.list()) {
        descriptions.push_back(describe(entry));
    }
    return descriptions;
}

Result<CollectionDescription> Service::describe_collection(const RequestContext&,
                                                           std::string_view collection) {
    AKIDB_TRY(const DirectoryEntry entry, directory_.describe(collection));
    return describe(entry);
}

Result<void> Service::delete_collection(const RequestContext&, std::string_view collection) {
    return directory_.remove(collection);
}

Result<void> Service::put_metadata_index(const RequestContext&, std::string_view collection,
                                         const model::MetadataField& field) {
    return directory_.put_metadata_index(collection, field);
}

Result<void> Service::delete_metadata_index(const RequestContext&, std::string_view collection,
                                            const std::string& key) {
    return directory_.remove_metadata_index(collection, key);
}

Result<void> Service::change_aliases(const RequestContext&, const std::vector<AliasAction>& actions) {
    return directory_.change_aliases(actions);
}

Result<std::vector<Alias>> Service::list_aliases(const RequestContext&) {
    return directory_.aliases();
}

model::DocumentId Service::new_document_id() {
    return model::DocumentId(io::make_uuid(random_, clock_));
}

void Service::upsert_documents(const RequestContext& context, std::string_view collection,
                               std::vector<model::Document> documents, engine::WriteDone done) {
    const auto found = directory_.find(collection);
    if (!found) {
        return done(found.error());
    }
    (*found)->submit_upsert(std::move(documents), std::move(done), context.write_key);
}

void Service::delete_documents(const RequestContext& context, std::string_view collection,
                               const std::vector<model::DocumentId>& ids, engine::WriteDone done) {
    const auto found = directory_.find(collection);
    if (!found) {
        return done(found.error());
    }
    (*found)->submit_remove(ids, std::move(done), context.write_key);
}

void Service::update_documents(const RequestContext& context, std::string_view collection,
                               model::UpdateRequest request, engine::WriteDone done) {
    const auto found = directory_.find(collection);
    if (!found) {
        return done(found.error());
    }
    (*found)->submit_update(std::move(request), std::move(done), context.write_key);
}

Result<engine::WriteReply> Service::delete_matching(const RequestContext& context,
                                                    std::string_view collection,
                                                    const model::Filter& filter) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->remove_matching(filter, context.write_key);
}

Result<EraseReceipt> Service::erase_documents(const RequestContext&, std::string_view collection,
                                              const std::vector<model::DocumentId>& ids) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    AKIDB_TRY(engine::EraseReceipt files, found->erase(ids));
    return EraseReceipt{std::move(files), clock_.unix_ms()};
}

Result<EraseReceipt> Service::erase_matching(const RequestContext&, std::string_view collection,
                                             const model::Filter& filter) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    AKIDB_TRY(engine::EraseReceipt files, found->erase_matching(filter));
    return EraseReceipt{std::move(files), clock_.unix_ms()};
}

Result<std::vector<model::Document>> Service::get_documents(const RequestContext&,
                                                            std::string_view collection,
                                                            const std::vector<model::DocumentId>& ids,
                                                            model::Include include) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->get(ids, include);
}

Result<uint64_t> Service::count_documents(const RequestContext&, std::string_view collection,
                                          const model::Filter* filter, bool is_exact) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->count(filter, is_exact);
}

Result<model::ScrollReply> Service::scroll(const RequestContext&, std::string_view collection,
                                           const model::ScrollRequest& request) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->scroll(request);
}

Result<model::FacetReply> Service::facet(const RequestContext&, std::string_view collection,
                                         const model::FacetRequest& request) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->facet(request);
}

Result<engine::RewriteReport> Service::optimize(const RequestContext&, std::string_view collection) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return found->rewrite();
}

bool Service::is_quick(std::string_view collection, const model::SearchRequest& request) const {
    if (request.is_composed() || request.filter != nullptr || request.params.exact ||
        uint64_t{request.top_k} + request.offset > kQuickTopKMax) {
        return false;
    }
    const auto found = directory_.find(collection);
    return !found || (*found)->estimate_floats(request) <= kQuickFloatsMax;
}

Result<model::SearchReply> Service::search(const RequestContext&, std::string_view collection,
                                           const model::SearchRequest& request) {
    AKIDB_TRY(const auto found, directory_.find(collection));
    return search_one(*found, request);
}

Result<std::vector<model::SearchReply>> Service::search_batch(
    const RequestContext&, std::string_view collection, const std::vector<model::SearchRequest>& requests) {
    AKIDB_TRY(check_batch(requests));
    AKIDB_TRY(const auto found, directory_.find(collection));
    std::vector<model::SearchReply> replies;
    replies.reserve(requests.size());
    for (const model::SearchRequest& request : requests) {
        Result<model::SearchReply> reply = search_one(*found, request);
        if (!reply) {
            return std::move(reply).error().with_field_prefix("searches[" + std::to_string(replies.size()) +
                                                              "]");
        }
        replies.push_back(std::move(reply).value());
    }
    return replies;
}

}  // namespace akidb::service
