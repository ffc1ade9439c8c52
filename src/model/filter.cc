#include "model/filter.h"

#include <algorithm>

#include "model/filter_values.h"

namespace akidb::model {
namespace {

struct Subject {
    MetadataView metadata;
    std::string_view id;
};

bool is_true(const TextCondition& condition, const Subject& subject) {
    TextSearch search(condition.query);
    for_each_at_path(subject.metadata, condition.key, [&](MetadataView value) {
        return value.type() != MetadataType::kString || !search.read(value.as_string());
    });
    return search.is_met();
}

bool is_true(const PrefixCondition& condition, const Subject& subject) {
    bool any_begins = false;
    for_each_at_path(subject.metadata, condition.key, [&](MetadataView value) {
        any_begins = value.type() == MetadataType::kString && value.as_string().starts_with(condition.prefix);
        return !any_begins;
    });
    return any_begins;
}

bool is_true(const GeoCondition& condition, const Subject& subject) {
    bool any_within = false;
    for_each_at_path(subject.metadata, condition.key, [&](MetadataView value) {
        const std::optional<GeoPoint> point = geo_point_of(value);
        any_within = point && is_within(*point, condition.shape);
        return !any_within;
    });
    return any_within;
}

bool is_true(const ValuesCountCondition& wanted, const Subject& subject) {
    uint64_t count = 0;
    for_each_whole_at_path(subject.metadata, wanted.key, [&](MetadataView value) {
        const MetadataType type = value.type();
        count += type == MetadataType::kArray ? value.size() : type == MetadataType::kNull ? 0 : 1;
        return true;
    });
    return (!wanted.gt || count > *wanted.gt) && (!wanted.gte || count >= *wanted.gte) &&
           (!wanted.lt || count < *wanted.lt) && (!wanted.lte || count <= *wanted.lte);
}

bool is_true(const IsEmptyCondition& condition, const Subject& subject) {
    bool is_empty = true;
    for_each_whole_at_path(subject.metadata, condition.key, [&](MetadataView value) {
        const MetadataType type = value.type();
        is_empty = type == MetadataType::kNull || (type == MetadataType::kArray && value.size() == 0);
        return is_empty;
    });
    return is_empty;
}

bool is_true(const IsNullCondition& condition, const Subject& subject) {
    bool is_null = false;
    for_each_whole_at_path(subject.metadata, condition.key, [&](MetadataView value) {
        is_null = value.type() == MetadataType::kNull;
        return !is_null;
    });
    return is_null;
}

bool is_true(const HasIdCondition& condition, const Subject& subject) {
    return condition.sorted
               ? std::binary_search(condition.ids.begin(), condition.ids.end(), subject.id)
               : std::find(condition.ids.begin(), condition.ids.end(), subject.id) != condition.ids.end();
}

bool is_true(const Filter& filter, const Subject& subject);

// NOLINTNEXTLINE(misc-no-recursion): the depth is held to kFilterDepthMax by validate().
bool is_true(const NestedCondition& nested, const Subject& subject) {
    bool any_meets = false;
    for_each_at_path(subject.metadata, nested.key, [&](MetadataView value) {
        any_meets = value.type() == MetadataType::kObject &&
                    (nested.filter == nullptr || is_true(*nested.filter, {value, subject.id}));
        return !any_meets;
    });
    return any_meets;
}

// NOLINTNEXTLINE(misc-no-recursion)
bool is_true(const std::shared_ptr<Filter>& group, const Subject& subject) {
    return group == nullptr || is_true(*group, subject);
}

template <class Condition>
bool is_true(const Condition& condition, const Subject& subject) {
    return is_met(condition, subject.metadata);
}

// NOLINTNEXTLINE(misc-no-recursion)
bool is_node_true(const FilterNode& node, const Subject& subject) {
    return std::visit([&](const auto& condition) { return is_true(condition, subject); }, node);
}

// NOLINTNEXTLINE(misc-no-recursion)
bool are_enough(const MinShould& wanted, const Subject& subject) {
    uint32_t count = 0;
    for (auto node = wanted.conditions.begin(); count < wanted.min_count && node != wanted.conditions.end();
         ++node) {
        count += is_node_true(*node, subject) ? 1 : 0;
    }
    return count >= wanted.min_count;
}

// NOLINTNEXTLINE(misc-no-recursion)
bool is_true(const Filter& filter, const Subject& subject) {
    const auto met = [&](const FilterNode& node) { return is_node_true(node, subject); };
    return std::all_of(filter.must.begin(), filter.must.end(), met) &&
           std::none_of(filter.must_not.begin(), filter.must_not.end(), met) &&
           (filter.should.empty() || std::any_of(filter.should.begin(), filter.should.end(), met)) &&
           (!filter.min_should || are_enough(*filter.min_should, subject));
}

/// All nodes of a filter, but not those within them; visit(node) returns whether to go on.
template <class SomeFilter, class Visit>
bool for_each_node(SomeFilter& filter, Visit visit) {
    const auto visit_all = [&](auto& nodes) { return std::all_of(nodes.begin(), nodes.end(), visit); };
    return visit_all(filter.must) && visit_all(filter.should) && visit_all(filter.must_not) &&
           (!filter.min_should || visit_all(filter.min_should->conditions));
}

/// The filter that a node holds: a group, or what is nested.
template <class Node>
auto* filter_within(Node& node) {
    if (auto* nested = std::get_if<NestedCondition>(&node)) {
        return nested->filter.get();
    }
    auto* group = std::get_if<std::shared_ptr<Filter>>(&node);
    return group == nullptr ? nullptr : group->get();
}

}  // namespace

bool matches(const Filter& filter, MetadataView metadata, std::string_view id) {
    return is_true(filter, {metadata, id});
}

// NOLINTNEXTLINE(misc-no-recursion)
void prepare(Filter& filter) {
    for_each_node(filter, [](FilterNode& node) {
        if (auto* match = std::get_if<MatchCondition>(&node)) {
            sort_if_long(*match);
        } else if (auto* ids = std::get_if<HasIdCondition>(&node)) {
            ids->sorted = ids->ids.size() > kWalkedListMax;
            if (ids->sorted) {
                std::sort(ids->ids.begin(), ids->ids.end());
            }
        } else if (Filter* within = filter_within(node)) {
            prepare(*within);
        }
        return true;
    });
}

// NOLINTNEXTLINE(misc-no-recursion)
bool reads_ids(const Filter& filter) {
    return !for_each_node(filter, [](const FilterNode& node) {
        const Filter* within = filter_within(node);
        return !std::holds_alternative<HasIdCondition>(node) && (within == nullptr || !reads_ids(*within));
    });
}

}  // namespace akidb::model
