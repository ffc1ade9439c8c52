// What a server under pressure does with calls: messages that are too large, memory and workers that are
// taken, callers that gave up.
#include "rpc/services_for_tests.h"

namespace akidb::rpc {
namespace {

using Mode = StoppableExecutor::Mode;
using LimitsTest = ServicesTest;

TEST_F(LimitsTest, MessagesHaveTheLimitsOfTheirRoutes) {
    load_words();
    v1::CountRequest request;
    request.set_collection(std::string(model::kBodyBytesMax, 'x'));
    grpc::ClientContext context;
    v1::CountResponse reply;
    EXPECT_EQ(documents_->Count(&context, request, &reply).error_code(), grpc::RESOURCE_EXHAUSTED);
    EXPECT_EQ(trailing(context, "akidb-code"), "PAYLOAD_TOO_LARGE");
    v1::UpsertRequest large = batch(1, 10'000);
    EXPECT_EQ(put(large).upserted(), 10'000U);
    fill(*large.add_documents(), 0);
    grpc::ClientContext too_many;
    v1::UpsertResponse refused;
    EXPECT_EQ(documents_->Upsert(&too_many, large, &refused).error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_EQ(trailing(too_many, "akidb-field"), "documents");
}

TEST_F(LimitsTest, MessagesTakeTheirPlaceInTheMemoryBudget) {
    load_words();
    const auto batch_of = [&](size_t bytes) {
        v1::UpsertRequest request = batch(1, 16);
        for (int i = 0; i < request.documents_size(); ++i) {
            v1::Object::Member& member = *request.mutable_documents(i)->mutable_metadata()->add_members();
            member.set_key("text");
            member.mutable_value()->set_string_value(std::string(bytes / 16, 'x'));
        }
        return request;
    };
    const auto answer_of = [&](const v1::UpsertRequest& request) {
        grpc::ClientContext context;
        v1::UpsertResponse reply;
        const grpc::Status status = documents_->Upsert(&context, request, &reply);
        return status.ok() ? "" : trailing(context, "akidb-code");
    };
    constexpr size_t kMost = kMemoryBytes / 8 * 7 / service::MemoryBudget::kBytesPerBodyByte;
    EXPECT_EQ(answer_of(batch_of(kMost + 16)), "PAYLOAD_TOO_LARGE");
    const v1::UpsertRequest large = batch_of(kMost - (64 << 10));
    workers_.set_mode(Mode::kHold);
    std::string first = "none";
    std::thread caller([&] { first = answer_of(large); });
    std::vector<io::Executor::Job> held = workers_.take(1);
    EXPECT_EQ(answer_of(large), "RESOURCE_EXHAUSTED");
    EXPECT_EQ(put(batch(100, 1)).upserted(), 1U) << "small ones have room";
    workers_.set_mode(Mode::kRun);
    held.front()({});
    held.clear();
    caller.join();
    EXPECT_EQ(first, "");
    EXPECT_EQ(answer_of(large), "");
}

TEST_F(LimitsTest, FullWorkersRefuseAndWorkersThatStopAnswer) {
    load_words();
    workers_.set_mode(Mode::kRefuse);
    {
        grpc::ClientContext context;
        v1::CountRequest request;
        v1::CountResponse reply;
        EXPECT_EQ(documents_->Count(&context, request, &reply).error_code(), grpc::RESOURCE_EXHAUSTED);
        EXPECT_EQ(trailing(context, "retry-after"), "1");
        EXPECT_EQ(trailing(context, "akidb-code"), "RESOURCE_EXHAUSTED");
    }
    workers_.set_mode(Mode::kHold);
    std::thread dropper([&] { workers_.take(1).clear(); });
    grpc::ClientContext context;
    v1::CountRequest request;
    v1::CountResponse reply;
    EXPECT_EQ(documents_->Count(&context, request, &reply).error_code(), grpc::UNAVAILABLE);
    dropper.join();
}

TEST_F(LimitsTest, WhatIsCancelledBeforeItBeginsIsNotDone) {
    load_words();
    put(batch(1, 3));
    v1::DeleteRequest request;
    request.set_collection("words");
    request.mutable_filter();
    for (const bool by_deadline : {false, true}) {
        workers_.set_mode(Mode::kHold);
        grpc::ClientContext context;
        if (by_deadline) {
            context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
        }
        std::vector<io::Executor::Job> jobs;
        std::thread canceller([&] {
            jobs = workers_.take(1);
            if (!by_deadline) {
                context.TryCancel();
            }
        });
        v1::DeleteResponse reply;
        EXPECT_EQ(documents_->Delete(&context, request, &reply).error_code(),
                  by_deadline ? grpc::DEADLINE_EXCEEDED : grpc::CANCELLED);
        canceller.join();
        workers_.set_mode(Mode::kRun);
        // Calls on the same connection: when they are answered, the server has read the cancellation before
        // them.
        EXPECT_EQ(count(), 3U);
        EXPECT_EQ(count(), 3U);
        jobs.front()({});
        EXPECT_EQ(count(), 3U);
    }
}

}  // namespace
}  // namespace akidb::rpc
