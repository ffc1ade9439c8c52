#include "index/nested_outline.h"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "index/metadata_runs.h"

namespace akidb::index {
namespace {

using model::Filter;
using model::FilterNode;

Filter outline_of(const Filter& filter, const std::string& key);

/// Nothing where nothing is implied.
// NOLINTNEXTLINE(misc-no-recursion): the depth is held to kFilterDepthMax by validate().
std::optional<FilterNode> outline_of(const FilterNode& node, const std::string& key) {
    return std::visit(
        [&](const auto& condition) -> std::optional<FilterNode> {
            using Condition = std::decay_t<decltype(condition)>;
            if constexpr (std::is_same_v<Condition, std::shared_ptr<Filter>>) {
                return condition == nullptr
                           ? std::nullopt
                           : std::optional<FilterNode>(std::make_unique<Filter>(outline_of(*condition, key)));
            } else if constexpr (std::is_same_v<Condition, model::NestedCondition>) {
                const std::string inner = key + "." + condition.key;
                return condition.filter == nullptr ? std::nullopt
                                                   : std::optional<FilterNode>(std::make_unique<Filter>(
                                                         outline_of(*condition.filter, inner)));
            } else if constexpr (std::is_same_v<Condition, model::HasIdCondition>) {
                return condition;
            } else if constexpr (kIsOfColumns<Condition>) {
                if (is_negated(condition)) {
                    return std::nullopt;
                }
                Condition of_document = condition;
                of_document.key = key + "." + condition.key;
                return of_document;
            } else {
                return std::nullopt;
            }
        },
        node);
}

// NOLINTNEXTLINE(misc-no-recursion)
Filter outline_of(const Filter& filter, const std::string& key) {
    const auto or_anything = [&](const FilterNode& node) {
        std::optional<FilterNode> outline = outline_of(node, key);
        return outline ? std::move(*outline) : FilterNode(std::make_unique<Filter>());
    };
    Filter outline;
    for (const FilterNode& node : filter.must) {
        outline.must.push_back(or_anything(node));
    }
    for (const FilterNode& node : filter.should) {
        outline.should.push_back(or_anything(node));
    }
    if (filter.min_should) {
        outline.min_should.emplace().min_count = filter.min_should->min_count;
        for (const FilterNode& node : filter.min_should->conditions) {
            outline.min_should->conditions.push_back(or_anything(node));
        }
    }
    return outline;
}

}  // namespace

Filter outline_of(const model::NestedCondition& nested) {
    return nested.filter == nullptr ? Filter() : outline_of(*nested.filter, nested.key);
}

}  // namespace akidb::index
