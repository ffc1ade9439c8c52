#include "rest/qdrant/routes.h"

#include <array>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "rest/answering.h"
#include "rest/qdrant/answer.h"
#include "rest/qdrant/collection_routes.h"
#include "rest/qdrant/point_codec.h"
#include "rest/qdrant/query_routes.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 4> kParameters{"wait", "ordering", "timeout", "consistency"};

engine::WriteDone answering_update(std::shared_ptr<Call> call) {
    return answering(std::move(call), [](Call& later, const engine::WriteReply& reply) {
        answer(later, [&](JsonWriter& writer) { write_done(writer, reply.sequence); });
    });
}

Result<void> upsert(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(std::vector<model::Document> documents, read_upsert_body(call->body()));
    call->body() = std::string();
    service.upsert_documents(call->context(), call->collection(), std::move(documents),
                             answering_update(call));
    return {};
}

Result<void> update(const std::shared_ptr<Call>& call, service::Service& service,
                    Result<model::UpdateRequest> request) {
    AKIDB_TRY(model::UpdateRequest change, std::move(request));
    service.update_documents(call->context(), call->collection(), std::move(change), answering_update(call));
    return {};
}

Result<engine::WriteReply> delete_matching(const Call& call, service::Service& service,
                                           const Selector& selector) {
    const auto& filter = *std::get_if<std::shared_ptr<const model::Filter>>(&selector);
    return service.delete_matching(call.context(), call.collection(),
                                   filter == nullptr ? model::Filter{} : *filter);
}

Result<void> delete_points(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(const Selector selector, read_selector_body(call->body()));
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&selector)) {
        if (ids->empty()) {
            answer(*call, [](JsonWriter& writer) { write_done(writer, 0); });
            return {};
        }
        service.delete_documents(call->context(), call->collection(), *ids, answering_update(call));
        return {};
    }
    AKIDB_TRY(const engine::WriteReply reply, delete_matching(*call, service, selector));
    answer(*call, [&](JsonWriter& writer) { write_done(writer, reply.sequence); });
    return {};
}

/// One operation of a batch, waited for.
Result<engine::WriteReply> run(Call& call, service::Service& service, Operation operation) {
    // Shared: who sets it may still be at it when the waiter goes on.
    auto promise = std::make_shared<std::promise<Result<engine::WriteReply>>>();
    std::future<Result<engine::WriteReply>> reply = promise->get_future();
    const auto done = [promise](Result<engine::WriteReply> outcome) {
        promise->set_value(std::move(outcome));
    };
    if (auto* documents = std::get_if<std::vector<model::Document>>(&operation)) {
        service.upsert_documents(call.context(), call.collection(), std::move(*documents), done);
    } else if (auto* change = std::get_if<model::UpdateRequest>(&operation)) {
        service.update_documents(call.context(), call.collection(), std::move(*change), done);
    } else {
        const Selector& selector = *std::get_if<Selector>(&operation);
        if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&selector)) {
            service.delete_documents(call.context(), call.collection(), *ids, done);
        } else {
            return delete_matching(call, service, selector);
        }
    }
    return reply.get();
}

Result<void> run_batch(Call& call, service::Service& service) {
    AKIDB_TRY(std::vector<Operation> operations, read_batch_body(call.body()));
    std::vector<uint64_t> sequences;
    for (Operation& operation : operations) {
        Result<engine::WriteReply> reply = run(call, service, std::move(operation));
        if (!reply) {
            return std::move(reply).error().with_field_prefix("operations[" +
                                                              std::to_string(sequences.size()) + "]");
        }
        sequences.push_back(reply->sequence);
    }
    answer(call, [&](JsonWriter& writer) {
        writer.begin_array();
        for (const uint64_t sequence : sequences) {
            write_done(writer, sequence);
        }
        writer.end_array();
    });
    return {};
}

}  // namespace

HttpResponse error_answer(const Error& error, std::string_view request_id) {
    HttpResponse response = rest::error_answer(error, request_id);
    std::string message = error.message();
    if (!error.field().empty()) {
        message.insert(0, error.field() + ": ");
    }
    if (!error.allowed().empty()) {
        message.append(" (allowed: ").append(error.allowed()).append(")");
    }
    response.body = error_body(message);
    return response;
}

std::string error_body(std::string_view message) {
    JsonWriter writer;
    writer.begin_object().key("status").begin_object().member("error", message).end_object();
    writer.member("time", 0.0).end_object();
    return std::move(writer).take();
}

bool is_quick(RouteId route, size_t body_bytes) {
    switch (route) {
        case RouteId::kQdrantListCollections:
        case RouteId::kQdrantDescribe:
        case RouteId::kQdrantExists:
        case RouteId::kQdrantPoint:
            return true;
        case RouteId::kQdrantUpsert:
        case RouteId::kQdrantSetPayload:
        case RouteId::kQdrantOverwritePayload:
        case RouteId::kQdrantDeletePayload:
        case RouteId::kQdrantClearPayload:
        case RouteId::kQdrantVectors:
        case RouteId::kQdrantDeleteVectors:
            return body_bytes <= service::Service::kQuickRequestBytesMax;
        default:
            return false;
    }
}

Result<void> perform(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(parse_query(call->request().query, kParameters));
    std::string& body = call->body();
    const RouteId route = call->match().route->id;
    switch (route) {
        case RouteId::kQdrantUpsert:
            return upsert(call, service);
        case RouteId::kQdrantDeletePoints:
            return delete_points(call, service);
        case RouteId::kQdrantSetPayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kSet));
        case RouteId::kQdrantOverwritePayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kOverwrite));
        case RouteId::kQdrantDeletePayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kDelete));
        case RouteId::kQdrantClearPayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kClear));
        case RouteId::kQdrantVectors:
            return update(call, service, read_vectors_body(body));
        case RouteId::kQdrantDeleteVectors:
            return update(call, service, read_vectors_delete_body(body));
        case RouteId::kQdrantBatch:
            return run_batch(*call, service);
        default:
            return route >= RouteId::kQdrantRetrieve ? perform_read(*call, service)
                                                     : perform_on_collections(*call, service);
    }
}

}  // namespace akidb::rest::qdrant
