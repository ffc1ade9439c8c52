// DocumentService.Import: one batch after another. The next message is read when the one before it is
// durable, so a stream holds the memory of one batch, and its client feels how fast the disk is.
#include <akidb/v1/documents.grpc.pb.h>

#include <memory>
#include <utility>

#include "rpc/call_head.h"
#include "rpc/document_codec.h"
#include "rpc/message.h"
#include "rpc/services.h"
#include "rpc/stream_turn.h"

namespace akidb::rpc {
namespace {

/// Always one of these is under way: a read, or a message on its way to the disk, which holds a Turn; or the
/// stream has ended. So no two threads are in it at once.
class ImportStream final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
  public:
    ImportStream(Calls& calls, grpc::CallbackServerContext& context, grpc::ByteBuffer& reply)
        : head_(calls, MethodId::kImport, context), reply_(reply) {}

    void begin() {
        Result<service::Service*> service = head_.calls().find_service();
        if (!service) {
            return end(&service.error());
        }
        service_ = *service;
        read_next();
    }

    void OnReadDone(bool has_message) override {
        handover_.enter();
        auto turn = std::make_shared<Turn>(*this);
        turn->guarded([&]() -> Result<void> {
            AKIDB_TRY(head_.check_wanted());
            AKIDB_TRY(head_.authorize(*service_));  // again with each: what is revoked ends the stream
            if (!has_message) {
                return turn->take()->answer();
            }
            const size_t bytes = message_.Length();
            AKIDB_TRY(head_.admit(bytes));
            if (bytes <= service::Service::kQuickRequestBytesMax) {
                return apply(turn);
            }
            const bool is_taken = head_.calls().given().workers.submit("rpc", [this, turn](std::stop_token) {
                turn->guarded([&]() -> Result<void> {
                    AKIDB_TRY(head_.check_wanted());
                    return apply(turn);
                });
            });
            return is_taken ? Result<void>()
                            : Error(Code::kRateLimited, "too many requests are waiting").with_retry_after(1);
        });
    }

    void OnDone() override { delete this; }

  private:
    friend class StreamTurn<ImportStream>;
    using Turn = StreamTurn<ImportStream>;

    Result<void> apply(const std::shared_ptr<Turn>& turn) {
        Result<void> read = read_message();
        if (!read) {
            return placed(std::move(read).error());
        }
        service_->upsert_documents(head_.context(), collection_, std::move(batch_.documents),
                                   [turn](const Result<engine::WriteReply>& done) {
                                       ImportStream* stream = turn->take();
                                       stream->finish_message(done);
                                   });
        return {};
    }

    Result<void> read_message() {
        const uint64_t number = totals_->messages();
        AKIDB_TRY(head_.take_write_key(message_, service_->new_document_id(), std::to_string(number)));
        OnArena<v1::ImportRequest> message;
        AKIDB_TRY(parse_message(message_, *message));
        message_.Clear();
        AKIDB_TRY(check_known(*message));
        if (number == 0) {
            head_.note_collection(*message);
            collection_ = message->collection();
        } else if (!message->collection().empty() && message->collection() != collection_) {
            return invalid_argument("collection", "an import goes into one collection",
                                    "the collection of the first message, or nothing");
        }
        const std::optional<model::WriteKey>& key = head_.context().write_key;
        uint64_t ids_made = 0;
        AKIDB_TRY(batch_, read_documents(message->documents(), [&] {
                      return key ? model::DocumentId(model::next_id(key->first_made_id, ids_made++))
                                 : service_->new_document_id();
                  }));
        return {};
    }

    void finish_message(const Result<engine::WriteReply>& done) {
        if (!done) {
            const Error error = placed(done.error());
            return end(&error);
        }
        totals_->set_messages(totals_->messages() + 1);
        totals_->set_upserted(totals_->upserted() + done->count);
        totals_->set_replayed_messages(totals_->replayed_messages() + (done->is_replay ? 1 : 0));
        totals_->set_sequence(done->sequence);
        read_next();
    }

    void read_next() {
        handover_.leave();
        StartRead(&message_);
    }

    Error placed(Error error) const {
        return std::move(error).with_field_prefix("messages[" + std::to_string(totals_->messages()) + "]");
    }

    Result<void> answer() {
        const Result<void> written = write_message(*totals_, reply_);
        end(written ? nullptr : &written.error());
        return {};
    }

    void end(const Error* error) { Finish(head_.end(error)); }

    CallHead head_;
    grpc::ByteBuffer& reply_;
    service::Service* service_ = nullptr;
    grpc::ByteBuffer message_;
    std::string collection_;
    DocumentBatch batch_;
    OnArena<v1::ImportResponse> totals_;
    StreamHandover handover_;
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* start_import(Calls& calls, grpc::CallbackServerContext& context,
                                                        grpc::ByteBuffer& reply) {
    auto* stream = new ImportStream(calls, context, reply);  // deletes itself when gRPC is done with it
    stream->begin();
    return stream;
}

}  // namespace akidb::rpc
