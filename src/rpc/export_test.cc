// DocumentService.Export: every document once, over pages and messages; filters, parts, and streams that end
// early.
#include "rpc/services_for_tests.h"

namespace akidb::rpc {
namespace {

class ExportTest : public ServicesTest {
  protected:
    struct Outcome {
        grpc::Status status;
        std::vector<v1::Document> documents;
        size_t messages = 0;
        size_t largest_bytes = 0;
    };
    Outcome run(const v1::ExportRequest& request) {
        Outcome outcome;
        grpc::ClientContext context;
        const auto stream = documents_->Export(&context, request);
        v1::ExportResponse message;
        while (stream->Read(&message)) {
            ++outcome.messages;
            outcome.largest_bytes = std::max(outcome.largest_bytes, message.ByteSizeLong());
            outcome.documents.insert(outcome.documents.end(), message.documents().begin(),
                                     message.documents().end());
        }
        outcome.status = stream->Finish();
        return outcome;
    }
    static v1::ExportRequest all_words() {
        v1::ExportRequest request;
        request.set_collection("words");
        return request;
    }
};

TEST_F(ExportTest, SendsEveryDocumentOnceByIdOverPagesAndMessages) {
    load_words();
    put(batch(10'001, 5'000));
    put(batch(1, 10'000));  // more than a page in all
    const Outcome done = run(all_words());
    ASSERT_TRUE(done.status.ok()) << done.status.error_message();
    ASSERT_EQ(done.documents.size(), 15'000U);
    EXPECT_GT(done.messages, 1U);
    EXPECT_LT(done.largest_bytes, size_t{1200} << 10);
    for (uint64_t i = 0; i < 15'000; ++i) {
        ASSERT_EQ(done.documents[i].id().number(), i + 1);
    }
    v1::Document sent;
    fill(sent, 7);
    sent.mutable_metadata();
    sent.set_version(2);
    EXPECT_EQ(done.documents[6].SerializeAsString(), sent.SerializeAsString());
}

TEST_F(ExportTest, SendsWhatAFilterMeansAndThePartsAskedFor) {
    load_words();
    v1::UpsertRequest request = batch(1, 10);
    for (int i = 0; i < 10; ++i) {
        v1::Object::Member& member = *request.mutable_documents(i)->mutable_metadata()->add_members();
        member.set_key("even");
        member.mutable_value()->set_bool_value(i % 2 == 1);
    }
    put(request);
    v1::ExportRequest even = all_words();
    v1::Condition& condition = *even.mutable_filter()->add_must();
    condition.set_key("even");
    condition.mutable_match()->mutable_value()->set_bool_value(true);
    even.mutable_include()->set_metadata(true);
    const Outcome done = run(even);
    ASSERT_TRUE(done.status.ok());
    ASSERT_EQ(done.documents.size(), 5U);
    EXPECT_EQ(done.documents[0].id().number(), 2U);
    EXPECT_EQ(done.documents[0].vector_size(), 0);
    EXPECT_EQ(done.documents[0].metadata().members_size(), 1);
    // What was exported goes in again as it is.
    v1::UpsertRequest back;
    back.set_collection("words");
    const Outcome whole = run(all_words());
    for (const v1::Document& document : whole.documents) {
        *back.add_documents() = document;
    }
    EXPECT_EQ(put(back).upserted(), 10U);
}

TEST_F(ExportTest, EndsOnEmptyCollectionsAndOnErrors) {
    EXPECT_EQ(run(all_words()).status.error_code(), grpc::UNAVAILABLE);
    load_words();
    const Outcome empty = run(all_words());
    EXPECT_TRUE(empty.status.ok());
    EXPECT_EQ(empty.messages, 0U);
    v1::ExportRequest wrong = all_words();
    wrong.set_collection("nowhere");
    EXPECT_EQ(run(wrong).status.error_code(), grpc::NOT_FOUND);
    wrong = all_words();
    wrong.mutable_filter()->add_must();
    EXPECT_EQ(run(wrong).status.error_code(), grpc::INVALID_ARGUMENT);
    workers_.set_mode(StoppableExecutor::Mode::kRefuse);
    EXPECT_EQ(run(all_words()).status.error_code(), grpc::RESOURCE_EXHAUSTED);
    workers_.set_mode(StoppableExecutor::Mode::kHold);
    std::thread dropper([&] { workers_.take(1).clear(); });
    EXPECT_EQ(run(all_words()).status.error_code(), grpc::UNAVAILABLE);
    dropper.join();
}

TEST_F(ExportTest, EndsWithItsCallerInTheMiddle) {
    load_words();
    put(batch(1, 10'000));
    put(batch(10'001, 10'000));
    grpc::ClientContext context;
    const auto stream = documents_->Export(&context, all_words());
    v1::ExportResponse message;
    ASSERT_TRUE(stream->Read(&message));
    context.TryCancel();
    while (stream->Read(&message)) {
    }
    EXPECT_EQ(stream->Finish().error_code(), grpc::CANCELLED);
    EXPECT_TRUE(server_->wait_until_idle(60'000));
}

}  // namespace
}  // namespace akidb::rpc
