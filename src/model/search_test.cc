#include "model/search.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/limits.h"

namespace akidb::model {
namespace {

const CollectionSpec& words() {
    static const CollectionSpec spec{.name = "words", .dimension = 16};
    return spec;
}

SearchRequest request() {
    SearchRequest request;
    request.vector.assign(16, 1.0F);
    return request;
}

std::string field_at_fault(const SearchRequest& asked) {
    const Result<void> checked = validate(asked, words());
    if (checked) {
        return "none";
    }
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_FALSE(checked.error().allowed().empty());
    return checked.error().field();
}

std::string with_page(uint32_t top_k, uint32_t offset) {
    SearchRequest asked = request();
    asked.top_k = top_k;
    asked.offset = offset;
    return field_at_fault(asked);
}

std::string with_ef(uint32_t ef) {
    SearchRequest asked = request();
    asked.params.ef = ef;
    return field_at_fault(asked);
}

TEST(SearchRequest, DefaultsAreAccepted) {
    EXPECT_EQ(field_at_fault(request()), "none");
}

TEST(SearchRequest, TopKHasBothEnds) {
    EXPECT_EQ(with_page(0, 0), "top_k");
    EXPECT_EQ(with_page(1, 0), "none");
    EXPECT_EQ(with_page(2, 0), "none");
    EXPECT_EQ(with_page(kTopKMax - 1, 0), "none");
    EXPECT_EQ(with_page(kTopKMax, 0), "none");
    EXPECT_EQ(with_page(kTopKMax + 1, 0), "top_k");
    EXPECT_EQ(with_page(std::numeric_limits<uint32_t>::max(), 1), "top_k");
}

TEST(SearchRequest, OffsetAndTopKTogetherHaveOneEnd) {
    EXPECT_EQ(with_page(1, kOffsetMax - 1), "none");
    EXPECT_EQ(with_page(1, kOffsetMax), "offset");
    EXPECT_EQ(with_page(1, kOffsetMax + 1), "offset");
    EXPECT_EQ(with_page(5000, 4999), "none");
    EXPECT_EQ(with_page(5000, 5000), "none");
    EXPECT_EQ(with_page(5000, 5001), "offset");
    EXPECT_EQ(with_page(10, std::numeric_limits<uint32_t>::max()), "offset");
}

TEST(SearchRequest, EfHasBothEnds) {
    EXPECT_EQ(with_ef(0), "params.ef");
    EXPECT_EQ(with_ef(1), "none");
    EXPECT_EQ(with_ef(kEfMax - 1), "none");
    EXPECT_EQ(with_ef(kEfMax), "none");
    EXPECT_EQ(with_ef(kEfMax + 1), "params.ef");
}

TEST(SearchRequest, ThresholdIsFinite) {
    SearchRequest asked = request();
    asked.score_threshold = -0.5F;
    EXPECT_EQ(field_at_fault(asked), "none");
    asked.score_threshold = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(field_at_fault(asked), "score_threshold");
    asked.score_threshold = std::numeric_limits<float>::infinity();
    EXPECT_EQ(field_at_fault(asked), "score_threshold");
}

TEST(SearchRequest, ChecksVectorAndFilter) {
    SearchRequest asked = request();
    asked.vector.pop_back();
    EXPECT_EQ(field_at_fault(asked), "vector");
    asked = request();
    auto filter = std::make_shared<Filter>();
    filter->must.emplace_back(RangeCondition{.key = "year"});
    asked.filter = filter;
    EXPECT_EQ(field_at_fault(asked), "filter.must[0].range");
}

}  // namespace
}  // namespace akidb::model
