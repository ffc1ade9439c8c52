#include "rest/api.h"

#include <atomic>

#include "model/limits.h"
#include "rest/answer_codec.h"
#include "rest/call.h"
#include "rest/document_routes.h"
#include "rest/http_text.h"
#include "rest/probes.h"
#include "rest/request_codec.h"
#include "rest/router.h"
#include "rest/search_codec.h"
#include "rest/search_routes.h"
#include "rest/write_codec.h"

namespace akidb::rest {
namespace {

Result<void> create_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service::CreateCollection request, read_create_body(call.body()));
    AKIDB_TRY(service::CollectionDescription made, service.create_collection(call.context(), request));
    JsonWriter writer;
    open_collection(writer, made);
    call.answer(std::move(writer.end_object()), 201);
    return {};
}

Result<void> list_collections(Call& call, service::Service& service) {
    AKIDB_TRY(std::vector<service::CollectionDescription> list, service.list_collections(call.context()));
    JsonWriter writer;
    writer.begin_object().key("collections").begin_array();
    for (const service::CollectionDescription& collection : list) {
        write_description(writer, collection);
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> describe_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service::CollectionDescription found,
              service.describe_collection(call.context(), call.collection()));
    JsonWriter writer;
    write_description(writer, found);
    call.answer(std::move(writer));
    return {};
}

Result<void> delete_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service.delete_collection(call.context(), call.collection()));
    JsonWriter writer;
    writer.begin_object().member("deleted", true).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> put_metadata_index(Call& call, service::Service& service) {
    AKIDB_TRY(const model::MetadataIndexType type, read_metadata_index_body(call.body()));
    const model::MetadataField field{call.match().captured[1], type};
    AKIDB_TRY(service.put_metadata_index(call.context(), call.collection(), field));
    JsonWriter writer;
    writer.begin_object().member("field", field.key).member("type", model::name_of(type)).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> delete_metadata_index(Call& call, service::Service& service) {
    AKIDB_TRY(service.delete_metadata_index(call.context(), call.collection(), call.match().captured[1]));
    JsonWriter writer;
    writer.begin_object().member("deleted", true).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> optimize(Call& call, service::Service& service) {
    AKIDB_TRY(const engine::RewriteReport report, service.optimize(call.context(), call.collection()));
    JsonWriter writer;
    writer.begin_object().member("dropped_rows", report.dropped_rows).member("took_ms", call.elapsed_ms());
    call.answer(std::move(writer.end_object()));
    return {};
}

Result<void> perform(const std::shared_ptr<Call>& shared, service::Service& service) {
    Call& call = *shared;
    switch (call.match().route->id) {
        case RouteId::kCreateCollection:
            return create_collection(call, service);
        case RouteId::kListCollections:
            return list_collections(call, service);
        case RouteId::kDescribeCollection:
        case RouteId::kStats:
            return describe_collection(call, service);
        case RouteId::kDeleteCollection:
            return delete_collection(call, service);
        case RouteId::kUpsert:
            return upsert_documents(shared, service);
        case RouteId::kUpdateDocuments:
            return update_documents(shared, service);
        case RouteId::kGetDocuments:
            return get_documents(call, service);
        case RouteId::kGetDocument:
            return get_document(call, service);
        case RouteId::kDeleteDocument:
            return delete_document(shared, service);
        case RouteId::kDeleteDocuments: {
            AKIDB_TRY(const DeleteBody body, read_delete_body(call.body()));
            return delete_documents(shared, service, body);
        }
        case RouteId::kEraseDocuments:
            return erase_documents(call, service);
        case RouteId::kCount:
            return count_documents(call, service);
        case RouteId::kScroll:
            return scroll(call, service);
        case RouteId::kFacet:
            return facet(call, service);
        case RouteId::kOptimize:
            return optimize(call, service);
        case RouteId::kPutMetadataIndex:
            return put_metadata_index(call, service);
        case RouteId::kDeleteMetadataIndex:
            return delete_metadata_index(call, service);
        case RouteId::kSearchBatch:
            return search_batch(call, service);
        default: {
            AKIDB_TRY(model::SearchRequest request, read_search_body(call.body(), call.began_us()));
            return search(call, service, request);
        }
    }
}

class ApiHandler final : public Api {
  public:
    explicit ApiHandler(ApiDependencies dependencies)
        : given_(dependencies), durations_(dependencies.metrics) {}

    void attach_service(service::Service& service) override {
        service_.store(&service, std::memory_order_release);
    }

    uint64_t body_bytes_max(std::string_view method, std::string_view path) const override {
        const bool is_batch = ((method == "PUT" || method == "PATCH") && path.ends_with("/documents")) ||
                              (method == "POST" && path.ends_with("/search/batch"));
        return is_batch ? model::kImportBodyBytesMax : model::kBodyBytesMax;
    }

    HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                std::string_view request_id) const override {
        return error_answer(status, code, message, request_id);
    }

    void handle(HttpRequest request, Respond respond) override {
        auto call = std::make_shared<Call>(std::move(request), std::move(respond), durations_, given_.clock,
                                           given_.logger);
        call->guarded([&] { return route(call); });
    }

  private:
    Result<void> route(const std::shared_ptr<Call>& call) {
        HttpRequest& request = call->request();
        AKIDB_TRY(RouteMatch match, match_route(request.method, request.path));
        call->set_match(std::move(match));
        const Route* route = call->match().route;
        if (route == nullptr) {
            call->answer(answer_no_route(request, call->match()));
            return {};
        }
        if (route->id <= RouteId::kRoot) {
            call->answer(answer_probe(route->id, request, given_.lifecycle, given_.metrics));
            return {};
        }
        if (route->id != RouteId::kUpsert) {
            AKIDB_TRY(parse_query(request.query, {}));
        }
        if (!request.content_type.empty() && !request.body.empty() && !is_json(request.content_type)) {
            call->answer(error_answer(415, "INVALID_ARGUMENT",
                                      "the Content-Type must be application/json (curl: --json)",
                                      request.request_id));
            return {};
        }
        service::Service* service = service_.load(std::memory_order_acquire);
        if (service == nullptr) {
            return Error(Code::kUnavailable, "the server is starting").with_retry_after(1);
        }
        return dispatch(call, *service);
    }

    Result<void> dispatch(const std::shared_ptr<Call>& call, service::Service& service) {
        RouteId id = call->match().route->id;
        const bool is_small = call->body().size() <= service::Service::kQuickRequestBytesMax;
        if (id == RouteId::kGetDocument || id == RouteId::kDeleteDocument ||
            ((id == RouteId::kUpsert || id == RouteId::kUpdateDocuments) && is_small)) {
            return perform(call, service);
        }
        if (id == RouteId::kDeleteDocuments && is_small) {
            AKIDB_TRY(DeleteBody body, read_delete_body(call->body()));
            if (!std::holds_alternative<model::Filter>(body.which)) {
                return delete_documents(call, service, body);
            }
            auto kept = std::make_shared<const DeleteBody>(std::move(body));
            return submit(call, [&service, kept](const std::shared_ptr<Call>& later) {
                return delete_documents(later, service, *kept);
            });
        }
        if (id == RouteId::kSearch && is_small) {
            AKIDB_TRY(model::SearchRequest request, read_search_body(call->body(), call->began_us()));
            if (service.is_quick(call->collection(), request)) {
                return search(*call, service, request);
            }
            return submit(call, [&service, request = std::move(request)](const std::shared_ptr<Call>& later) {
                return search(*later, service, request);
            });
        }
        return submit(call,
                      [&service](const std::shared_ptr<Call>& later) { return perform(later, service); });
    }

    template <class Act>
    Result<void> submit(const std::shared_ptr<Call>& call, Act act) {
        // The job alone keeps the call, so that a dropped job answers; should it be refused, we still hold it
        // here.
        bool taken = given_.workers.submit("http", [call, act = std::move(act)](std::stop_token) {
            call->guarded([&] { return act(call); });
        });
        if (!taken) {
            return Error(Code::kRateLimited, "too many requests are waiting").with_retry_after(1);
        }
        return {};
    }

    ApiDependencies given_;
    DurationSeries durations_;
    std::atomic<service::Service*> service_{nullptr};
};

}  // namespace

std::unique_ptr<Api> make_api(ApiDependencies dependencies) {
    return std::make_unique<ApiHandler>(dependencies);
}

}  // namespace akidb::rest
