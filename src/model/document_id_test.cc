#include "model/document_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "model/limits.h"

namespace akidb::model {
namespace {

constexpr std::string_view kUuidText = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

DocumentId text_id(std::string_view text) {
    return DocumentId::from_text(text).value();
}

TEST(DocumentId, BothSpellingsOfAUuidNameOneDocument) {
    const DocumentId lower = text_id(kUuidText);
    const DocumentId upper = text_id("0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B");
    EXPECT_EQ(lower, upper);
    EXPECT_EQ(lower.encoded(), upper.encoded());
    EXPECT_TRUE(std::holds_alternative<Uuid>(upper.value()));
    EXPECT_EQ(upper.to_string(), kUuidText);
}

TEST(DocumentId, TextOfDigitsIsTextButDigitsInAPathAreANumber) {
    EXPECT_EQ(text_id("7").value(), (std::variant<uint64_t, Uuid, std::string>(std::string("7"))));
    EXPECT_EQ(DocumentId::from_path("7").value(), DocumentId(7));
    EXPECT_EQ(DocumentId::from_path("18446744073709551615").value(),
              DocumentId(std::numeric_limits<uint64_t>::max()));
    EXPECT_EQ(DocumentId::from_path("18446744073709551616").value(), text_id("18446744073709551616"));
    EXPECT_EQ(DocumentId::from_path("-7").value(), text_id("-7"));
    EXPECT_EQ(DocumentId::from_path(kUuidText).value(), text_id(kUuidText));
    EXPECT_FALSE(DocumentId::from_path(""));
    EXPECT_FALSE(DocumentId::from_path(std::string(kDocumentIdBytesMax + 1, '0')));
}

TEST(DocumentId, EndsAtItsLengthLimit) {
    EXPECT_FALSE(DocumentId::from_text(""));
    EXPECT_TRUE(DocumentId::from_text("a"));
    EXPECT_TRUE(DocumentId::from_text(std::string(kDocumentIdBytesMax - 1, 'a')));
    EXPECT_TRUE(DocumentId::from_text(std::string(kDocumentIdBytesMax, 'a')));
    const Result<DocumentId> longer = DocumentId::from_text(std::string(kDocumentIdBytesMax + 1, 'a'));
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(longer.error().field(), "");
    EXPECT_FALSE(longer.error().allowed().empty());
}

TEST(DocumentId, RefusesControlCharactersAndBrokenUtf8) {
    for (const std::string& text :
         {std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string("a\xc2\x85"),
          std::string("\xc2\x80"), std::string("\xff"), std::string("a\xc3")}) {
        EXPECT_FALSE(DocumentId::from_text(text)) << text;
    }
    EXPECT_TRUE(DocumentId::from_text("\xc2\xa0 caf\xc3\xa9 \xf0\x9f\x98\x80"));
}

TEST(DocumentId, EncodingComesBackAsItWent) {
    for (const DocumentId& id : {DocumentId(), DocumentId(std::numeric_limits<uint64_t>::max()),
                                 text_id(kUuidText), text_id("king")}) {
        EXPECT_EQ(DocumentId::decode(id.encoded()).value(), id) << id.to_string();
    }
    EXPECT_EQ(DocumentId(0x0102).encoded(), std::string("\x00\x02\x01\x00\x00\x00\x00\x00\x00", 9));
    EXPECT_EQ(text_id("a").encoded(),
              "\x02"
              "a");
    std::string appended = "x";
    text_id("b").encode(appended);
    EXPECT_EQ(appended,
              "x\x02"
              "b");
}

TEST(DocumentId, DecodingRefusesWhatIsNoEncoding) {
    std::string uuid_as_text = "\x02";
    uuid_as_text += kUuidText;
    const std::string number = DocumentId(5).encoded();
    const std::string uuid = text_id(kUuidText).encoded();
    for (const std::string& bytes :
         {std::string(), std::string("\x03"), std::string("\x02"), number.substr(0, 8), number + "x",
          uuid.substr(0, 16), uuid + "x", uuid_as_text, std::string("\x02\xff"), std::string("\x02\n")}) {
        const Result<DocumentId> decoded = DocumentId::decode(bytes);
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().code(), Code::kDataLoss);
    }
}

TEST(DocumentId, DecodingAnyBytesGivesAnIdWithTheseBytesOrNothing) {
    std::mt19937 random(7);  // NOLINT: the same bytes every time
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 20, '\0');
        std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
        if (!bytes.empty()) {
            bytes[0] = static_cast<char>(random() % 4);
        }
        const Result<DocumentId> decoded = DocumentId::decode(bytes);
        if (decoded) {
            EXPECT_EQ(decoded->encoded(), bytes);
        }
    }
}

TEST(DocumentId, OrdersNumbersThenUuidsThenTexts) {
    const std::vector<DocumentId> ordered{DocumentId(2), DocumentId(10), text_id(kUuidText),
                                          text_id("10"), text_id("2"),   text_id("\xc3\xa9")};
    EXPECT_TRUE(std::is_sorted(ordered.begin(), ordered.end()));
    EXPECT_NE(DocumentId(10), text_id("10"));
}

TEST(Utf8, AcceptsTheEndsOfEveryRange) {
    for (const std::string& text :
         {std::string(), std::string("\0", 1), std::string("\x7f"), std::string("\xc2\x80"),
          std::string("\xdf\xbf"), std::string("\xe0\xa0\x80"), std::string("\xed\x9f\xbf"),
          std::string("\xee\x80\x80"), std::string("\xef\xbf\xbf"), std::string("\xf0\x90\x80\x80"),
          std::string("\xf4\x8f\xbf\xbf"), std::string("eight bytes and more \xc3\xa9 and more")}) {
        EXPECT_TRUE(is_utf8(text)) << text;
    }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndTornSequences) {
    for (const std::string_view text :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3z",
          "\xe2z\x82", "\xe2\x82z", "\xf0\x9f\x98z"}) {
        EXPECT_FALSE(is_utf8(text)) << text;
        EXPECT_FALSE(is_utf8("eight by" + std::string(text))) << text;
    }
}

}  // namespace
}  // namespace akidb::model
