#include "engine/filter_adviser.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

#include "index/metadata_index.h"
#include "model/limits.h"

namespace akidb::engine {
namespace {

using model::MetadataField;
using model::MetadataIndexType;

bool is_whole(const std::optional<double>& bound) {
    return !bound || *bound == std::trunc(*bound);
}

MetadataIndexType type_of(const model::MatchValue& value) {
    return std::holds_alternative<bool>(value)          ? MetadataIndexType::kBool
           : std::holds_alternative<std::string>(value) ? MetadataIndexType::kKeyword
           : std::holds_alternative<double>(value)      ? MetadataIndexType::kFloat
                                                        : MetadataIndexType::kInteger;
}

/// The index that answers the condition, if there is one: none does where values of several kinds are asked
/// for.
std::optional<MetadataIndexType> type_for(const model::MatchCondition& condition) {
    std::optional<MetadataIndexType> type;
    for (const model::MatchValue& value : condition.any) {
        const MetadataIndexType next = type_of(value);
        if (type && index::class_of(*type) != index::class_of(next)) {
            return std::nullopt;
        }
        type = type == MetadataIndexType::kFloat ? type : next;
    }
    return type;
}
std::optional<MetadataIndexType> type_for(const model::PrefixCondition&) {
    return MetadataIndexType::kKeyword;
}
std::optional<MetadataIndexType> type_for(const model::RangeCondition& range) {
    const bool are_whole =
        is_whole(range.gt) && is_whole(range.gte) && is_whole(range.lt) && is_whole(range.lte);
    return are_whole ? MetadataIndexType::kInteger : MetadataIndexType::kFloat;
}
std::optional<MetadataIndexType> type_for(const model::TimeRangeCondition&) {
    return MetadataIndexType::kDatetime;
}
template <class Other>
std::optional<MetadataIndexType> type_for(const Other&) {
    return std::nullopt;
}

bool has_index(const MetadataField& wanted, const std::vector<MetadataField>& indexed) {
    return std::any_of(indexed.begin(), indexed.end(), [&](const MetadataField& field) {
        return model::is_same_path(field.key, wanted.key) &&
               index::class_of(field.type) == index::class_of(wanted.type);
    });
}

class Collector {
  public:
    explicit Collector(const std::vector<MetadataField>& indexed) : indexed_(indexed) {}

    // NOLINTNEXTLINE(misc-no-recursion): the depth is held to kFilterDepthMax by validate().
    void look_at(const model::Filter& filter, const std::string& prefix) {
        for (const auto* clause : {&filter.must, &filter.should, &filter.must_not}) {
            look_at(*clause, prefix);
        }
        if (filter.min_should) {
            look_at(filter.min_should->conditions, prefix);
        }
    }
    std::vector<MetadataField> take() { return std::move(wanted_); }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    void look_at(const std::vector<model::FilterNode>& nodes, const std::string& prefix) {
        for (const model::FilterNode& node : nodes) {
            std::visit([&](const auto& condition) { look_at_one(condition, prefix); }, node);
        }
    }
    // NOLINTNEXTLINE(misc-no-recursion)
    void look_at_one(const std::shared_ptr<model::Filter>& filter, const std::string& prefix) {
        if (filter != nullptr) {
            look_at(*filter, prefix);
        }
    }
    // NOLINTNEXTLINE(misc-no-recursion)
    void look_at_one(const model::NestedCondition& nested, const std::string& prefix) {
        if (nested.filter != nullptr) {
            look_at(*nested.filter, prefix + nested.key + ".");
        }
    }
    void look_at_one(const model::HasIdCondition&, const std::string&) {}
    template <class Condition>
    void look_at_one(const Condition& condition, const std::string& prefix) {
        const std::optional<MetadataIndexType> type = type_for(condition);
        if (!type) {
            return;
        }
        MetadataField field{prefix + condition.key, *type};
        if (field.key.size() <= model::kFilterKeyBytesMax && !has_index(field, indexed_) &&
            std::find(wanted_.begin(), wanted_.end(), field) == wanted_.end()) {
            wanted_.push_back(std::move(field));
        }
    }

    const std::vector<MetadataField>& indexed_;
    std::vector<MetadataField> wanted_;
};

}  // namespace

void FilterAdviser::note(const model::Filter& filter, const std::vector<MetadataField>& indexed,
                         uint64_t evaluated, double seconds) {
    if (evaluated == 0) {
        return;
    }
    Collector collector(indexed);
    collector.look_at(filter, "");
    MutexLock lock(mutex_);
    for (MetadataField& field : collector.take()) {
        auto known = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const UnindexedField& one) { return one.wanted == field; });
        if (known == fields_.end()) {
            // The cheapest gives way: what costs comes again.
            if (fields_.size() == model::kAdvisedFieldsMax) {
                fields_.erase(
                    std::min_element(fields_.begin(), fields_.end(),
                                     [](const auto& a, const auto& b) { return a.seconds < b.seconds; }));
            }
            known = fields_.insert(fields_.end(), UnindexedField{.wanted = std::move(field)});
        }
        ++known->reads;
        known->evaluated += evaluated;
        known->seconds += seconds;
    }
}

std::vector<UnindexedField> FilterAdviser::list(const std::vector<MetadataField>& indexed) const {
    std::vector<UnindexedField> found;
    {
        MutexLock lock(mutex_);
        std::copy_if(fields_.begin(), fields_.end(), std::back_inserter(found),
                     [&](const UnindexedField& field) { return !has_index(field.wanted, indexed); });
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const UnindexedField& a, const UnindexedField& b) { return a.seconds > b.seconds; });
    return found;
}

}  // namespace akidb::engine
