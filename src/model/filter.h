// Filter: which documents a search, delete or count means: a tree of must, should, must_not and min_should
// over conditions on metadata fields and on ids. One value type for every protocol, one evaluator. A filter
// is checked (limits, types) where it is parsed and again by validate(). Immutable after parsing and
// prepare(); evaluation is thread-safe and allocates nothing. docs/filters.md tells clients the same.
//
// A key is a path "a.b" (metadata.h): arrays on the way and at its end are looked into, so a condition holds
// when any value there meets it. A field that is missing meets no condition but those that say so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/filter_geo.h"
#include "model/filter_text.h"
#include "model/metadata.h"

namespace akidb::model {

/// What a field is compared with. Integers and doubles compare by value (1 matches 1.0).
using MatchValue = std::variant<bool, int64_t, uint64_t, double, std::string>;

/// The value as a filter would name it: a whole double is the integer that it equals. Nothing for null,
/// arrays and objects.
std::optional<MatchValue> match_value_of(MetadataView value);

/// True when any value at the path equals any of the list. `negated` = "except": some string, number or
/// boolean is there and none of them equals any of the list (null, an object or an empty array is no value).
struct MatchCondition {
    std::string key;
    std::vector<MatchValue> any;
    bool negated = false;
    bool sorted = false;  // set by prepare() alone
};

/// True when the strings at the path hold the words of the query.
struct TextCondition {
    std::string key;
    TextQuery query;
};

/// True when any string at the path begins with these bytes. Empty: when there is any string.
struct PrefixCondition {
    std::string key;
    std::string prefix;
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

/// True when any point {"lat", "lon"} at the path lies within the shape.
struct GeoCondition {
    std::string key;
    GeoShape shape;
};

/// How many values are at the path: the items of an array (nulls among them), one for any other value, none
/// for null or where nothing is. Where the path leads through arrays, all it reaches are counted.
struct ValuesCountCondition {
    std::string key;
    std::optional<uint64_t> gt, gte, lt, lte;
};

/// True when nothing is at the path, or only nulls and empty arrays.
struct IsEmptyCondition {
    std::string key;
};

/// True when null is at the path (not within an array there).
struct IsNullCondition {
    std::string key;
};

/// True when the document's id is one of the list; also within a nested condition.
struct HasIdCondition {
    std::vector<std::string> ids;  // DocumentId::encoded()
    bool sorted = false;           // set by prepare() alone
};

struct Filter;

/// True when any one object at the path (often an item of an array) meets the whole filter, whose keys are
/// paths within that object.
struct NestedCondition {
    std::string key;
    std::shared_ptr<Filter> filter;
};

using FilterNode = std::variant<MatchCondition, TextCondition, PrefixCondition, RangeCondition,
                                TimeRangeCondition, GeoCondition, ValuesCountCondition, IsEmptyCondition,
                                IsNullCondition, HasIdCondition, NestedCondition, std::shared_ptr<Filter>>;

/// At least min_count of the conditions: of none, all documents; of more than there are, no document.
struct MinShould {
    std::vector<FilterNode> conditions;
    uint32_t min_count = 0;
};

/// All of must, and (when there are any) at least one of should, and none of must_not, and min_should when it
/// is there. Empty matches everything.
struct Filter {
    std::vector<FilterNode> must;
    std::vector<FilterNode> should;
    std::vector<FilterNode> must_not;
    std::optional<MinShould> min_should;

    bool is_empty() const { return must.empty() && should.empty() && must_not.empty() && !min_should; }
};

/// Nodes, depth, list and string sizes, empty keys, ranges without a bound or with NaN, texts without a word,
/// shapes; field names the place ("filter.must[2].range").
Result<void> validate(const Filter& filter);

/// Sorts the long lists, so that matches() searches them in logarithmic time instead of walking 10,000 items
/// for every document. Optional, changes no answer. Call it once, after validate() and before the filter is
/// shared.
void prepare(Filter& filter);

/// `metadata` is the encoded object of one document, `id` its encoded id.
bool matches(const Filter& filter, MetadataView metadata, std::string_view id);

/// Whether the filter asks for ids anywhere, so that matches() reads `id`.
bool reads_ids(const Filter& filter);

}  // namespace akidb::model
