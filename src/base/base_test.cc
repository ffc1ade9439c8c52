#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/digest.h"
#include "base/published.h"
#include "base/result.h"
#include "base/uuid.h"

namespace akidb {
namespace {

Result<int> parse_even(int value) {
    if (value % 2 != 0) {
        return invalid_argument("value", "odd", "even numbers");
    }
    return value;
}

Result<int> half(int value) {
    AKIDB_TRY(const int even, parse_even(value));
    return even / 2;
}

TEST(Result, CarriesValueOrError) {
    EXPECT_EQ(half(4).value(), 2);
    Result<int> odd = half(3);
    ASSERT_FALSE(odd.has_value());
    EXPECT_EQ(odd.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(odd.error().field(), "value");
    EXPECT_EQ(std::move(odd.error()).with_context("halving").message(), "halving: odd");
}

TEST(Codes, TableIsInEnumOrderAndNamesAreUnique) {
    for (size_t i = 0; i < kCodes.size(); ++i) {
        EXPECT_EQ(static_cast<size_t>(kCodes[i].code), i);
        for (size_t j = 0; j < i; ++j) {
            EXPECT_NE(kCodes[i].name, kCodes[j].name);
        }
    }
}

TEST(Crc32c, HasTheCheckValueOfRfc3720) {
    EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
    EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283u);
}

TEST(Bytes, ReaderStopsAtAnyLengthBeyondTheBuffer) {
    std::string out;
    ByteWriter writer(out);
    writer.put<uint32_t>(7);
    writer.put_string("abc");
    ByteReader reader(out);
    EXPECT_EQ(reader.get<uint32_t>(), 7u);
    EXPECT_EQ(reader.get_string(), "abc");
    EXPECT_TRUE(reader.finished());
    for (size_t cut = 0; cut < out.size(); ++cut) {
        ByteReader torn(std::string_view(out).substr(0, cut));
        torn.get<uint32_t>();
        torn.get_string();
        EXPECT_TRUE(torn.failed()) << cut;
    }
}

TEST(Uuid, TextFormRoundTripsAndRefusesOtherForms) {
    const Uuid made = make_uuid_v7(0x0123456789ab, 0xffff, 0xfedcba9876543210);
    EXPECT_EQ(made.to_string().substr(0, 15), "01234567-89ab-7");
    EXPECT_EQ(Uuid::parse(made.to_string()), made);
    EXPECT_FALSE(Uuid::parse("0123456789ab7fffbedcba9876543210").has_value());
    EXPECT_FALSE(Uuid::parse("01234567-89ab-7fff-bedc-ba987654321g").has_value());
}

// The expected texts are those of `b2sum -l 128`.
TEST(Digester, MakesTheDigestsOfTheRfcHoweverTheTextIsCut) {
    const std::pair<size_t, std::string_view> kKnown[] = {
        {127, "28b1296c7d4807883de6ee4ec04dcc0a"}, {128, "a74787004ef589e31149183900d0294a"},
        {129, "aaf1b0371f6d4ee49ee4fb5ddd9c49ef"}, {256, "1142c504dcd26338b7cbcf41424540d0"},
        {257, "b77b55d3dddcc45c6a52774565cd0dd6"}, {1000, "bca120dfd89cd95d82898473a5b01c90"}};
    const auto hex = [](const Digest128& digest) {
        std::string text;
        for (const uint8_t byte : digest.bytes) {
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
        return text;
    };
    EXPECT_EQ(hex(Digester().finish()), "cae66941d9efbd404e4d88758ea67670");
    EXPECT_EQ(hex(Digester().add("abc").finish()), "cf4ab791c62b8d2b2109c90275287816");
    for (const auto& [bytes, expected] : kKnown) {
        std::string text;
        for (size_t i = 0; i < bytes; ++i) {
            text += static_cast<char>(i % 251);
        }
        EXPECT_EQ(hex(Digester().add(text).finish()), expected) << bytes;
        const std::string_view whole(text);
        for (const size_t cut : {size_t{1}, size_t{126}, std::min<size_t>(bytes, 128)}) {
            EXPECT_EQ(hex(Digester().add(whole.substr(0, cut)).add(whole.substr(cut)).finish()), expected);
        }
    }
}

TEST(Published, ReaderKeepsTheValueItLoaded) {
    Published<int> number(std::make_shared<const int>(1));
    const auto before = number.load();
    number.store(std::make_shared<const int>(2));
    EXPECT_EQ(*before, 1);
    EXPECT_EQ(*number.load(), 2);
}

}  // namespace
}  // namespace akidb
