// DocumentService.Export: one page of a scroll after another. A page is read on a worker, as it looks at
// every row; the next one when the client has taken the messages of this one, so a slow client holds the
// memory of one page and no thread.
#include <akidb/v1/documents.grpc.pb.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "model/limits.h"
#include "rpc/call_head.h"
#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/services.h"
#include "rpc/stream_turn.h"

namespace akidb::rpc {
namespace {

// A message ends with the document that takes it beyond this: below the 4 MiB that clients take by default,
// as a document is at most some 1 MiB of metadata and 16 KiB of vector.
constexpr size_t kMessageBytes = 1 << 20;
// Of vectors, in one page: each page costs a look at every row.
constexpr size_t kPageBytes = 16 << 20;

/// Always one of these is under way: a write, or the reading of a page, which holds a Turn; or the stream has
/// ended. So no two threads are in it at once.
class ExportStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
  public:
    ExportStream(Calls& calls, grpc::CallbackServerContext& context)
        : head_(calls, MethodId::kExport, context) {}

    void begin(const grpc::ByteBuffer& message) {
        auto turn = std::make_shared<StreamTurn<ExportStream>>(*this);
        turn->guarded([&]() -> Result<void> {
            AKIDB_TRY(head_.admit(message.Length()));
            AKIDB_TRY(head_.check_wanted());
            AKIDB_TRY(service_, head_.calls().find_service());
            AKIDB_TRY(head_.authorize(*service_));
            AKIDB_TRY(read_request(message));
            return submit(turn);
        });
    }

    void OnWriteDone(bool is_well) override {
        handover_.enter();
        auto turn = std::make_shared<StreamTurn<ExportStream>>(*this);
        turn->guarded([&]() -> Result<void> {
            AKIDB_TRY(head_.check_wanted());
            if (!is_well) {
                return Error(Code::kCancelled, "the client is gone");
            }
            AKIDB_TRY(head_.authorize(*service_));  // again with each message
            if (sent_ < page_.documents.size()) {
                return send(*turn);
            }
            if (!page_.next) {
                turn->take()->end(nullptr);
                return {};
            }
            return submit(turn);
        });
    }

    void OnDone() override { delete this; }

  private:
    friend class StreamTurn<ExportStream>;

    Result<void> read_request(const grpc::ByteBuffer& bytes) {
        OnArena<v1::ExportRequest> message;
        AKIDB_TRY(parse_message(bytes, *message));
        AKIDB_TRY(check_known(*message));
        head_.note_collection(*message);
        collection_ = message->collection();
        AKIDB_TRY(request_.filter, read_shared_filter(*message));
        request_.include = {.vector = true, .metadata = true};
        if (message->has_include()) {
            AKIDB_TRY(request_.include, read_include(message->include()));
        }
        AKIDB_TRY(const service::CollectionDescription found,
                  service_->describe_collection(head_.context(), collection_));
        const size_t documents = kPageBytes / (model::dimension_of_all(found.spec) * sizeof(float));
        request_.limit = static_cast<uint32_t>(std::min<size_t>(documents, model::kScrollLimitMax));
        return {};
    }

    Result<void> submit(const std::shared_ptr<StreamTurn<ExportStream>>& turn) {
        const bool is_taken = head_.calls().given().workers.submit("rpc", [this, turn](std::stop_token) {
            turn->guarded([&]() -> Result<void> {
                AKIDB_TRY(head_.check_wanted());
                page_ = {};
                AKIDB_TRY(page_, service_->scroll(head_.context(), collection_, request_));
                request_.from = page_.next;
                sent_ = 0;
                if (page_.documents.empty()) {
                    turn->take()->end(nullptr);
                    return {};
                }
                return send(*turn);
            });
        });
        return is_taken ? Result<void>()
                        : Error(Code::kRateLimited, "too many requests are waiting").with_retry_after(1);
    }

    Result<void> send(StreamTurn<ExportStream>& turn) {
        OnArena<v1::ExportResponse> message;
        for (size_t bytes = 0; sent_ < page_.documents.size() && bytes < kMessageBytes; ++sent_) {
            v1::Document& document = *message->add_documents();
            write_document(page_.documents[sent_], request_.include, document);
            bytes += document.ByteSizeLong();
        }
        message_.Clear();
        AKIDB_TRY(write_message(*message, message_));
        turn.take();
        handover_.leave();
        StartWrite(&message_);
        return {};
    }

    void end(const Error* error) { Finish(head_.end(error)); }

    CallHead head_;
    service::Service* service_ = nullptr;
    std::string collection_;
    model::ScrollRequest request_;
    model::ScrollReply page_;
    size_t sent_ = 0;  // documents of the page
    grpc::ByteBuffer message_;
    StreamHandover handover_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* start_export(Calls& calls, grpc::CallbackServerContext& context,
                                                         const grpc::ByteBuffer& request) {
    auto* stream = new ExportStream(calls, context);  // deletes itself when gRPC is done with it
    stream->begin(request);
    return stream;
}

}  // namespace akidb::rpc
