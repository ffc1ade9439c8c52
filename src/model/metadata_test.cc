#include "model/metadata.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "model/limits.h"
#include "model/tree_for_tests.h"

namespace akidb::model {
namespace {

using Members = Tree::Members;
using Items = Tree::Items;

Tree text(std::string value) {
    return {std::move(value)};
}
Tree number(int64_t value) {
    return {value};
}

// NOLINTNEXTLINE(misc-no-recursion)
Tree decoded(MetadataView view) {
    switch (view.type()) {
        case MetadataType::kNull:
            return {};
        case MetadataType::kFalse:
        case MetadataType::kTrue:
            return {view.type() == MetadataType::kTrue};
        case MetadataType::kInt:
            return {view.as_int()};
        case MetadataType::kUint:
            return {view.as_uint()};
        case MetadataType::kDouble:
            return {view.as_double()};
        case MetadataType::kString:
            return {std::string(view.as_string())};
        default:
            break;
    }
    Items items;
    Members members;
    view.for_each([&](std::string_view key, MetadataView part) {
        if (view.type() == MetadataType::kArray) {
            items.push_back(decoded(part));
        } else {
            members.push_back({std::string(key), decoded(part)});
        }
        return true;
    });
    return view.type() == MetadataType::kArray ? Tree{std::move(items)} : Tree{std::move(members)};
}

/// The strings that the path reaches, joined; other values as "?".
std::string at_path(const std::string& encoded, std::string_view path, size_t stop_after = 100) {
    std::string found;
    size_t count = 0;
    for_each_at_path(MetadataView(encoded), path, [&](MetadataView value) {
        found += value.type() == MetadataType::kString ? value.as_string() : "?";
        return ++count < stop_after;
    });
    return found;
}

TEST(MetadataView, ReadsEveryType) {
    const std::string encoded = Tree{Members{{"null", {}},
                                             {"no", {false}},
                                             {"yes", {true}},
                                             {"int", {std::numeric_limits<int64_t>::min()}},
                                             {"uint", {std::numeric_limits<uint64_t>::max()}},
                                             {"double", {-0.25}},
                                             {"text", text("caf\xc3\xa9")},
                                             {"list", {Items{number(1), number(2)}}}}}
                                    .encoded();
    const MetadataView root(encoded);
    EXPECT_EQ(root.type(), MetadataType::kObject);
    EXPECT_EQ(root.size(), 8U);
    EXPECT_EQ(root.bytes(), encoded);
    EXPECT_EQ(root.member("null")->type(), MetadataType::kNull);
    EXPECT_EQ(root.member("no")->type(), MetadataType::kFalse);
    EXPECT_EQ(root.member("yes")->type(), MetadataType::kTrue);
    EXPECT_EQ(root.member("int")->as_int(), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(root.member("uint")->as_uint(), std::numeric_limits<uint64_t>::max());
    EXPECT_EQ(root.member("double")->as_double(), -0.25);
    EXPECT_EQ(root.member("text")->as_string(), "caf\xc3\xa9");
    EXPECT_EQ(root.member("list")->size(), 2U);
    EXPECT_EQ(root.member("list")->bytes().size(), 9U + 2 * 9U);
    EXPECT_FALSE(root.member("absent"));
    EXPECT_FALSE(root.member("list")->member("0"));
}

TEST(MetadataView, AskedForAnotherTypeAnswersNothing) {
    const std::string encoded = Tree{Members{{"text", text("7")}, {"minus", number(-7)}}}.encoded();
    const MetadataView seven = *MetadataView(encoded).member("text");
    EXPECT_FALSE(seven.is_number());
    EXPECT_EQ(seven.as_int(), 0);
    EXPECT_EQ(seven.as_uint(), 0U);
    EXPECT_EQ(seven.as_double(), 0);
    EXPECT_EQ(seven.size(), 0U);
    const MetadataView minus = *MetadataView(encoded).member("minus");
    EXPECT_TRUE(minus.is_number());
    EXPECT_EQ(minus.as_uint(), 0U);
    EXPECT_EQ(minus.as_double(), -7);
    EXPECT_EQ(minus.as_string(), "");
    EXPECT_EQ(MetadataView(std::string_view()).type(), MetadataType::kNull);
    EXPECT_EQ(MetadataView(std::string_view()).bytes(), "");
}

TEST(MetadataView, VisitingStopsWhenAsked) {
    const std::string encoded = Tree{Members{{"a", {}}, {"b", {}}, {"c", {}}}}.encoded();
    std::string keys;
    MetadataView(encoded).for_each([&](std::string_view key, MetadataView) {
        keys += key;
        return key != "b";
    });
    EXPECT_EQ(keys, "ab");
}

TEST(MetadataPath, ReachesMembersOfMembers) {
    const std::string encoded =
        Tree{Members{{"a", {Members{{"b", text("x")}, {"", text("e")}}}}, {"a.b", text("dotted")}}}.encoded();
    EXPECT_EQ(at_path(encoded, "a.b"), "x");
    EXPECT_EQ(at_path(encoded, "a"), "?");
    EXPECT_EQ(at_path(encoded, "a."), "e");
    EXPECT_EQ(at_path(encoded, "a.b.c"), "");
    EXPECT_EQ(at_path(encoded, "b"), "");
    EXPECT_EQ(at_path(encoded, ""), "");
    EXPECT_EQ(at_path(encoded, "."), "");
}

TEST(MetadataPath, WalksIntoArraysOnTheWayAndAtTheEnd) {
    const std::string encoded = Tree{
        Members{
            {"list",
             {Items{Tree{Members{{"b", text("x")}}}, text("y"),
                    Tree{Items{Tree{Members{{"b", {Items{text("z"), {}}}}}}}}}}},
            {"empty", {Items{}}}}}.encoded();
    EXPECT_EQ(at_path(encoded, "list.b"), "xz?");
    EXPECT_EQ(at_path(encoded, "list"), "?y?");
    EXPECT_EQ(at_path(encoded, "empty"), "");
    EXPECT_EQ(at_path(encoded, "list.b", 2), "xz");
    EXPECT_EQ(at_path(encoded, "list", 1), "?");
}

TEST(Metadata, RandomTreesComeBackAsTheyWent) {
    RandomTrees trees(1);
    for (int round = 0; round < 5'000; ++round) {
        const std::string encoded = trees.object(5).encoded();
        ASSERT_TRUE(validate_metadata(encoded));
        EXPECT_EQ(decoded(MetadataView(encoded)).encoded(), encoded);
    }
}

TEST(ValidateMetadata, RefusesEveryTornAndEveryLongerForm) {
    const std::string encoded =
        Tree{Members{{"a", {Items{number(1), {2.5}, text("x"), {true}}}}, {"b", {uint64_t{1} << 63}}}}
            .encoded();
    for (size_t size = 0; size < encoded.size(); ++size) {
        const Result<void> checked = validate_metadata(std::string_view(encoded).substr(0, size));
        ASSERT_FALSE(checked) << size;
        EXPECT_EQ(checked.error().code(), Code::kDataLoss);
    }
    EXPECT_FALSE(validate_metadata(encoded + '\0'));
}

TEST(ValidateMetadata, RefusesWhatTheWriterWouldNotWrite) {
    const auto with_value = [](std::string_view value) {
        const auto length = static_cast<uint32_t>(4 + 5 + value.size());
        std::string bytes = std::string("\x08____\x01\0\0\0\x01\0\0\0a", 14) + std::string(value);
        std::memcpy(bytes.data() + 1, &length, sizeof(length));
        return validate_metadata(bytes).has_value();
    };
    EXPECT_TRUE(with_value(std::string_view("\0", 1)));
    EXPECT_FALSE(with_value("\x09"));
    EXPECT_FALSE(with_value("\xff"));
    EXPECT_FALSE(with_value(std::string_view("\x04\x01\0\0\0\0\0\0\0", 9)));          // uint 1
    EXPECT_FALSE(with_value(std::string_view("\x05\0\0\0\0\0\0\xf0\x7f", 9)));        // infinity
    EXPECT_FALSE(with_value(std::string_view("\x06\x01\0\0\0\xff", 6)));              // broken UTF-8
    EXPECT_FALSE(with_value(std::string_view("\x06\xff\xff\xff\xff", 5)));            // length beyond the end
    EXPECT_FALSE(with_value(std::string_view("\x07\x04\0\0\0\xff\xff\xff\xff", 9)));  // count beyond the end
    EXPECT_FALSE(with_value(std::string_view("\x07\x00\0\0\0", 5)));                  // no room for the count
    EXPECT_FALSE(with_value(std::string_view("\x07\x05\0\0\0\x00\0\0\0\0", 10)));     // more bytes than items
    EXPECT_FALSE(
        with_value(std::string_view("\x08\x09\0\0\0\x01\0\0\0\xff\0\0\0\0", 14)));  // key beyond the end
    EXPECT_FALSE(validate_metadata(std::string("\x07\x04\0\0\0\0\0\0\0", 9)));      // the root is an array
}

TEST(ValidateMetadata, DepthAndSizeEndAtTheirLimits) {
    const auto nested = [](uint32_t depth) {
        std::string inner(1, '\0');
        for (uint32_t level = 1; level < depth; ++level) {
            const auto length = static_cast<uint32_t>(4 + inner.size());
            std::string outer = std::string("\x07____\x01\0\0\0", 9) + inner;
            std::memcpy(outer.data() + 1, &length, sizeof(length));
            inner = std::move(outer);
        }
        const auto length = static_cast<uint32_t>(4 + 5 + inner.size());
        std::string root = std::string("\x08____\x01\0\0\0\x01\0\0\0a", 14) + inner;
        std::memcpy(root.data() + 1, &length, sizeof(length));
        return validate_metadata(root).has_value();
    };
    EXPECT_TRUE(nested(kMetadataDepthMax));
    EXPECT_FALSE(nested(kMetadataDepthMax + 1));
    EXPECT_FALSE(nested(5'000));
    const auto sized = [](size_t size) {
        std::string root("\x08____\x01\0\0\0\x01\0\0\0a\x06____", 19);
        const auto length = static_cast<uint32_t>(size - 5);
        const auto text_length = static_cast<uint32_t>(size - 19);
        std::memcpy(root.data() + 1, &length, sizeof(length));
        std::memcpy(root.data() + 15, &text_length, sizeof(text_length));
        root.resize(size, 'x');
        return validate_metadata(root).has_value();
    };
    EXPECT_TRUE(sized(kMetadataBytesMax - 1));
    EXPECT_TRUE(sized(kMetadataBytesMax));
    EXPECT_FALSE(sized(kMetadataBytesMax + 1));
}

TEST(ValidateMetadata, WhatPassesAfterRandomDamageCanBeWalked) {
    RandomTrees trees(2);
    int passed = 0;
    for (int round = 0; round < 100'000; ++round) {
        std::string bytes = trees.object(3).encoded();
        for (uint32_t hits = 1 + trees.below(3); hits > 0; --hits) {
            const size_t place = trees.below(static_cast<uint32_t>(bytes.size()));
            switch (trees.below(4)) {
                case 0:
                    bytes[place] = static_cast<char>(trees.below(256));
                    break;
                case 1:
                    bytes[place] = static_cast<char>(trees.below(10));
                    break;
                case 2:
                    bytes.insert(place, 1, static_cast<char>(trees.below(10)));
                    break;
                default:
                    bytes.erase(place, 1 + trees.below(8));
                    bytes += 'x';
                    break;
            }
        }
        // In a buffer of its exact size, so that the address sanitizer sees a read past the end.
        const std::vector<char> exact(bytes.begin(), bytes.end());
        const std::string_view view(exact.data(), exact.size());
        if (validate_metadata(view)) {
            ++passed;
            decoded(MetadataView(view));
            at_path(bytes, "a.b.c");
        }
    }
    EXPECT_GT(passed, 1'000);
}

}  // namespace
}  // namespace akidb::model
