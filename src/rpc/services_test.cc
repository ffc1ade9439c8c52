// The services over a real server on loopback: what goes in comes out, errors say what REST says, and calls
// that nobody waits for do nothing.
#include <akidb/v1/access.pb.h>
#include <akidb/v1/tiers.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>

#include <cstring>
#include <limits>

#include "rpc/method_table.h"
#include "rpc/services_for_tests.h"

namespace akidb::rpc {
namespace {

TEST_F(ServicesTest, AnswersUnavailableUntilTheServiceIsThere) {
    grpc::ClientContext context;
    v1::ListCollectionsResponse reply;
    const grpc::Status status = collections_->List(&context, {}, &reply);
    EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "the server is starting");
    EXPECT_EQ(trailing(context, "retry-after"), "1");
    EXPECT_EQ(trailing(context, "akidb-code"), "UNAVAILABLE");
}

TEST_F(ServicesTest, EachCallIsALineOfTheLogWhenItEnded) {
    load_words();
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "my-name.2");
    v1::CountRequest request;
    request.set_collection("elsewhere");
    v1::CountResponse reply;
    EXPECT_EQ(documents_->Count(&context, request, &reply).error_code(), grpc::NOT_FOUND);
    const std::vector<std::string> lines = logger_.lines();
    ASSERT_EQ(lines.size(), 2u) << "the collection was made before";
    EXPECT_TRUE(
        lines[1].starts_with("request_id=my-name.2 trace_id=none tenant=default collection=elsewhere ms="));
    for (const char* const fact : {"status=NOT_FOUND ", "protocol=grpc ", "what=DocumentService/Count "}) {
        EXPECT_NE(lines[1].find(fact), std::string::npos) << lines[1];
    }
}

TEST_F(ServicesTest, ACollectionLivesAndDies) {
    load_words();
    {
        grpc::ClientContext context;
        context.AddMetadata("x-request-id", "my-name.1");
        v1::Collection found;
        v1::DescribeCollectionRequest request;
        request.set_collection("words");
        ASSERT_TRUE(collections_->Describe(&context, request, &found).ok());
        EXPECT_EQ(initial(context, "x-request-id"), "my-name.1");
        EXPECT_EQ(found.name(), "words");
        EXPECT_EQ(found.dimension(), 16U);
        EXPECT_EQ(found.metric(), v1::METRIC_L2);
        EXPECT_EQ(found.condition(), v1::COLLECTION_CONDITION_SERVING);
        EXPECT_GT(found.created_at().seconds(), 1'700'000'000);
    }
    {
        grpc::ClientContext context;
        v1::PutMetadataIndexRequest request;
        request.set_collection("words");
        request.set_field("lang");
        request.set_type(v1::METADATA_INDEX_TYPE_KEYWORD);
        v1::MetadataIndex index;
        ASSERT_TRUE(collections_->PutMetadataIndex(&context, request, &index).ok());
        EXPECT_EQ(index.field(), "lang");
    }
    {
        grpc::ClientContext context;
        v1::ListCollectionsResponse list;
        ASSERT_TRUE(collections_->List(&context, {}, &list).ok());
        ASSERT_EQ(list.collections_size(), 1);
        ASSERT_EQ(list.collections(0).metadata_indexes_size(), 1);
        EXPECT_EQ(list.collections(0).metadata_indexes(0).type(), v1::METADATA_INDEX_TYPE_KEYWORD);
        EXPECT_NE(initial(context, "x-request-id"), "");
    }
    {
        grpc::ClientContext context;
        v1::DeleteMetadataIndexRequest request;
        request.set_collection("words");
        request.set_field("lang");
        v1::DeleteMetadataIndexResponse deleted;
        EXPECT_TRUE(collections_->DeleteMetadataIndex(&context, request, &deleted).ok());
    }
    {
        grpc::ClientContext context;
        v1::DeleteCollectionRequest request;
        request.set_collection("words");
        v1::DeleteCollectionResponse deleted;
        EXPECT_TRUE(collections_->Delete(&context, request, &deleted).ok());
        EXPECT_TRUE(deleted.deleted());
    }
    grpc::ClientContext context;
    v1::DescribeCollectionRequest request;
    request.set_collection("words");
    v1::Collection found;
    EXPECT_EQ(collections_->Describe(&context, request, &found).error_code(), grpc::NOT_FOUND);
    EXPECT_EQ(trailing(context, "akidb-field"), "collection");
}

TEST_F(ServicesTest, DocumentsComeBackAsTheyWereSent) {
    load_words();
    v1::UpsertRequest request;
    request.set_collection("words");
    v1::Document& first = *request.add_documents();
    fill(first, std::numeric_limits<uint64_t>::max());
    const auto add = [&](const char* key) -> v1::Value& {
        v1::Object::Member& member = *first.mutable_metadata()->add_members();
        member.set_key(key);
        return *member.mutable_value();
    };
    add("z").set_int_value((int64_t{1} << 53) + 1);
    add("a").set_uint_value(std::numeric_limits<uint64_t>::max());
    add("low").set_int_value(std::numeric_limits<int64_t>::min());
    add("nothing").set_null_value(v1::NULL_VALUE);
    add("yes").set_bool_value(true);
    add("half").set_double_value(0.5);
    add("word").set_string_value("kön\u00efg");
    v1::ListValue& list = *add("list").mutable_list_value();
    list.add_values()->set_string_value("x");
    list.add_values()->mutable_object_value();
    v1::Document& second = *request.add_documents();
    second.mutable_id()->set_text("a/b");
    std::vector<float> numbers(kDimension, 0.25F);
    second.mutable_vector_bytes()->assign(reinterpret_cast<const char*>(numbers.data()),
                                          numbers.size() * sizeof(float));
    const v1::UpsertResponse done = put(request);
    EXPECT_EQ(done.upserted(), 2U);
    EXPECT_EQ(done.durability(), v1::DURABILITY_LOCAL);
    EXPECT_EQ(done.ids_size(), 0);

    v1::GetRequest get;
    get.set_collection("words");
    *get.add_ids() = first.id();
    get.add_ids()->set_number(5);
    *get.add_ids() = second.id();
    grpc::ClientContext context;
    v1::GetResponse found;
    ASSERT_TRUE(documents_->Get(&context, get, &found).ok());
    ASSERT_EQ(found.documents_size(), 2);
    EXPECT_EQ(found.documents(0).version(), done.sequence());
    first.set_version(done.sequence());
    EXPECT_EQ(found.documents(0).SerializeAsString(), first.SerializeAsString());
    EXPECT_EQ(std::vector<float>(found.documents(1).vector().begin(), found.documents(1).vector().end()),
              numbers);
    EXPECT_EQ(found.documents(1).metadata().members_size(), 0);

    get.mutable_include();  // nothing but ids
    get.mutable_ids()->DeleteSubrange(0, 2);
    grpc::ClientContext again;
    ASSERT_TRUE(documents_->Get(&again, get, &found).ok());
    ASSERT_EQ(found.documents_size(), 1);
    EXPECT_EQ(found.documents(0).vector_size(), 0);
    EXPECT_FALSE(found.documents(0).has_metadata());
}

TEST_F(ServicesTest, DeletesByIdsAndByFilterAndErases) {
    load_words();
    put(batch(1, 6));
    v1::DeleteRequest request;
    request.set_collection("words");
    request.add_ids()->set_number(1);
    request.add_ids()->set_number(99);
    grpc::ClientContext by_ids;
    v1::DeleteResponse deleted;
    ASSERT_TRUE(documents_->Delete(&by_ids, request, &deleted).ok());
    EXPECT_EQ(deleted.deleted(), 1U);
    v1::EraseRequest erase;
    erase.set_collection("words");
    erase.add_ids()->set_number(2);
    grpc::ClientContext erasing;
    v1::EraseResponse erased;
    ASSERT_TRUE(documents_->Erase(&erasing, erase, &erased).ok());
    EXPECT_EQ(erased.erased(), 1U);
    EXPECT_GT(erased.completed_at().seconds(), 0);
    request.clear_ids();
    request.mutable_filter();
    grpc::ClientContext by_filter;
    ASSERT_TRUE(documents_->Delete(&by_filter, request, &deleted).ok());
    EXPECT_EQ(deleted.deleted(), 4U);
    EXPECT_EQ(count(), 0U);
}

TEST_F(ServicesTest, SearchesAnswerTheSameInlineOnAWorkerAndInABatch) {
    load_words();
    put(batch(1, 20));
    v1::SearchRequest request;
    request.set_collection("words");
    v1::Document like;
    fill(like, 3);
    *request.mutable_vector() = like.vector();
    request.set_top_k(4);
    request.mutable_include()->set_metadata(true);
    v1::SearchResponse quick;
    grpc::ClientContext inline_context;
    ASSERT_TRUE(searches_->Search(&inline_context, request, &quick).ok());
    ASSERT_EQ(quick.matches_size(), 4);
    EXPECT_EQ(quick.matches(0).id().number(), 3U);
    EXPECT_EQ(quick.matches(0).score(), 0);
    EXPECT_TRUE(quick.matches(0).has_metadata());
    request.mutable_params()->set_exact(true);
    request.set_explain(true);
    v1::SearchResponse exact;
    grpc::ClientContext worker_context;
    ASSERT_TRUE(searches_->Search(&worker_context, request, &exact).ok());
    EXPECT_EQ(exact.explain().plan(), "exact");
    v1::SearchBatchRequest both;
    both.set_collection("words");
    *both.add_searches() = request;
    *both.add_searches() = request;
    v1::SearchBatchResponse results;
    grpc::ClientContext batch_context;
    ASSERT_TRUE(searches_->SearchBatch(&batch_context, both, &results).ok());
    ASSERT_EQ(results.results_size(), 2);
    for (int i = 0; i < 4; ++i) {
        for (const v1::SearchMatch& match : {exact.matches(i), results.results(1).matches(i)}) {
            EXPECT_EQ(match.SerializeAsString(), quick.matches(i).SerializeAsString());
        }
    }
}

TEST_F(ServicesTest, ErrorsNameTheFieldAndWhatIsAllowed) {
    load_words();
    v1::UpsertRequest request = batch(1, 2);
    request.mutable_documents(1)->mutable_vector()->Truncate(3);
    grpc::ClientContext context;
    v1::UpsertResponse reply;
    const grpc::Status status = documents_->Upsert(&context, request, &reply);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_EQ(trailing(context, "akidb-code"), "INVALID_ARGUMENT");
    EXPECT_EQ(trailing(context, "akidb-field"), "documents[1].vector");
    EXPECT_EQ(trailing(context, "akidb-allowed"), "16 finite numbers");
    EXPECT_NE(status.error_message().find("3 components"), std::string::npos);
    // Text of a client goes through metadata, which are ASCII.
    v1::CreateCollectionRequest create;
    create.set_name("x");
    create.set_dimension(16);
    create.add_metadata_indexes()->set_field("größe%");
    grpc::ClientContext other;
    v1::Collection made;
    EXPECT_EQ(collections_->Create(&other, create, &made).error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_EQ(trailing(other, "akidb-field"), "metadata_indexes.gr%C3%B6%C3%9Fe%25");
}

TEST_F(ServicesTest, RefusesWhatItDoesNotUnderstand) {
    load_words();
    put(batch(1, 2));
    v1::DeleteRequest request;
    request.set_collection("words");
    v1::Filter& filter = *request.mutable_filter();
    // A condition of the future: without it this filter would delete everything.
    filter.GetReflection()->MutableUnknownFields(&filter)->AddVarint(4, 1);
    grpc::ClientContext context;
    v1::DeleteResponse reply;
    const grpc::Status status = documents_->Delete(&context, request, &reply);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(trailing(context, "akidb-field"), "filter");
    EXPECT_EQ(count(), 2U);

    const auto call_with = [&](const std::string& bytes, grpc::ClientContext& generic) {
        grpc::GenericStub stub(channel_);
        grpc::CompletionQueue queue;
        const grpc::Slice slice(bytes);
        const auto call = stub.PrepareUnaryCall(&generic, "/akidb.v1.DocumentService/Count",
                                                grpc::ByteBuffer(&slice, 1), &queue);
        grpc::ByteBuffer answer;
        grpc::Status outcome;
        call->StartCall();
        call->Finish(&answer, &outcome, nullptr);
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
        return outcome;
    };
    for (const std::string& bytes : {std::string("\xff\xff\xff"), std::string("\x0a\x02\xc3\x28")}) {
        grpc::ClientContext generic;
        EXPECT_EQ(call_with(bytes, generic).error_code(), grpc::INVALID_ARGUMENT);
    }
    // Filters within filters, far beyond what may be nested.
    std::string nested;
    for (int i = 0; i < 20'000; ++i) {
        std::string outer("\x12");  // CountRequest.filter, and by chance Condition.match: any nesting will do
        std::string length;
        size_t size = nested.size();
        for (; size >= 0x80; size >>= 7) {
            length.push_back(static_cast<char>(size | 0x80));
        }
        length.push_back(static_cast<char>(size));
        nested = outer + length + nested;
    }
    grpc::ClientContext deep;
    EXPECT_EQ(call_with(nested, deep).error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(ServicesTest, AWriteUnderAKeyIsAppliedOnce) {
    load_words();
    v1::UpsertRequest request = batch(1, 1);
    fill(*request.add_documents(), 2);
    request.mutable_documents(1)->clear_id();
    std::vector<std::string> answers;
    for (int i = 0; i < 2; ++i) {
        grpc::ClientContext context;
        context.AddMetadata("idempotency-key", "order-1");
        v1::UpsertResponse reply;
        ASSERT_TRUE(documents_->Upsert(&context, request, &reply).ok());
        EXPECT_EQ(initial(context, "idempotency-replayed"), i == 0 ? "" : "true");
        EXPECT_EQ(reply.ids_size(), 2);
        answers.push_back(reply.SerializeAsString());
    }
    EXPECT_EQ(answers[0], answers[1]);
    EXPECT_EQ(count(), 2U);
    grpc::ClientContext other;
    other.AddMetadata("idempotency-key", "order-1");
    v1::UpsertResponse reply;
    EXPECT_EQ(documents_->Upsert(&other, batch(7, 1), &reply).error_code(), grpc::ABORTED);
    EXPECT_EQ(trailing(other, "akidb-field"), "Idempotency-Key");
    grpc::ClientContext erasing;
    erasing.AddMetadata("idempotency-key", "order-2");
    v1::EraseRequest erase;
    v1::EraseResponse erased;
    EXPECT_EQ(documents_->Erase(&erasing, erase, &erased).error_code(), grpc::INVALID_ARGUMENT);
}

TEST(MethodTable, IsTheContract) {
    std::vector<std::string> in_contract;
    for (const google::protobuf::FileDescriptor* file :
         {v1::Collection::descriptor()->file(), v1::UpsertRequest::descriptor()->file(),
          v1::SearchRequest::descriptor()->file(), v1::LogInRequest::descriptor()->file(),
          v1::CollectionTier::descriptor()->file()}) {
        for (int i = 0; i < file->service_count(); ++i) {
            const google::protobuf::ServiceDescriptor& service = *file->service(i);
            for (int j = 0; j < service.method_count(); ++j) {
                in_contract.push_back(service.name() + "/" + service.method(j)->name());
            }
        }
    }
    std::vector<std::string> in_table;
    for (const MethodRow& row : method_table()) {
        in_table.emplace_back(row.name);
    }
    EXPECT_EQ(in_table, in_contract);
}

}  // namespace
}  // namespace akidb::rpc
