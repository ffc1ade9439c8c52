#include <array>
#include <cmath>

#include "model/document_id.h"
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
        AKIDB_TRY(check_nodes(filter.must_not, place + ".must_not", depth));
        return filter.min_should
                   ? check_nodes(filter.min_should->conditions, place + ".min_should.conditions", depth)
                   : Result<void>();
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
            AKIDB_TRY(
                std::visit([&](const auto& node) { return check_node(node, node_place, depth); }, nodes[i]));
        }
        return {};
    }

    Result<void> check_node(const TextCondition& text, const std::string& place, uint32_t) {
        if (++texts_ > kFilterTextConditionsMax) {
            return invalid_argument(
                place, "the filter has too many conditions on words, each of which reads whole texts",
                "at most " + std::to_string(kFilterTextConditionsMax) + " of text, text_any and phrase");
        }
        return check_condition(text, place);
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> check_node(const std::shared_ptr<Filter>& group, const std::string& place, uint32_t depth) {
        if (group == nullptr) {
            return invalid_argument(place, "the group is missing", "a condition or a filter");
        }
        return check(*group, place, depth + 1);
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> check_node(const NestedCondition& nested, const std::string& place, uint32_t depth) {
        AKIDB_TRY(check_key(nested.key, place + ".nested"));
        if (nested.filter == nullptr) {
            return invalid_argument(place + ".nested.filter", "the filter is missing", "a filter");
        }
        return check(*nested.filter, place + ".nested.filter", depth + 1);
    }

    template <class Condition>
    Result<void> check_node(const Condition& condition, const std::string& place, uint32_t /*depth*/) {
        return check_condition(condition, place);
    }

    Result<void> check_condition(const GeoCondition& condition, const std::string& place) {
        AKIDB_TRY(check_key(condition.key, place));
        constexpr std::array<std::string_view, 3> kNames{".geo_radius", ".geo_box", ".geo_polygon"};
        const std::string field = place + std::string(kNames.at(condition.shape.index()));
        points_ += point_count(condition.shape);
        if (points_ > kFilterPolygonPointsMax) {
            return invalid_argument(field, "the polygons of the filter have too many points",
                                    "at most " + std::to_string(kFilterPolygonPointsMax) + " points");
        }
        return validate(condition.shape, field);
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

    static Result<void> check_size(size_t items, const std::string& field) {
        if (items > kFilterListItemsMax) {
            return invalid_argument(field, "the list has " + std::to_string(items) + " items",
                                    "at most " + std::to_string(kFilterListItemsMax) + " items");
        }
        return {};
    }

    static Result<void> check_condition(const MatchCondition& match, const std::string& place) {
        AKIDB_TRY(check_key(match.key, place));
        AKIDB_TRY(check_size(match.any.size(), place + ".match"));
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

    static Result<void> check_condition(const TextCondition& condition, const std::string& place) {
        AKIDB_TRY(check_key(condition.key, place));
        constexpr std::array<std::string_view, 3> kNames{".match.text", ".match.text_any", ".match.phrase"};
        const size_t words = condition.query.word_count();
        if (words == 0 || words > kFilterTextWordsMax) {
            return invalid_argument(
                place + std::string(kNames.at(static_cast<size_t>(condition.query.mode()))),
                words == 0 ? "the text holds no word" : "the text has too many words",
                "1.." + std::to_string(kFilterTextWordsMax) + " words of letters and digits");
        }
        return {};
    }

    static Result<void> check_condition(const PrefixCondition& condition, const std::string& place) {
        AKIDB_TRY(check_key(condition.key, place));
        if (condition.prefix.size() > kFilterStringBytesMax) {
            return invalid_argument(
                place + ".match.prefix",
                "the prefix is " + std::to_string(condition.prefix.size()) + " bytes long",
                "at most " + std::to_string(kFilterStringBytesMax) + " bytes");
        }
        return {};
    }

    static Result<void> check_condition(const IsEmptyCondition& condition, const std::string& place) {
        return check_key(condition.key, place + ".is_empty");
    }

    static Result<void> check_condition(const IsNullCondition& condition, const std::string& place) {
        return check_key(condition.key, place + ".is_null");
    }

    static Result<void> check_condition(const HasIdCondition& condition, const std::string& place) {
        const std::string field = place + ".has_id";
        AKIDB_TRY(check_size(condition.ids.size(), field));
        for (size_t i = 0; i < condition.ids.size(); ++i) {
            if (!DocumentId::decode(condition.ids[i])) {
                return invalid_argument(field, "the item at position " + std::to_string(i) + " is no id",
                                        "ids of documents");
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

    static Result<void> check_condition(const ValuesCountCondition& range, const std::string& place) {
        AKIDB_TRY(check_key(range.key, place));
        return check_bounded(range, place + ".values_count");
    }

    static Result<void> check_condition(const TimeRangeCondition& range, const std::string& place) {
        AKIDB_TRY(check_key(range.key, place));
        return check_bounded(range, place + ".range");
    }

    static Result<void> check_condition(const RangeCondition& range, const std::string& place) {
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
    uint32_t texts_ = 0;
    size_t points_ = 0;
};

}  // namespace

Result<void> validate(const Filter& filter) {
    return Validator().check(filter, "filter", 1);
}

}  // namespace akidb::model
