#include "service/service.h"

#include <utility>

#include "model/limits.h"
#include "service/composed_search.h"
#include "service/row_rules.h"
#include "service/traced.h"

namespace akidb::service {
namespace {

// Above these a search holds up the other connections of its thread.
constexpr uint64_t kQuickTopKMax = 1'000;
constexpr uint64_t kQuickFloatsMax = 16 << 20;  // 64 MB: some 5 ms from memory

/// `rule`: null, or that of who asks.
Result<model::SearchReply> search_one(const engine::Collection& collection,
                                      const model::SearchRequest& request, const SharedFilter& rule) {
    if (rule == nullptr) {
        return request.is_composed() ? search_composed(collection, request) : collection.search(request);
    }
    model::SearchRequest own = request;
    if (own.filter != nullptr) {
        AKIDB_TRY(model::validate(*own.filter));
    }
    own.filter = both_of(own.filter, rule);
    return own.is_composed() ? search_composed(collection, own, rule.get()) : collection.search(own);
}

model::Filter ruled(const model::Filter& filter, const SharedFilter& rule) {
    return rule == nullptr ? filter : *both_of(std::make_shared<model::Filter>(filter), rule);
}

/// A request for documents by a filter, of which the rule is a part.
template <class Request>
Request ruled(Request request, const SharedFilter& rule) {
    request.filter = both_of(request.filter, rule);
    return request;
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

model::DocumentId Service::new_document_id() {
    return model::DocumentId(io::make_uuid(random_, clock_));
}

void Service::upsert_documents(const RequestContext& context, std::string_view collection,
                               std::vector<model::Document> documents, engine::WriteDone done) {
    const auto found = find(context, collection);
    if (!found) {
        return done(found.error());
    }
    if (const Result<void> fits = check_documents_quota(context, documents.size()); !fits) {
        return done(fits.error());
    }
    if (const Result<void> room = check_room(**found, size_of(documents)); !room) {
        return done(room.error());
    }
    (*found)->submit_upsert(std::move(documents), traced(context, std::move(done)), terms_of(context));
}

void Service::delete_documents(const RequestContext& context, std::string_view collection,
                               const std::vector<model::DocumentId>& ids, engine::WriteDone done) {
    const auto found = find(context, collection);
    if (!found) {
        return done(found.error());
    }
    (*found)->submit_remove(ids, traced(context, std::move(done)), terms_of(context));
}

void Service::update_documents(const RequestContext& context, std::string_view collection,
                               model::UpdateRequest request, engine::WriteDone done) {
    const auto found = find(context, collection);
    if (!found) {
        return done(found.error());
    }
    if (tiers_ != nullptr) {  // nobody else asks how large it is
        if (const Result<void> room = check_room(**found, (*found)->estimate_update(request)); !room) {
            return done(room.error());
        }
    }
    (*found)->submit_update(std::move(request), traced(context, std::move(done)), terms_of(context));
}

Result<engine::WriteReply> Service::delete_matching(const RequestContext& context,
                                                    std::string_view collection,
                                                    const model::Filter& filter) {
    AKIDB_TRY(const auto found, find(context, collection));
    AKIDB_TRY(model::validate(filter));
    const model::Filter own = ruled(filter, context.principal->row_rule);
    const uint64_t began_us = context.trace() == nullptr ? 0 : context.trace()->now_us();
    Result<engine::WriteReply> reply = found->remove_matching(own, terms_of(context));
    trace_write(context.trace(), began_us, reply);
    return reply;
}

Result<EraseReceipt> Service::erase_documents(const RequestContext& context, std::string_view collection,
                                              const std::vector<model::DocumentId>& ids) {
    AKIDB_TRY(const auto found, find(context, collection));
    AKIDB_TRY(engine::EraseReceipt files, found->erase(ids, context.principal->row_rule));
    return conclude_erase(*found, std::move(files));
}

Result<EraseReceipt> Service::erase_matching(const RequestContext& context, std::string_view collection,
                                             const model::Filter& filter) {
    AKIDB_TRY(const auto found, find(context, collection));
    AKIDB_TRY(model::validate(filter));
    AKIDB_TRY(engine::EraseReceipt files, found->erase_matching(ruled(filter, context.principal->row_rule)));
    return conclude_erase(*found, std::move(files));
}

Result<std::vector<model::Document>> Service::get_documents(const RequestContext& context,
                                                            std::string_view collection,
                                                            const std::vector<model::DocumentId>& ids,
                                                            const model::Include& include) {
    AKIDB_TRY(const auto found, find(context, collection));
    const SharedFilter& rule = context.principal->row_rule;
    if (rule == nullptr) {
        return found->get(ids, include);
    }
    model::Include with_metadata = include;
    with_metadata.metadata = true;
    AKIDB_TRY(std::vector<model::Document> documents, found->get(ids, with_metadata));
    keep_covered(rule, documents);
    for (model::Document& document : documents) {
        if (!include.metadata) {
            document.metadata.clear();
        }
    }
    return documents;
}

Result<uint64_t> Service::count_documents(const RequestContext& context, std::string_view collection,
                                          const model::Filter* filter, bool is_exact,
                                          std::optional<uint64_t> deadline_us) {
    AKIDB_TRY(const auto found, find(context, collection, deadline_us));
    const tracing::Step step(context.trace(), "count");
    const SharedFilter& rule = context.principal->row_rule;
    if (rule == nullptr) {
        return found->count(filter, is_exact, deadline_us);
    }
    if (filter == nullptr) {
        return found->count(rule.get(), true, deadline_us);
    }
    AKIDB_TRY(model::validate(*filter));
    const model::Filter own = ruled(*filter, rule);
    return found->count(&own, true, deadline_us);  // an estimate would look at what he must not know of
}

Result<model::ScrollReply> Service::scroll(const RequestContext& context, std::string_view collection,
                                           const model::ScrollRequest& request) {
    AKIDB_TRY(const auto found, find(context, collection, request.deadline_us));
    const tracing::Step step(context.trace(), "scroll");
    return found->scroll(ruled(request, context.principal->row_rule));
}

Result<model::FacetReply> Service::facet(const RequestContext& context, std::string_view collection,
                                         const model::FacetRequest& request) {
    AKIDB_TRY(const auto found, find(context, collection, request.deadline_us));
    const tracing::Step step(context.trace(), "facet");
    return found->facet(ruled(request, context.principal->row_rule));
}

Result<engine::RewriteReport> Service::optimize(const RequestContext& context, std::string_view collection) {
    AKIDB_TRY(const auto found, find(context, collection));
    return found->rewrite();
}

bool Service::is_quick(const RequestContext& context, std::string_view collection,
                       const model::SearchRequest& request) const {
    if (context.principal == nullptr || context.principal->row_rule != nullptr || request.is_composed() ||
        request.filter != nullptr || request.params.exact ||
        uint64_t{request.top_k} + request.offset > kQuickTopKMax || !is_awake(context, collection)) {
        return false;
    }
    const auto found = find(context, collection);
    return !found || (*found)->estimate_floats(request) <= kQuickFloatsMax;
}

Result<model::SearchReply> Service::search(const RequestContext& context, std::string_view collection,
                                           const model::SearchRequest& request) {
    if (auto answered = search_cold(context, collection, request)) {
        return std::move(*answered);
    }
    AKIDB_TRY(const auto found, find(context, collection, request.deadline_us));
    return search_in(*found, context, request);
}

Result<model::SearchReply> Service::search_in(const engine::Collection& collection,
                                              const RequestContext& context,
                                              const model::SearchRequest& request) const {
    const SearchLoad::Running running(search_load_);
    const SharedFilter& rule = context.principal->row_rule;
    const bool is_timed = slow_log_ != nullptr && slow_log_->is_on();
    const uint64_t began_us = is_timed ? clock_.monotonic_us() : 0;
    tracing::Step step(context.trace(), "search");
    Result<model::SearchReply> reply = search_one(collection, request, rule);
    if (step.is_recorded()) {
        describe_search(step, collection.spec().name, request, reply);
    }
    if (is_timed) {
        slow_log_->note({context, collection, request, reply, clock_.monotonic_us() - began_us});
    }
    // Under a rule it would tell of documents that who asks must not know of.
    if (reply && (!request.explain || rule != nullptr)) {
        reply->explanation.reset();
    }
    return reply;
}

Result<std::vector<model::SearchReply>> Service::search_batch(
    const RequestContext& context, std::string_view collection,
    const std::vector<model::SearchRequest>& requests) {
    AKIDB_TRY(check_batch(requests));
    AKIDB_TRY(const auto found, find(context, collection, requests.front().deadline_us));
    std::vector<model::SearchReply> replies;
    replies.reserve(requests.size());
    for (const model::SearchRequest& request : requests) {
        Result<model::SearchReply> reply = search_in(*found, context, request);
        if (!reply) {
            return std::move(reply).error().with_field_prefix("searches[" + std::to_string(replies.size()) +
                                                              "]");
        }
        replies.push_back(std::move(reply).value());
    }
    return replies;
}

}  // namespace akidb::service
