#include <akidb/v1/search.grpc.pb.h>

#include "rpc/call.h"
#include "rpc/search_codec.h"
#include "rpc/services.h"

namespace akidb::rpc {
namespace {

Result<void> answer_search(Call& call, service::Service& service, const std::string& collection,
                           const model::SearchRequest& request) {
    AKIDB_TRY(const model::SearchReply found, service.search(call.context(), collection, request));
    OnArena<v1::SearchResponse> reply;
    {
        const tracing::Step step(call.context().trace(), "encode");
        write_result(found, request.include, *reply);
    }
    reply->set_took_ms(call.elapsed_ms());
    return call.answer(*reply);
}

Result<void> search(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::SearchRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(model::SearchRequest request, read_search(*message, call->times()));
    if (service.is_quick(call->context(), message->collection(), request)) {
        return answer_search(*call, service, message->collection(), request);
    }
    return Call::submit(call, [&service, collection = std::string(message->collection()),
                               request = std::move(request)](const std::shared_ptr<Call>& later) {
        return answer_search(*later, service, collection, request);
    });
}

Result<void> search_batch(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::SearchBatchRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(const std::vector<model::SearchRequest> requests, read_searches(*message, call->times()));
    AKIDB_TRY(const std::vector<model::SearchReply> found,
              service.search_batch(call->context(), message->collection(), requests));
    OnArena<v1::SearchBatchResponse> reply;
    for (size_t i = 0; i < found.size(); ++i) {
        write_result(found[i], requests[i].include, *reply->add_results());
    }
    reply->set_took_ms(call->elapsed_ms());
    return call->answer(*reply);
}

using Rpc = v1::SearchService;

class SearchService final
    : public Rpc::WithRawCallbackMethod_Search<Rpc::WithRawCallbackMethod_SearchBatch<Rpc::Service>> {
  public:
    explicit SearchService(Calls& calls) : calls_(calls) {}

    grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kSearch, Where::kHere, search});
    }
    grpc::ServerUnaryReactor* SearchBatch(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply},
                           {MethodId::kSearchBatch, Where::kWorker, search_batch});
    }

  private:
    Calls& calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_search_service(Calls& calls) {
    return std::make_unique<SearchService>(calls);
}

}  // namespace akidb::rpc
