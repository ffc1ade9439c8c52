// DocumentService.Import: totals, which message an error names and what is in then, and streams that are sent
// again.
#include "rpc/services_for_tests.h"

namespace akidb::rpc {
namespace {

class ImportTest : public ServicesTest {
  protected:
    struct Outcome {
        grpc::Status status;
        v1::ImportResponse totals;
        std::string field;
    };
    Outcome import(const std::vector<v1::ImportRequest>& messages, const std::string& key = "") {
        Outcome outcome;
        grpc::ClientContext context;
        if (!key.empty()) {
            context.AddMetadata("idempotency-key", key);
        }
        const auto stream = documents_->Import(&context, &outcome.totals);
        for (const v1::ImportRequest& message : messages) {
            if (!stream->Write(message)) {
                break;
            }
        }
        stream->WritesDone();
        outcome.status = stream->Finish();
        outcome.field = trailing(context, "akidb-field");
        return outcome;
    }
    static v1::ImportRequest part(uint64_t first, uint64_t documents) {
        v1::ImportRequest message;
        message.set_collection("words");
        for (uint64_t i = 0; i < documents; ++i) {
            fill(*message.add_documents(), first + i);
        }
        return message;
    }
};

TEST_F(ImportTest, TakesBatchAfterBatchAndTellsTotals) {
    load_words();
    v1::ImportRequest unnamed = part(100, 5);
    unnamed.clear_collection();
    unnamed.mutable_documents(0)->clear_id();
    // The second is large enough for a worker.
    const Outcome done = import({part(1, 10), part(11, 3000), unnamed});
    ASSERT_TRUE(done.status.ok()) << done.status.error_message();
    EXPECT_EQ(done.totals.messages(), 3U);
    EXPECT_EQ(done.totals.upserted(), 3015U);
    EXPECT_EQ(done.totals.replayed_messages(), 0U);
    EXPECT_EQ(done.totals.sequence(), 3U);
    EXPECT_EQ(count(), 3011U);  // four of the last batch were there
    const Outcome nothing = import({});
    EXPECT_TRUE(nothing.status.ok());
    EXPECT_EQ(nothing.totals.messages(), 0U);
}

TEST_F(ImportTest, AnErrorNamesMessageAndDocumentAndWhatCameBeforeStays) {
    load_words();
    v1::ImportRequest bad = part(20, 5);
    bad.mutable_documents(3)->clear_vector();
    const Outcome refused = import({part(1, 10), bad, part(30, 10)});
    EXPECT_EQ(refused.status.error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_EQ(refused.field, "messages[1].documents[3].vector");
    EXPECT_EQ(count(), 10U);
    bad = part(20, 5);
    bad.set_collection("others");
    EXPECT_EQ(import({part(1, 1), bad}).field, "messages[1].collection");
    EXPECT_EQ(import({bad}).status.error_code(), grpc::NOT_FOUND);
    EXPECT_EQ(import({part(1, 0)}).field, "messages[0].documents");
    EXPECT_EQ(count(), 10U);
}

TEST_F(ImportTest, AStreamThatIsSentAgainIsAppliedOnce) {
    load_words();
    const std::vector<v1::ImportRequest> messages{part(1, 5), part(6, 5), part(11, 5)};
    EXPECT_EQ(import({messages[0], messages[1]}, "load-1").totals.replayed_messages(), 0U);
    const Outcome again = import(messages, "load-1");
    ASSERT_TRUE(again.status.ok()) << again.status.error_message();
    EXPECT_EQ(again.totals.messages(), 3U);
    EXPECT_EQ(again.totals.upserted(), 15U);
    EXPECT_EQ(again.totals.replayed_messages(), 2U);
    EXPECT_EQ(again.totals.sequence(), 3U);
    const Outcome other = import({messages[1]}, "load-1");
    EXPECT_EQ(other.status.error_code(), grpc::ABORTED);
    EXPECT_EQ(other.field, "messages[0].Idempotency-Key");
}

TEST_F(ImportTest, EndsWithItsCallerAndWithItsServer) {
    {
        grpc::ClientContext context;
        v1::ImportResponse totals;
        EXPECT_EQ(documents_->Import(&context, &totals)->Finish().error_code(), grpc::UNAVAILABLE);
    }
    load_words();
    {
        grpc::ClientContext context;
        v1::ImportResponse totals;
        const auto stream = documents_->Import(&context, &totals);
        ASSERT_TRUE(stream->Write(part(1, 5)));
        context.TryCancel();
        EXPECT_EQ(stream->Finish().error_code(), grpc::CANCELLED);
    }
    workers_.set_mode(StoppableExecutor::Mode::kHold);
    std::thread dropper([&] { workers_.take(1).clear(); });
    EXPECT_EQ(import({part(1, 3000)}).status.error_code(), grpc::UNAVAILABLE);
    dropper.join();
    workers_.set_mode(StoppableExecutor::Mode::kRun);
    // One that stays open holds the drain up, and is ended by stop().
    const uint64_t before = count();
    grpc::ClientContext context;
    v1::ImportResponse totals;
    const auto stream = documents_->Import(&context, &totals);
    ASSERT_TRUE(stream->Write(part(100, 5)));
    while (count() < before + 5) {
    }
    server_->stop_accepting();
    EXPECT_FALSE(server_->wait_until_idle(1));
    server_->stop(0);
    EXPECT_TRUE(server_->wait_until_idle(0));
    EXPECT_FALSE(stream->Finish().ok());
}

}  // namespace
}  // namespace akidb::rpc
