// Filter: which documents a search, delete or count means: a tree of must, should, must_not over conditions
// on metadata fields. One value type for every protocol, one evaluator. A filter is checked (limits, types)
// where it is parsed and again by validate(). Immutable after parsing and prepare(); evaluation is
// thread-safe and allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/metadata.h"

namespace akidb::model {

/// What a field is compared with. Integers and doubles compare by value (1 matches 1.0).
using MatchValue = std::variant<bool, int64_t, uint64_t, double, std::string>;

/// True when any value at the path equals any of the list. `negated` = "except": some string, number or
/// boolean is there and none of them equals any of the list (null, an object or an empty array is no value).
struct MatchCondition {
    std::string key;
    std::vector<MatchValue> any;
    bool negated = false;
    bool sorted = false;  // set by prepare() alone
};

/// Numbers; bounds that are absent do not bind. True when any number at the path lies within.
struct RangeCondition {
    std::string key;
    std::optional<double> gt, gte, lt, lte;
};

/// Moments (moment.h); as above. True when any string at the path is an RFC 3339 time within.
struct TimeRangeCondition {
    std::string key;
    std::optional<int64_t> gt, gte, lt, lte;
};

struct Filter;
using FilterNode = std::variant<MatchCondition, RangeCondition, TimeRangeCondition, std::shared_ptr<Filter>>;

/// All of must, and (when there are any) at least one of should, and none of must_not. Empty matches
/// everything.
struct Filter {
    std::vector<FilterNode> must;
    std::vector<FilterNode> should;
    std::vector<FilterNode> must_not;

    bool is_empty() const { return must.empty() && should.empty() && must_not.empty(); }
};

/// Nodes, depth, list and string sizes, empty keys, ranges without a bound or with NaN; field names the place
/// ("filter.must[2].range").
Result<void> validate(const Filter& filter);

/// Sorts the long lists, so that matches() searches them in logarithmic time instead of walking 10,000 items
/// for every document. Optional, changes no answer. Call it once, after validate() and before the filter is
/// shared.
void prepare(Filter& filter);

/// `metadata` is the encoded object of one document.
bool matches(const Filter& filter, MetadataView metadata);

}  // namespace akidb::model
