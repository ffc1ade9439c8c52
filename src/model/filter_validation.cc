#include <cmath>

#include "model/filter.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

/// Walks the tree once and keeps the place, as the client wrote it, for the message of the first fault.
class Validator {
  public:
    // NOLINTNEXTLINE(misc-no-recursion): the first line bounds it.
    Result<void> check(const Filter& filter, const std::string& place, uint32_t depth) {
        if (depth > kFilterDepthMax) {
            return invalid_argument(place, "the filter is nested too deep",
                                    "a depth of at most " + std::to_string(kFilterDepthMax));
        }
        AKIDB_TRY(check_nodes(filter.must, place + ".must", depth));
        AKIDB_TRY(check_nodes(filter.should, place + ".should", depth));
        return check_nodes(filter.must_not, place + ".must_not", depth);
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> check_nodes(const std::vector<FilterNode>& nodes, const std::string& place, uint32_t depth) {
        for (size_t i = 0; i < nodes.size(); ++i) {
            const std::string node_place = place + "[" + std::to_string(i) + "]";
            if (++nodes_ > kFilterNodesMax) {
                return invalid_argument(
                    node_place, "the filter has too many conditions",
                    "at most " + std::to_string(kFilterNodesMax) + " conditions and groups");
            }
            if (const auto* match = std::get_if<MatchCondition>(&nodes[i])) {
                AKIDB_TRY(check_match(*match, node_place));
            } else if (const auto* range = std::get_if<RangeCondition>(&nodes[i])) {
                AKIDB_TRY(check_range(*range, node_place));
            } else if (const auto* times = std::get_if<TimeRangeCondition>(&nodes[i])) {
                AKIDB_TRY(check_key(times->key, node_place));
                AKIDB_TRY(check_bounded(*times, node_place + ".range"));
            } else if (const auto* nested = std::get_if<std::shared_ptr<Filter>>(&nodes[i])) {
                if (*nested == nullptr) {
                    return invalid_argument(node_place, "the group is missing", "a condition or a filter");
                }
                AKIDB_TRY(check(**nested, node_place, depth + 1));
            }
        }
        return {};
    }

    static Result<void> check_key(const std::string& key, const std::string& place) {
        if (key.empty() || key.size() > kFilterKeyBytesMax) {
            return invalid_argument(place + ".key",
                                    key.empty() ? "the condition names no metadata field"
                                                : "the key is " + std::to_string(key.size()) + " bytes long",
                                    "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
        }
        return {};
    }

    static Result<void> check_match(const MatchCondition& match, const std::string& place) {
        AKIDB_TRY(check_key(match.key, place));
        if (match.any.size() > kFilterListItemsMax) {
            return invalid_argument(place + ".match",
                                    "the list has " + std::to_string(match.any.size()) + " items",
                                    "at most " + std::to_string(kFilterListItemsMax) + " items");
        }
        for (size_t i = 0; i < match.any.size(); ++i) {
            const auto* text = std::get_if<std::string>(&match.any[i]);
            if (text != nullptr && text->size() > kFilterStringBytesMax) {
                return invalid_argument(place + ".match",
                                        "the string at position " + std::to_string(i) + " is " +
                                            std::to_string(text->size()) + " bytes long",
                                        "at most " + std::to_string(kFilterStringBytesMax) + " bytes");
            }
            const auto* real = std::get_if<double>(&match.any[i]);
            if (real != nullptr && !std::isfinite(*real)) {
                return invalid_argument(place + ".match",
                                        "the number at position " + std::to_string(i) + " is not finite",
                                        "strings, booleans and finite numbers");
            }
        }
        return {};
    }

    template <class Range>
    static Result<void> check_bounded(const Range& range, const std::string& field) {
        if (!range.gt && !range.gte && !range.lt && !range.lte) {
            return invalid_argument(field, "the range has no bound", "at least one of gt, gte, lt, lte");
        }
        return {};
    }

    static Result<void> check_range(const RangeCondition& range, const std::string& place) {
        AKIDB_TRY(check_key(range.key, place));
        const std::string field = place + ".range";
        AKIDB_TRY(check_bounded(range, field));
        for (const std::optional<double>& bound : {range.gt, range.gte, range.lt, range.lte}) {
            if (bound && std::isnan(*bound)) {
                return invalid_argument(field, "a bound of the range is not a number", "numbers");
            }
        }
        return {};
    }

    uint32_t nodes_ = 0;
};

}  // namespace

Result<void> validate(const Filter& filter) {
    return Validator().check(filter, "filter", 1);
}

}  // namespace akidb::model
