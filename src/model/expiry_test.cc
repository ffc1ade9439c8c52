#include "model/expiry.h"

#include <gtest/gtest.h>

#include "model/metadata.h"

namespace akidb::model {
namespace {

std::string stored(uint64_t expires_at_ms) {
    std::string bytes(empty_metadata());
    append_expiry(bytes, expires_at_ms);
    return bytes;
}

TEST(Expiry, StandsBehindTheMetadataAndIsReadBack) {
    EXPECT_EQ(stored(0), empty_metadata());
    const std::string bytes = stored(1'700'000'000'123);
    EXPECT_EQ(bytes.size(), empty_metadata().size() + 9);
    EXPECT_EQ(split_stored(bytes).metadata, empty_metadata());
    EXPECT_EQ(split_stored(bytes).expires_at_ms, 1'700'000'000'123U);
    EXPECT_EQ(split_stored(empty_metadata()).metadata, empty_metadata());
    EXPECT_EQ(split_stored(empty_metadata()).expires_at_ms, 0U);
}

TEST(Expiry, NothingElseMayStandThere) {
    EXPECT_TRUE(validate_stored_metadata(stored(0)));
    EXPECT_TRUE(validate_stored_metadata(stored(5)));
    for (size_t length = empty_metadata().size() + 1; length < stored(5).size(); ++length) {
        EXPECT_FALSE(validate_stored_metadata(stored(5).substr(0, length))) << length;
    }
    EXPECT_FALSE(validate_stored_metadata(stored(5) + "x"));
    std::string other = stored(5);
    other[empty_metadata().size()] = 8;
    EXPECT_FALSE(validate_stored_metadata(other));
    EXPECT_EQ(split_stored(other).expires_at_ms, 0U);
    EXPECT_EQ(split_stored("").expires_at_ms, 0U);
}

TEST(Expiry, StandsBehindWhichVectorsAreLacking) {
    for (const uint8_t lacking : {uint8_t{1}, uint8_t{2}, uint8_t{128}, uint8_t{255}}) {
        for (const uint64_t expires_at_ms : {uint64_t{0}, uint64_t{5}, kNeverMs}) {
            std::string bytes(empty_metadata());
            append_lacking(bytes, lacking);
            append_expiry(bytes, expires_at_ms);
            EXPECT_TRUE(validate_stored_metadata(bytes));
            const StoredMetadata split = split_stored(bytes);
            EXPECT_EQ(split.metadata, empty_metadata());
            EXPECT_EQ(split.lacking, lacking);
            EXPECT_EQ(split.expires_at_ms, expires_at_ms);
            EXPECT_EQ(split.metadata.size() + trailer_bytes(split), bytes.size());
            for (size_t length = empty_metadata().size() + 1; length < bytes.size(); ++length) {
                const bool is_one_less = length == empty_metadata().size() + kLackingBytes;
                EXPECT_EQ(validate_stored_metadata(bytes.substr(0, length)).has_value(), is_one_less)
                    << length;
            }
            EXPECT_FALSE(validate_stored_metadata(bytes + "x"));
        }
    }
    std::string none(empty_metadata());
    append_lacking(none, 0);
    EXPECT_EQ(none, empty_metadata());
    EXPECT_FALSE(validate_stored_metadata(none + std::string("\x0a\x00", 2))) << "nothing is lacking";
}

TEST(Expiry, IsAnRfc3339TimeFrom1970On) {
    EXPECT_EQ(parse_expiry("2023-11-14T22:13:20.1239Z").value(), 1'700'000'000'123U);
    EXPECT_EQ(parse_expiry("1970-01-01T00:00:00Z").value(), 1U) << "0 is never";
    EXPECT_EQ(parse_expiry("1970-01-01T01:00:00.002+01:00").value(), 2U);
    EXPECT_FALSE(parse_expiry("1969-12-31T23:59:59.999Z"));
    EXPECT_FALSE(parse_expiry("2023-11-14"));
    EXPECT_FALSE(parse_expiry(""));
    EXPECT_EQ(expiry_of(1'700'000'000, 123'999'999).value(), 1'700'000'000'123U);
    EXPECT_EQ(expiry_of(0, 0).value(), 1U);
    EXPECT_EQ(expiry_of(253'402'300'799, 0).value(), 253'402'300'799'000U);
    EXPECT_FALSE(expiry_of(253'402'300'800, 0));
    EXPECT_FALSE(expiry_of(-1, 0));
    EXPECT_FALSE(expiry_of(1, -1));
    EXPECT_FALSE(expiry_of(1, 1'000'000'000));
}

}  // namespace
}  // namespace akidb::model
