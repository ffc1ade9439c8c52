#include "rest/api.h"

#include <atomic>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/account_routes.h"
#include "rest/answer_codec.h"
#include "rest/backup_routes.h"
#include "rest/call.h"
#include "rest/collection_routes.h"
#include "rest/document_routes.h"
#include "rest/http_text.h"
#include "rest/probes.h"
#include "rest/qdrant/routes.h"
#include "rest/request_codec.h"
#include "rest/router.h"
#include "rest/search_codec.h"
#include "rest/search_routes.h"
#include "rest/tier_routes.h"
#include "rest/write_codec.h"

namespace akidb::rest {
namespace {

Result<void> perform(const std::shared_ptr<Call>& shared, service::Service& service) {
    Call& call = *shared;
    if (is_backup_route(call.match().route->id)) {
        return perform_on_backups(call, service);
    }
    if (is_tier_route(call.match().route->id)) {
        return perform_on_tiers(call, service);
    }
    if (call.match().route->id >= RouteId::kSetUp) {
        return perform_on_accounts(shared, service);
    }
    switch (call.match().route->id) {
        case RouteId::kCreateCollection:
            return create_collection(call, service);
        case RouteId::kListCollections:
            return list_collections(call, service);
        case RouteId::kDescribeCollection:
        case RouteId::kStats:
            return describe_collection(call, service);
        case RouteId::kChangeCollection:
            return change_collection(call, service);
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
        case RouteId::kListAliases:
            return list_aliases(call, service);
        case RouteId::kChangeAliases:
            return change_aliases(call, service);
        case RouteId::kSearchBatch:
            return search_batch(call, service);
        default: {
            AKIDB_TRY(model::SearchRequest request,
                      call.timed("parse", [&] { return read_search_body(call.body(), call.began_us()); }));
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
                              (method == "POST" && path.ends_with("/search/batch")) ||
                              (path.starts_with("/collections/") && path.find("/points") != path.npos);
        return is_batch ? model::kImportBodyBytesMax : model::kBodyBytesMax;
    }

    HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                std::string_view request_id) const override {
        return error_answer(status, code, message, request_id);
    }

    void handle(HttpRequest request, Respond respond) override {
        auto call = std::make_shared<Call>(std::move(request), std::move(respond), durations_, given_.clock,
                                           given_.logger, given_.tracer);
        call->guarded([&] { return route(call); });
    }

  private:
    Result<void> route(const std::shared_ptr<Call>& call) {
        HttpRequest& request = call->request();
        const bool is_qdrant = request.path.starts_with("/collections") || request.path == "/aliases";
        if (is_qdrant) {
            call->set_error_answer(&qdrant::error_answer);
        }
        AKIDB_TRY(RouteMatch match, match_route(request.method, request.path));
        call->set_match(std::move(match));
        const Route* route = call->match().route;
        if (route == nullptr) {
            HttpResponse refused = answer_no_route(request, call->match());
            if (is_qdrant) {
                refused.body =
                    qdrant::error_body("no such route: " + request.method + " " + printable(request.path));
            }
            call->answer(std::move(refused));
            return {};
        }
        if (route->id <= RouteId::kRoot) {
            call->drop_trace();
            // Before there is a service nothing is known of anybody, and the metrics name no collection yet.
            const service::Service* ready = service_.load(std::memory_order_acquire);
            if (!route->access.is_open() && ready != nullptr) {
                AKIDB_TRY(admit(*call, *ready));
            }
            call->answer(answer_probe(route->id, request, given_.lifecycle, given_.metrics));
            return {};
        }
        service::Service* service = service_.load(std::memory_order_acquire);
        if (service == nullptr) {
            return Error(Code::kUnavailable, "the server is starting").with_retry_after(1);
        }
        AKIDB_TRY(admit(*call, *service));
        const bool has_parameters = route->id == RouteId::kUpsert || route->id == RouteId::kGetDocument ||
                                    route->id == RouteId::kDeleteDocument ||
                                    route->id == RouteId::kReadAudit || is_qdrant;
        if (!has_parameters) {
            AKIDB_TRY(parse_query(request.query, {}));
        }
        if (!request.content_type.empty() && !request.body.empty() && !is_json(request.content_type)) {
            constexpr std::string_view kMessage = "the Content-Type must be application/json (curl: --json)";
            HttpResponse refused = error_answer(415, "INVALID_ARGUMENT", kMessage, request.request_id);
            if (is_qdrant) {
                refused.body = qdrant::error_body(kMessage);
            }
            call->answer(std::move(refused));
            return {};
        }
        return dispatch(call, *service);
    }

    /// All that can be refused by who asks and for what, before the body is read as anything.
    Result<void> admit(Call& call, const service::Service& service) const {
        const Route& route = *call.match().route;
        if (service.is_asking_who()) {
            call.set_source(source_of(call.request()));
        }
        service::Admission admission;
        Result<void> admitted = service.admit(route.access, call.request().credentials, admission,
                                              call.asking(route.path, route.method));
        call.set_admission(std::move(admission));
        AKIDB_TRY(std::move(admitted));
        const bool has_body = route.method != "GET" && route.method != "DELETE";
        const bool names_collection = has_body && route.id != RouteId::kQdrantCreate &&
                                      route.path.find("/{collection}") != std::string_view::npos;
        if (names_collection && service.is_asking_who()) {
            return service.check_collection(call.context(), call.collection());
        }
        return {};
    }

    /// Whether the call may have to wait for its collection to be opened, which no thread with connections to
    /// serve does.
    static bool may_wait(const Call& call, const service::Service& service) {
        return service.has_sleepers() && !call.match().captured.empty() &&
               call.match().route->path.find("/{collection}") != std::string_view::npos &&
               !service.is_awake(call.context(), call.collection());
    }

    Result<void> dispatch(const std::shared_ptr<Call>& call, service::Service& service) {
        RouteId id = call->match().route->id;
        if (may_wait(*call, service)) {
            return submit(call, [&service](const std::shared_ptr<Call>& later) {
                return later->match().route->id >= RouteId::kQdrantListCollections
                           ? qdrant::perform(later, service)
                           : perform(later, service);
            });
        }
        if (id >= RouteId::kQdrantListCollections) {
            return dispatch_qdrant(call, service);
        }
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
            AKIDB_TRY(model::SearchRequest request,
                      call->timed("parse", [&] { return read_search_body(call->body(), call->began_us()); }));
            if (service.is_quick(call->context(), call->collection(), request)) {
                return search(*call, service, request);
            }
            return submit(call, [&service, request = std::move(request)](const std::shared_ptr<Call>& later) {
                return search(*later, service, request);
            });
        }
        return submit(call,
                      [&service](const std::shared_ptr<Call>& later) { return perform(later, service); });
    }

    Result<void> dispatch_qdrant(const std::shared_ptr<Call>& call, service::Service& service) {
        if (qdrant::is_quick(call->match().route->id, call->body().size())) {
            return qdrant::perform(call, service);
        }
        return submit(
            call, [&service](const std::shared_ptr<Call>& later) { return qdrant::perform(later, service); });
    }

    /// The address of the client, as far as proxies can be believed.
    std::string source_of(const HttpRequest& request) const {
        return access::client_of(given_.proxies, request.remote_address, request.forwarded);
    }

    template <class Act>
    Result<void> submit(const std::shared_ptr<Call>& call, Act act) {
        // The job alone keeps the call, so that a dropped job answers; should it be refused, we still hold it
        // here.
        call->begin_wait();
        bool taken = given_.workers.submit("http", [call, act = std::move(act)](std::stop_token) {
            call->end_wait();
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
