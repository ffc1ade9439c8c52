#include "rest/filter_codec.h"

#include <array>
#include <string>

#include "model/limits.h"
#include "model/moment.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 6> kItemNames{"must", "should", "must_not", "key", "match", "range"};
constexpr std::array<std::string_view, 3> kMatchNames{"value", "any", "except"};
constexpr std::array<std::string_view, 4> kRangeNames{"gt", "gte", "lt", "lte"};

class FilterReader {
  public:
    explicit FilterReader(JsonReader& reader) : reader_(reader) {}

    Result<model::Filter> read_root() {
        model::Filter filter;
        AKIDB_TRY(reader_.read_object(std::span(kItemNames).first(3), [&](size_t which) -> Result<void> {
            return read_clause(clause_of(filter, which), 1);
        }));
        return filter;
    }

  private:
    /// What one object of a clause may turn out to be; fields come in any order, so it is decided at its end.
    struct Item {
        std::unique_ptr<model::Filter> filter;
        std::optional<std::string> key;
        std::optional<model::MatchCondition> match;
        std::optional<model::FilterNode> range;  // of numbers or of times
    };

    static std::vector<model::FilterNode>& clause_of(model::Filter& filter, size_t which) {
        return which == 0 ? filter.must : which == 1 ? filter.should : filter.must_not;
    }

    Result<void> read_clause(std::vector<model::FilterNode>& nodes, uint32_t depth) {
        if (depth > model::kFilterDepthMax) {
            return reader_.error("the filter is nested too deep",
                                 "at most " + std::to_string(model::kFilterDepthMax) + " levels");
        }
        AKIDB_TRY(JsonType found, reader_.type());
        if (found == JsonType::kObject) {
            return read_item(nodes, depth);
        }
        return reader_.read_array(model::kFilterNodesMax,
                                  [&](size_t) -> Result<void> { return read_item(nodes, depth); });
    }

    Result<void> read_item(std::vector<model::FilterNode>& nodes, uint32_t depth) {
        if (++nodes_ > model::kFilterNodesMax) {
            return reader_.error("the filter has too many conditions",
                                 "at most " + std::to_string(model::kFilterNodesMax));
        }
        Item item;
        AKIDB_TRY(reader_.read_object(kItemNames, [&](size_t which) -> Result<void> {
            if (which < 3) {
                if (item.filter == nullptr) {
                    item.filter = std::make_unique<model::Filter>();
                }
                return read_clause(clause_of(*item.filter, which), depth + 1);
            }
            return which == 3 ? read_key(item) : which == 4 ? read_match(item) : read_range(item);
        }));
        AKIDB_TRY(model::FilterNode node, decide(std::move(item)));
        nodes.push_back(std::move(node));
        return {};
    }

    Result<model::FilterNode> decide(Item item) {
        constexpr std::string_view kAllowed =
            R"({"key","match"}, {"key","range"} or {"must","should","must_not"})";
        bool is_condition = item.key.has_value() || item.match.has_value() || item.range.has_value();
        if (item.filter != nullptr && !is_condition) {
            return model::FilterNode(std::move(item.filter));
        }
        if (item.filter != nullptr || !item.key.has_value() ||
            item.match.has_value() == item.range.has_value()) {
            return reader_.error(item.filter != nullptr
                                     ? "a condition and must, should or must_not cannot share one object"
                                     : "a condition is a key and exactly one of match and range",
                                 std::string(kAllowed));
        }
        if (item.match.has_value()) {
            item.match->key = std::move(*item.key);
            return model::FilterNode(std::move(*item.match));
        }
        if (auto* numbers = std::get_if<model::RangeCondition>(&*item.range)) {
            numbers->key = std::move(*item.key);
        } else {
            std::get<model::TimeRangeCondition>(*item.range).key = std::move(*item.key);
        }
        return std::move(*item.range);
    }

    Result<std::string> bounded_string(size_t bytes_max) {
        AKIDB_TRY(std::string_view text, reader_.read_string());
        if (text.size() > bytes_max) {
            return reader_.error("the string is too long", "at most " + std::to_string(bytes_max) + " bytes");
        }
        return std::string(text);
    }

    Result<void> read_key(Item& item) {
        AKIDB_TRY(std::string key, bounded_string(model::kFilterKeyBytesMax));
        if (key.empty()) {
            return reader_.error("the key is empty", "a path into the metadata, like \"a.b\"");
        }
        item.key = std::move(key);
        return {};
    }

    Result<void> read_match(Item& item) {
        model::MatchCondition match;
        size_t kinds = 0;
        AKIDB_TRY(reader_.read_object(kMatchNames, [&](size_t which) -> Result<void> {
            ++kinds;
            match.negated = which == 2;
            if (which == 0) {
                return read_match_value(match);
            }
            return reader_.read_array(model::kFilterListItemsMax,
                                      [&](size_t) -> Result<void> { return read_match_value(match); });
        }));
        if (kinds != 1) {
            return reader_.error("match takes exactly one of value, any and except", "value, any, except");
        }
        item.match = std::move(match);
        return {};
    }

    Result<void> read_match_value(model::MatchCondition& match) {
        AKIDB_TRY(JsonType found, reader_.type());
        if (found == JsonType::kString) {
            AKIDB_TRY(std::string text, bounded_string(model::kFilterStringBytesMax));
            match.any.emplace_back(std::move(text));
        } else if (found == JsonType::kBool) {
            AKIDB_TRY(bool flag, reader_.read_bool());
            match.any.emplace_back(flag);
        } else if (found == JsonType::kNumber) {
            AKIDB_TRY(JsonNumber number, reader_.read_number());
            std::visit([&](auto value) { match.any.emplace_back(value); }, number);
        } else {
            return reader_.error("only a string, a number or a boolean can be matched",
                                 "a string, a number, true or false");
        }
        return {};
    }

    Result<void> read_range(Item& item) {
        model::RangeCondition numbers;
        model::TimeRangeCondition times;
        const std::array<std::optional<double>*, 4> bounds{&numbers.gt, &numbers.gte, &numbers.lt,
                                                           &numbers.lte};
        const std::array<std::optional<int64_t>*, 4> moments{&times.gt, &times.gte, &times.lt, &times.lte};
        size_t number_count = 0;
        size_t time_count = 0;
        AKIDB_TRY(reader_.read_object(kRangeNames, [&](size_t which) -> Result<void> {
            AKIDB_TRY(const JsonType type, reader_.type());
            if (type == JsonType::kString) {
                AKIDB_TRY(*moments[which], read_moment());
                ++time_count;
                return {};
            }
            AKIDB_TRY(double bound, reader_.read_double());
            *bounds[which] = bound;
            ++number_count;
            return {};
        }));
        if (number_count + time_count == 0) {
            return reader_.error("the range has no bound", "gt, gte, lt, lte");
        }
        if (number_count > 0 && time_count > 0) {
            return reader_.error("the bounds of a range are of one kind", "numbers or RFC 3339 times");
        }
        item.range =
            time_count > 0 ? model::FilterNode(std::move(times)) : model::FilterNode(std::move(numbers));
        return {};
    }

    Result<int64_t> read_moment() {
        AKIDB_TRY(const std::string_view text, reader_.read_string());
        const std::optional<int64_t> moment = model::parse_moment(text);
        if (!moment) {
            return reader_.error("the bound is a string but no time",
                                 "a number or an RFC 3339 time like \"2026-01-31T12:00:00Z\"");
        }
        return *moment;
    }

    JsonReader& reader_;
    uint32_t nodes_ = 0;
};

}  // namespace

Result<model::Filter> read_filter(JsonReader& reader) {
    AKIDB_TRY(model::Filter filter, FilterReader(reader).read_root());
    AKIDB_TRY(model::validate(filter));
    model::prepare(filter);
    return filter;
}

}  // namespace akidb::rest
