#include "model/update.h"

#include <gtest/gtest.h>

#include "base/function_ref.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

std::string object(FunctionRef<void(MetadataWriter&)> fill) {
    MetadataWriter writer;
    writer.begin_object();
    fill(writer);
    writer.end();
    return std::move(writer).finish().value();
}

/// {"a":1,"b":{"c":2,"d":[{"e":3,"f":4},5]},"g":null}
std::string sample() {
    return object([](MetadataWriter& writer) {
        writer.key("a");
        writer.put_int(1);
        writer.key("b");
        writer.begin_object();
        writer.key("c");
        writer.put_int(2);
        writer.key("d");
        writer.begin_array();
        writer.begin_object();
        writer.key("e");
        writer.put_int(3);
        writer.key("f");
        writer.put_int(4);
        writer.end();
        writer.put_int(5);
        writer.end();
        writer.end();
        writer.key("g");
        writer.put_null();
    });
}

std::string after(const DocumentChange& change) {
    return changed_metadata(change, MetadataView(sample())).value();
}

TEST(Update, SetTakesThePlaceOfEverything) {
    const std::string other = object([](MetadataWriter& writer) {
        writer.key("z");
        writer.put_bool(true);
    });
    DocumentChange change;
    change.set = other;
    EXPECT_EQ(after(change), other);
}

TEST(Update, MergeIsDeepOrOfTheTopLevel) {
    DocumentChange change;
    change.merge = object([](MetadataWriter& writer) {
        writer.key("b");
        writer.begin_object();
        writer.key("c");
        writer.put_string("two");
        writer.end();
        writer.key("h");
        writer.put_double(0.5);
    });
    std::string deep = after(change);
    EXPECT_EQ(MetadataView(deep).member("b")->member("c")->as_string(), "two");
    EXPECT_TRUE(MetadataView(deep).member("b")->member("d").has_value());
    EXPECT_EQ(MetadataView(deep).member("h")->as_double(), 0.5);
    EXPECT_EQ(MetadataView(deep).member("a")->as_int(), 1);
    EXPECT_TRUE(validate_metadata(deep));
    change.merges_deep = false;
    std::string flat = after(change);
    EXPECT_EQ(MetadataView(flat).member("b")->size(), 1U);
    EXPECT_EQ(MetadataView(flat).size(), 4U);
}

TEST(Update, RemoveWalksIntoObjectsAndArraysAndMindsNothingMissing) {
    DocumentChange change;
    change.remove = {"g", "b.d[].e", "b.x.y", "nothing"};
    const std::string kept = after(change);
    EXPECT_FALSE(MetadataView(kept).member("g").has_value());
    std::string first;
    const std::optional<MetadataView> list = MetadataView(kept).member("b")->member("d");
    ASSERT_TRUE(list.has_value());
    EXPECT_EQ(list->size(), 2U);
    list->for_each([&](std::string_view, MetadataView item) {
        EXPECT_FALSE(item.member("e").has_value());
        EXPECT_EQ(item.member("f")->as_int(), 4);
        return false;
    });
    EXPECT_TRUE(validate_metadata(kept));
}

TEST(Update, RemoveComesBeforeMerge) {
    DocumentChange change;
    change.remove = {"b"};
    change.merge = object([](MetadataWriter& writer) {
        writer.key("b");
        writer.begin_object();
        writer.key("new");
        writer.put_int(1);
        writer.end();
    });
    EXPECT_EQ(MetadataView(after(change)).member("b")->size(), 1U);
}

TEST(Update, WhatWouldBeTooLargeIsRefused) {
    DocumentChange change;
    change.merge = object([](MetadataWriter& writer) {
        writer.key("text");
        writer.put_string(std::string(kMetadataBytesMax - 64, 'x'));
    });
    const Result<std::string> changed = changed_metadata(change, MetadataView(sample()));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().field(), "metadata");
}

TEST(Update, EachFaultNamesItsField) {
    const CollectionSpec spec{.name = "words", .dimension = 16};
    const auto field_of = [&](const UpdateRequest& request) {
        const Result<void> valid = validate(request, spec);
        return valid ? "none" : valid.error().field();
    };
    DocumentUpdate update{.id = DocumentId(1), .change = {}, .if_version = {}};
    EXPECT_EQ(field_of(std::vector<DocumentUpdate>{}), "documents");
    EXPECT_EQ(field_of(std::vector{update}), "documents[0].set");
    update.change.vector = {1, 2};
    EXPECT_EQ(field_of(std::vector{update}), "documents[0].vector");
    update.change.vector.clear();
    update.change.remove = {"a"};
    EXPECT_EQ(field_of(std::vector{update}), "none");
    update.change.set = std::string(empty_metadata());
    EXPECT_EQ(field_of(std::vector{update}), "documents[0].remove");
    update.change.set.reset();
    update.change.remove = {""};
    EXPECT_EQ(field_of(std::vector{update}), "documents[0].remove[0]");
    update.change.remove.assign(kRemovedPathsMax + 1, "a");
    EXPECT_EQ(field_of(std::vector{update}), "documents[0].remove");
    UpdateAll all{.which = std::vector<DocumentId>{}, .change = {}};
    EXPECT_EQ(field_of(all), "ids");
    all.which = std::vector{DocumentId(1)};
    EXPECT_EQ(field_of(all), "set");
    all.change.vector.assign(16, 1.0F);
    EXPECT_EQ(field_of(all), "vector");
}

}  // namespace
}  // namespace akidb::model
