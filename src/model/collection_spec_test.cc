#include "model/collection_spec.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace akidb::model {
namespace {

CollectionSpec spec_of(std::string name, uint32_t dimension) {
    return {.name = std::move(name), .dimension = dimension};
}

TEST(Metric, NamesGoBothWays) {
    for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
        EXPECT_EQ(metric_from(name_of(metric)), metric);
    }
    EXPECT_EQ(name_of(Metric::kL2), "l2");
    EXPECT_EQ(metric_from("euclid"), std::nullopt);
    EXPECT_EQ(metric_from(""), std::nullopt);
}

TEST(CollectionName, AcceptsTheAllowedCharacters) {
    for (const std::string_view name : {"a", "Words-2_v.1", "0", "_", "-x", "a..b"}) {
        EXPECT_TRUE(validate_collection_name(name)) << name;
    }
}

TEST(CollectionName, RefusesWhatCouldBeAPathOrBreakAUrl) {
    for (const std::string_view name :
         {"", ".", "..", ".hidden", "a/b", "a b", "a%2f", "caf\xc3\xa9", "a\n"}) {
        const Result<void> checked = validate_collection_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(checked.error().field(), "name");
        EXPECT_FALSE(checked.error().allowed().empty());
    }
    EXPECT_FALSE(validate_collection_name(std::string_view("a\0b", 3)));
}

TEST(CollectionName, EndsAtItsLengthLimit) {
    EXPECT_TRUE(validate_collection_name(std::string(kCollectionNameBytesMax - 1, 'a')));
    EXPECT_TRUE(validate_collection_name(std::string(kCollectionNameBytesMax, 'a')));
    EXPECT_FALSE(validate_collection_name(std::string(kCollectionNameBytesMax + 1, 'a')));
}

TEST(CollectionSpec, DimensionHasBothEnds) {
    EXPECT_FALSE(validate(spec_of("a", 0)));
    EXPECT_FALSE(validate(spec_of("a", kDimensionMin - 1)));
    EXPECT_TRUE(validate(spec_of("a", kDimensionMin)));
    EXPECT_TRUE(validate(spec_of("a", kDimensionMin + 1)));
    EXPECT_TRUE(validate(spec_of("a", kDimensionMax - 1)));
    EXPECT_TRUE(validate(spec_of("a", kDimensionMax)));
    const Result<void> checked = validate(spec_of("a", kDimensionMax + 1));
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().field(), "dimension");
    EXPECT_EQ(checked.error().allowed(), "16..4096");
}

TEST(CollectionSpec, ChecksTheNameToo) {
    EXPECT_EQ(validate(spec_of("a/b", 16)).error().field(), "name");
}

}  // namespace
}  // namespace akidb::model
