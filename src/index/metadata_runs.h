// Which conditions the columns of an indexed field answer, and the runs of their entries that meet one: what
// estimate and search of candidates (metadata_answer.h) both go by. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "index/metadata_index.h"
#include "model/filter.h"

namespace akidb::index {

/// What the columns of a field can answer.
template <class Condition>
inline constexpr bool kIsOfColumns =
    std::is_same_v<Condition, model::MatchCondition> || std::is_same_v<Condition, model::PrefixCondition> ||
    std::is_same_v<Condition, model::RangeCondition> || std::is_same_v<Condition, model::TimeRangeCondition>;

inline bool is_of(ValueClass wanted, const model::MatchValue& value) {
    switch (wanted) {
        case ValueClass::kText:
            return std::holds_alternative<std::string>(value);
        case ValueClass::kBool:
            return std::holds_alternative<bool>(value);
        case ValueClass::kNumber:
            return !std::holds_alternative<std::string>(value) && !std::holds_alternative<bool>(value);
        case ValueClass::kMoment:
            return false;  // texts are compared as texts, and two of them may mean one moment
    }
    return false;
}

inline bool is_answered(const IndexedField& field, const model::MatchCondition& match) {
    const ValueClass wanted = class_of(field.declared.type);
    return wanted != ValueClass::kMoment &&
           std::all_of(match.any.begin(), match.any.end(),
                       [&](const model::MatchValue& value) { return is_of(wanted, value); });
}
inline bool is_answered(const IndexedField& field, const model::PrefixCondition&) {
    return class_of(field.declared.type) == ValueClass::kText;
}
inline bool is_answered(const IndexedField& field, const model::RangeCondition&) {
    return class_of(field.declared.type) == ValueClass::kNumber;
}
inline bool is_answered(const IndexedField& field, const model::TimeRangeCondition&) {
    return class_of(field.declared.type) == ValueClass::kMoment;
}

inline NumberKey key_of(const model::MatchValue& value) {
    if (const auto* flag = std::get_if<bool>(&value)) {
        return NumberKey::of(int64_t{*flag ? 1 : 0});
    }
    if (const auto* integer = std::get_if<int64_t>(&value)) {
        return NumberKey::of(*integer);
    }
    if (const auto* natural = std::get_if<uint64_t>(&value)) {
        return NumberKey::of(*natural);
    }
    return NumberKey::of(std::get<double>(value));
}

// Each calls take(column, run) for every run of the block's entries that meets the condition, whether negated
// or not.
template <class Take>
void for_each_run(const MetadataBlock& block, const model::MatchCondition& match, Take take) {
    for (const model::MatchValue& value : match.any) {
        if (const auto* text = std::get_if<std::string>(&value)) {
            take(block.texts, block.texts.equal_to(std::string_view(*text)));
        } else {
            take(block.numbers, block.numbers.equal_to(key_of(value)));
        }
    }
}

template <class Take>
void for_each_run(const MetadataBlock& block, const model::PrefixCondition& condition, Take take) {
    const std::string_view prefix = condition.prefix;
    take(block.texts, block.texts.between([&](std::string_view text) { return text < prefix; },
                                          [&](std::string_view text) { return !text.starts_with(prefix); }));
}

template <class Range, class Take>
void for_each_run_within(const MetadataBlock& block, const Range& range, Take take) {
    take(block.numbers, block.numbers.between(
                            [&](const NumberKey& key) {
                                return (range.gt && !(key > NumberKey::of(*range.gt))) ||
                                       (range.gte && key < NumberKey::of(*range.gte));
                            },
                            [&](const NumberKey& key) {
                                return (range.lt && !(key < NumberKey::of(*range.lt))) ||
                                       (range.lte && key > NumberKey::of(*range.lte));
                            }));
}
template <class Take>
void for_each_run(const MetadataBlock& block, const model::RangeCondition& range, Take take) {
    for_each_run_within(block, range, take);
}
template <class Take>
void for_each_run(const MetadataBlock& block, const model::TimeRangeCondition& range, Take take) {
    for_each_run_within(block, range, take);
}

template <class Condition>
inline bool is_negated(const Condition& condition) {
    if constexpr (std::is_same_v<Condition, model::MatchCondition>) {
        return condition.negated;
    }
    return false;
}

}  // namespace akidb::index
