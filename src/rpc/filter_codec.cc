#include "rpc/filter_codec.h"

#include <limits>

#include "model/limits.h"
#include "model/moment.h"
#include "rpc/message.h"

namespace akidb::rpc {
namespace {

class FilterReader {
  public:
    // NOLINTNEXTLINE(misc-no-recursion): read_clause bounds the depth.
    Result<model::Filter> read(const v1::Filter& from, uint32_t depth) {
        AKIDB_TRY(check_known(from));
        model::Filter filter;
        AKIDB_TRY(read_clause({from.must(), "must", depth}, filter.must));
        AKIDB_TRY(read_clause({from.should(), "should", depth}, filter.should));
        AKIDB_TRY(read_clause({from.must_not(), "must_not", depth}, filter.must_not));
        return filter;
    }

  private:
    struct Clause {
        const google::protobuf::RepeatedPtrField<v1::Condition>& conditions;
        std::string_view name;
        uint32_t depth;
    };

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_clause(const Clause& clause, std::vector<model::FilterNode>& nodes) {
        if (clause.conditions.empty()) {
            return {};
        }
        if (clause.depth > model::kFilterDepthMax) {
            return invalid_argument(std::string(clause.name), "the filter is nested too deep",
                                    "at most " + std::to_string(model::kFilterDepthMax) + " levels");
        }
        for (int i = 0; i < clause.conditions.size(); ++i) {
            if (static_cast<size_t>(i) >= model::kFilterNodesMax) {
                return invalid_argument(std::string(clause.name), "the list has too many items",
                                        "at most " + std::to_string(model::kFilterNodesMax) + " items");
            }
            if (++nodes_ > model::kFilterNodesMax) {
                return in_list(invalid_argument("", "the filter has too many conditions",
                                                "at most " + std::to_string(model::kFilterNodesMax)),
                               clause.name, static_cast<size_t>(i));
            }
            Result<model::FilterNode> node = read_condition(clause.conditions[i], clause.depth);
            if (!node) {
                return in_list(std::move(node).error(), clause.name, static_cast<size_t>(i));
            }
            nodes.push_back(std::move(node).value());
        }
        return {};
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<model::FilterNode> read_condition(const v1::Condition& from, uint32_t depth) {
        constexpr const char* kAllowed = "a key and one of match, range and time_range; or a filter";
        AKIDB_TRY(check_known(from));
        switch (from.condition_case()) {
            case v1::Condition::kFilter: {
                if (!from.key().empty()) {
                    return invalid_argument("", "a filter within a filter has no key", kAllowed);
                }
                AKIDB_TRY(model::Filter filter, read(from.filter(), depth + 1));
                return model::FilterNode(std::make_shared<model::Filter>(std::move(filter)));
            }
            case v1::Condition::kMatch:
                return read_match(from);
            case v1::Condition::kRange:
                return read_range(from);
            case v1::Condition::kTimeRange:
                return read_time_range(from);
            case v1::Condition::CONDITION_NOT_SET:
                break;
        }
        return invalid_argument("", "a condition is a key and what is asked of its values", kAllowed);
    }

    static Result<model::FilterNode> read_match(const v1::Condition& from) {
        model::MatchCondition match{.key = from.key()};
        AKIDB_TRY(check_known(from.match()));
        switch (from.match().match_case()) {
            case v1::Match::kValue:
                if (Result<void> read = read_value(from.match().value(), match); !read) {
                    return std::move(read).error().with_field_prefix("match.value");
                }
                return model::FilterNode(std::move(match));
            case v1::Match::kAny:
                AKIDB_TRY(read_list(from.match().any(), "match.any", match));
                return model::FilterNode(std::move(match));
            case v1::Match::kExcept:
                match.negated = true;
                AKIDB_TRY(read_list(from.match().except(), "match.except", match));
                return model::FilterNode(std::move(match));
            case v1::Match::MATCH_NOT_SET:
                break;
        }
        return invalid_argument("match", "match takes exactly one of value, any and except",
                                "value, any, except");
    }

    static Result<void> read_list(const v1::ListValue& list, std::string_view name,
                                  model::MatchCondition& match) {
        AKIDB_TRY(check_known(list));
        for (int i = 0; i < list.values_size(); ++i) {
            const auto index = static_cast<size_t>(i);
            Result<void> read =
                index < model::kFilterListItemsMax
                    ? read_value(list.values(i), match)
                    : invalid_argument("", "the list has too many items",
                                       "at most " + std::to_string(model::kFilterListItemsMax) + " items");
            if (!read) {
                return index < model::kFilterListItemsMax ? in_list(std::move(read).error(), name, index)
                                                          : std::move(read).error().with_field_prefix(name);
            }
        }
        return {};
    }

    static Result<void> read_value(const v1::Value& value, model::MatchCondition& match) {
        AKIDB_TRY(check_known(value));
        switch (value.kind_case()) {
            case v1::Value::kStringValue:
                if (value.string_value().size() > model::kFilterStringBytesMax) {
                    return invalid_argument(
                        "", "the string is too long",
                        "at most " + std::to_string(model::kFilterStringBytesMax) + " bytes");
                }
                match.any.emplace_back(value.string_value());
                return {};
            case v1::Value::kBoolValue:
                match.any.emplace_back(value.bool_value());
                return {};
            case v1::Value::kIntValue:
                match.any.emplace_back(value.int_value());
                return {};
            case v1::Value::kUintValue:
                if (value.uint_value() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
                    match.any.emplace_back(static_cast<int64_t>(value.uint_value()));
                } else {
                    match.any.emplace_back(value.uint_value());
                }
                return {};
            case v1::Value::kDoubleValue:
                match.any.emplace_back(value.double_value());
                return {};
            default:
                return invalid_argument("", "only a string, a number or a boolean can be matched",
                                        "a string, a number, true or false");
        }
    }

    static Result<model::FilterNode> read_range(const v1::Condition& from) {
        const v1::Range& range = from.range();
        AKIDB_TRY(check_known(range));
        model::RangeCondition numbers{.key = from.key()};
        if (range.has_gt()) {
            numbers.gt = range.gt();
        }
        if (range.has_gte()) {
            numbers.gte = range.gte();
        }
        if (range.has_lt()) {
            numbers.lt = range.lt();
        }
        if (range.has_lte()) {
            numbers.lte = range.lte();
        }
        return model::FilterNode(std::move(numbers));
    }

    static Result<model::FilterNode> read_time_range(const v1::Condition& from) {
        const v1::TimeRange& range = from.time_range();
        AKIDB_TRY(check_known(range));
        model::TimeRangeCondition times{.key = from.key()};
        if (range.has_gt()) {
            AKIDB_TRY(times.gt, read_moment(range.gt(), "gt"));
        }
        if (range.has_gte()) {
            AKIDB_TRY(times.gte, read_moment(range.gte(), "gte"));
        }
        if (range.has_lt()) {
            AKIDB_TRY(times.lt, read_moment(range.lt(), "lt"));
        }
        if (range.has_lte()) {
            AKIDB_TRY(times.lte, read_moment(range.lte(), "lte"));
        }
        return model::FilterNode(std::move(times));
    }

    static Result<int64_t> read_moment(std::string_view text, std::string_view name) {
        const std::optional<int64_t> moment = model::parse_moment(text);
        if (!moment) {
            return invalid_argument("range." + std::string(name), "the bound is a string but no time",
                                    "an RFC 3339 time like \"2026-01-31T12:00:00Z\"");
        }
        return *moment;
    }

    uint32_t nodes_ = 0;
};

}  // namespace

Result<model::Filter> read_filter(const v1::Filter& filter) {
    Result<model::Filter> read = FilterReader().read(filter, 1);
    if (!read) {
        return std::move(read).error().with_field_prefix("filter");
    }
    AKIDB_TRY(model::validate(*read));
    model::prepare(*read);
    return read;
}

}  // namespace akidb::rpc
