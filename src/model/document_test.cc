#include "model/document.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/limits.h"

namespace akidb::model {
namespace {

constexpr uint32_t kDimension = 16;

VectorSpec spec_of(Metric metric) {
    return {.dimension = kDimension, .metric = metric};
}

std::vector<float> only(float first) {
    std::vector<float> vector(kDimension, 0.0F);
    vector[0] = first;
    return vector;
}

TEST(Document, StartsWithAnEmptyObject) {
    EXPECT_TRUE(validate_metadata(Document().metadata));
    EXPECT_EQ(MetadataView(Document().metadata).size(), 0U);
}

TEST(Vector, NeedsExactlyTheDimension) {
    EXPECT_TRUE(validate_vector(spec_of(Metric::kCosine), std::vector<float>(kDimension, 0.5F)));
    for (const size_t size : {size_t{0}, size_t{kDimension - 1}, size_t{kDimension + 1}}) {
        const Result<void> checked =
            validate_vector(spec_of(Metric::kCosine), std::vector<float>(size, 0.5F));
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(checked.error().field(), "vector");
        EXPECT_EQ(checked.error().message(), "the vector has " + std::to_string(size) +
                                                 " components but the collection has dimension 16");
    }
}

TEST(Vector, NamesTheComponentThatIsNotFinite) {
    for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        std::vector<float> vector(kDimension, 1.0F);
        vector[11] = wrong;
        for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
            const Result<void> checked = validate_vector(spec_of(metric), vector);
            ASSERT_FALSE(checked);
            EXPECT_EQ(checked.error().field(), "vector[11]");
        }
    }
}

TEST(Vector, ZeroIsRefusedUnderCosineAlone) {
    const Result<void> checked = validate_vector(spec_of(Metric::kCosine), only(0));
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().field(), "vector");
    EXPECT_EQ(checked.error().message(), "a zero vector has no direction under cosine");
    EXPECT_FALSE(validate_vector(spec_of(Metric::kCosine), only(-0.0F)));
    EXPECT_TRUE(validate_vector(spec_of(Metric::kDot), only(0)));
    EXPECT_TRUE(validate_vector(spec_of(Metric::kL2), only(0)));
}

TEST(Vector, TooShortForFloatsIsRefusedUnderCosineAlone) {
    for (const float tiny : {std::numeric_limits<float>::denorm_min(), 1e-38F, 1e-20F, 0.99e-17F}) {
        EXPECT_FALSE(validate_vector(spec_of(Metric::kCosine), only(tiny))) << tiny;
        EXPECT_TRUE(validate_vector(spec_of(Metric::kDot), only(tiny))) << tiny;
        EXPECT_TRUE(validate_vector(spec_of(Metric::kL2), only(tiny))) << tiny;
    }
    EXPECT_TRUE(validate_vector(spec_of(Metric::kCosine), only(1.01e-17F)));
}

TEST(Vector, SquaresThatOverflowFloatsAreRefused) {
    for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
        EXPECT_TRUE(validate_vector(spec_of(metric), only(6.3e18F)));
        for (const float huge : {6.4e18F, std::numeric_limits<float>::max()}) {
            const Result<void> checked = validate_vector(spec_of(metric), only(huge));
            ASSERT_FALSE(checked);
            EXPECT_EQ(checked.error().field(), "vector");
        }
        EXPECT_FALSE(validate_vector(spec_of(metric), std::vector<float>(kDimension, 6.3e18F)));
    }
}

TEST(Vector, WhatIsAcceptedStaysFiniteInFloatArithmetic) {
    // The worst case: two opposite vectors at the limit of length.
    float difference = 0;
    for (uint32_t i = 0; i < kDimension; ++i) {
        const float component = 6.3e18F / 4;
        const float apart = component - -component;
        difference += apart * apart;
    }
    EXPECT_TRUE(validate_vector(spec_of(Metric::kL2), std::vector<float>(kDimension, 6.3e18F / 4)));
    EXPECT_TRUE(std::isfinite(difference));
}

TEST(Document, AVectorToBeKeptFitsTheStorage) {
    const auto largest_for = [](VectorStorage storage, Metric metric, float component) {
        VectorSpec spec = spec_of(metric);
        spec.storage = storage;
        return validate_kept_vector(spec, only(component));
    };
    const float beyond = std::nextafter(65504.0F, 1e6F);
    EXPECT_TRUE(largest_for(VectorStorage::kF16, Metric::kL2, -65504));
    const Result<void> refused = largest_for(VectorStorage::kF16, Metric::kL2, beyond);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().field().starts_with("vector["));
    EXPECT_EQ(refused.error().allowed(), "-65504..65504");
    EXPECT_TRUE(largest_for(VectorStorage::kInt8, Metric::kL2, beyond));
    EXPECT_TRUE(largest_for(VectorStorage::kF32, Metric::kL2, beyond));

    const float zero = 0x1p-25F;
    EXPECT_FALSE(largest_for(VectorStorage::kF16, Metric::kCosine, zero));
    EXPECT_TRUE(largest_for(VectorStorage::kF16, Metric::kCosine, std::nextafter(zero, 1.0F)));
    EXPECT_TRUE(largest_for(VectorStorage::kF16, Metric::kDot, zero));
    EXPECT_TRUE(largest_for(VectorStorage::kInt8, Metric::kCosine, zero));
}

}  // namespace
}  // namespace akidb::model
