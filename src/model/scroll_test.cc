#include "model/scroll.h"

#include <gtest/gtest.h>

namespace akidb::model {
namespace {

TEST(ScrollCursor, ComesBackAsItWent) {
    const DocumentId ids[] = {DocumentId(uint64_t{1} << 63), DocumentId::from_text("word é").value(),
                              DocumentId::from_text("550e8400-e29b-41d4-a716-446655440000").value()};
    const std::optional<MatchValue> values[] = {std::nullopt,      true, int64_t{-5},
                                                uint64_t{1} << 63, 0.1,  std::string("text\0with", 9)};
    for (const DocumentId& id : ids) {
        for (const auto& value : values) {
            std::optional<ScrollOrder> order;
            if (value) {
                order = ScrollOrder{.key = "größe", .descending = true};
            }
            const auto back = decode_cursor(encode_cursor({.value = value, .id = id, .order = order}));
            ASSERT_TRUE(back);
            EXPECT_EQ(back->order, order);
            EXPECT_EQ(back->id, id);
            EXPECT_EQ(back->value, value);
        }
    }
}

TEST(ScrollCursor, AnythingElseIsRefused) {
    const std::string good = encode_cursor({.value = std::string("text"), .id = DocumentId(7)});
    for (size_t length = 0; length < good.size(); ++length) {
        EXPECT_EQ(decode_cursor(good.substr(0, length)).error().field(), "cursor") << length;
    }
    EXPECT_FALSE(decode_cursor(good + "00"));
    EXPECT_FALSE(decode_cursor(good + "0"));
    EXPECT_FALSE(decode_cursor("xyz"));
    EXPECT_FALSE(decode_cursor(std::string(4 << 20, '0')));
    std::string other = good;
    other[1] = '1';
    EXPECT_FALSE(decode_cursor(other)) << "another version";
}

}  // namespace
}  // namespace akidb::model
