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

TEST(CollectionSpec, HasUpToEightVectorsWithNamesEachOnce) {
    const auto with = [](size_t count) {
        CollectionSpec spec = spec_of("a", 0);
        for (size_t i = 0; i < count; ++i) {
            spec.vectors.push_back({std::string(1, static_cast<char>('a' + i)), kDimensionMin});
        }
        return spec;
    };
    EXPECT_FALSE(validate(with(0)));
    EXPECT_TRUE(validate(with(1)));
    EXPECT_TRUE(validate(with(kNamedVectorsMax - 1)));
    EXPECT_TRUE(validate(with(kNamedVectorsMax)));
    EXPECT_EQ(validate(with(kNamedVectorsMax + 1)).error().field(), "vectors");
    CollectionSpec wrong = with(2);
    wrong.vectors[1].name = "a";
    EXPECT_EQ(validate(wrong).error().field(), "vectors.a");
    wrong = with(2);
    wrong.vectors[1].dimension = kDimensionMax + 1;
    EXPECT_EQ(validate(wrong).error().field(), "vectors.b.dimension");
    EXPECT_EQ(validate(wrong).error().allowed(), "16..4096");
    for (const std::string& name : {std::string(kVectorNameBytesMax - 1, 'a'),
                                    std::string(kVectorNameBytesMax, 'a'), std::string(".a-_9")}) {
        EXPECT_TRUE(validate_vector_name(name)) << name;
    }
    for (const std::string& name : {std::string(), std::string(kVectorNameBytesMax + 1, 'a'),
                                    std::string("a b"), std::string("a/b"), std::string("ä")}) {
        EXPECT_EQ(validate_vector_name(name).error().field(), "vectors") << name;
    }
}

TEST(CollectionSpec, TellsAllItsVectors) {
    CollectionSpec spec = spec_of("a", 20);
    spec.metric = Metric::kDot;
    spec.vectors = {{"title", 30, Metric::kL2}, {"image", 40}};
    ASSERT_EQ(vectors_of(spec).size(), 3U);
    EXPECT_EQ(vectors_of(spec)[0], (VectorSpec{"", 20, Metric::kDot}));
    EXPECT_EQ(dimension_of_all(spec), 90U);
    EXPECT_EQ(find_vector(spec, "", "using").value().dimension, 20U);
    EXPECT_EQ(find_vector(spec, "image", "using").value().dimension, 40U);
    EXPECT_EQ(find_vector(spec, "none", "using").error().allowed(), "no name, or one of title, image");
    spec.dimension = 0;
    EXPECT_EQ(vectors_of(spec).size(), 2U);
    EXPECT_EQ(find_vector(spec, "", "using").error().allowed(), "one of title, image");
    spec = spec_of("a", 20);
    EXPECT_EQ(find_vector(spec, "title", "using").error().allowed(), "no name");
}

TEST(CollectionSpec, ChecksTheNameToo) {
    EXPECT_EQ(validate(spec_of("a/b", 16)).error().field(), "name");
}

}  // namespace
}  // namespace akidb::model
