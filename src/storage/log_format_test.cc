#include "storage/log_format.h"

#include <gtest/gtest.h>

#include <cstring>

#include "model/document_id.h"
#include "model/expiry.h"
#include "storage/log_frame.h"

namespace akidb::storage {
namespace {

std::vector<model::Document> two_documents() {
    std::vector<model::Document> documents(2);
    documents[0].id = model::DocumentId(uint64_t{7});
    documents[0].vector = {1.0F, -2.0F, 0.5F};
    documents[1].id = model::DocumentId::from_text("chapter one").value();
    documents[1].vector = {3.0F, 4.0F, 5.0F};
    return documents;
}

TEST(LogFormat, UpsertComesBackAsItWas) {
    std::vector<model::Document> documents = two_documents();
    std::string body = encode_upsert(documents);
    Result<std::vector<UpsertItem>> items = decode_upsert(body, 3);
    ASSERT_TRUE(items.has_value());
    ASSERT_EQ(items->size(), 2u);
    for (size_t i = 0; i < documents.size(); ++i) {
        EXPECT_EQ((*items)[i].id, documents[i].id.encoded());
        EXPECT_EQ((*items)[i].metadata, documents[i].metadata);
        std::vector<float> vector(3);
        std::memcpy(vector.data(), (*items)[i].vector.data(), (*items)[i].vector.size());
        EXPECT_EQ(vector, documents[i].vector);
    }
}

TEST(LogFormat, AllVectorsOfADocumentAreInItsItem) {
    std::vector<model::Document> documents = two_documents();
    documents[0].vectors = {{"b", {9.0F}}};
    documents[1].vectors = {{"b", {8.0F}}, {"a", {6.0F, 7.0F}}};
    const std::string body = encode_upsert(documents, {{"a", 2}, {"b", 1}});
    const std::vector<UpsertItem> items = decode_upsert(body, 6).value();
    std::vector<float> vectors(6);
    std::memcpy(vectors.data(), items[0].vector.data(), items[0].vector.size());
    EXPECT_EQ(vectors, (std::vector<float>{1.0F, -2.0F, 0.5F, 0, 0, 9.0F}));
    EXPECT_EQ(model::split_stored(items[0].metadata).lacking, 1);
    EXPECT_EQ(model::split_stored(items[0].metadata).metadata, documents[0].metadata);
    std::memcpy(vectors.data(), items[1].vector.data(), items[1].vector.size());
    EXPECT_EQ(vectors, (std::vector<float>{3.0F, 4.0F, 5.0F, 6.0F, 7.0F, 8.0F}));
    EXPECT_EQ(items[1].metadata, documents[1].metadata);
}

TEST(LogFormat, UpsertOfAnyOtherLengthIsRefused) {
    std::string body = encode_upsert(two_documents());
    for (size_t length = 0; length < body.size(); ++length) {
        Result<std::vector<UpsertItem>> items = decode_upsert(std::string_view(body).substr(0, length), 3);
        ASSERT_FALSE(items.has_value()) << length;
        EXPECT_EQ(items.error().code(), Code::kDataLoss);
    }
    EXPECT_FALSE(decode_upsert(body + "x", 3).has_value());
    EXPECT_FALSE(decode_upsert(body, 4).has_value());
    EXPECT_FALSE(decode_upsert(body, UINT32_MAX).has_value());
}

TEST(LogFormat, CountsThatDoNotFitAllocateNothing) {
    std::string huge("\xff\xff\xff\xff", 4);
    EXPECT_FALSE(decode_upsert(huge + std::string(100, '\0'), 16).has_value());
    EXPECT_FALSE(decode_delete(huge + std::string(100, '\0')).has_value());
}

TEST(LogFormat, DeleteComesBackAsItWas) {
    std::vector<std::string> ids{model::DocumentId(uint64_t{1}).encoded(),
                                 model::DocumentId(uint64_t{2}).encoded()};
    std::string body = encode_delete(ids);
    Result<std::vector<std::string_view>> decoded = decode_delete(body);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(std::vector<std::string>(decoded->begin(), decoded->end()), ids);
    for (size_t length = 0; length < body.size(); ++length) {
        EXPECT_FALSE(decode_delete(std::string_view(body).substr(0, length)).has_value()) << length;
    }
}

TEST(LogFormat, FrameHoldsOnlyAtItsOwnPlaceInItsOwnFile) {
    const std::vector<LogRecord> records{{RecordType::kDelete, "abc"}, {RecordType::kDelete, ""}};
    LogFileHeader file{.file_id = 3, .first_sequence = 10};
    std::string frame;
    encode_frame(frame_seed(file), 10, 128, records, frame);
    ASSERT_EQ(frame.size() % kFrameAlignment, 0u);
    std::optional<FrameHeader> header = decode_frame_header(frame, 128, frame.size());
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->body_bytes, group_body_bytes(records));
    EXPECT_EQ(header->record_count, 2u);
    std::string_view unpadded = std::string_view(frame).substr(0, kFrameHeaderBytes + header->body_bytes);
    EXPECT_TRUE(frame_checksum_holds(*header, frame_seed(file), unpadded));
    EXPECT_FALSE(decode_frame_header(frame, 192, frame.size()).has_value());
    EXPECT_FALSE(decode_frame_header(frame, 128, kFrameHeaderBytes + 1).has_value());
    LogFileHeader recycled{.file_id = 4, .first_sequence = 10};
    EXPECT_FALSE(frame_checksum_holds(*header, frame_seed(recycled), unpadded));
}

}  // namespace
}  // namespace akidb::storage
