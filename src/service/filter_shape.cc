#include "service/filter_shape.h"

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace akidb::service {
namespace {

constexpr std::string_view kCut = "…";

class Shape {
  public:
    std::string write(const model::Filter& filter) {
        add_filter(filter);
        if (is_full()) {
            // Not in the middle of a letter.
            size_t end = kFilterShapeBytesMax - kCut.size();
            while (end > 0 && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) {
                --end;
            }
            text_.resize(end);
            text_ += kCut;
        }
        return std::move(text_);
    }

  private:
    bool is_full() const { return text_.size() > kFilterShapeBytesMax; }

    void add_filter(const model::Filter& filter) {
        add_list("must", filter.must);
        add_list("should", filter.should);
        add_list("must_not", filter.must_not);
        if (filter.min_should) {
            add_list("min_should", filter.min_should->conditions);
        }
    }

    void add_list(std::string_view name, const std::vector<model::FilterNode>& nodes) {
        if (nodes.empty() || is_full()) {
            return;
        }
        if (!text_.empty() && text_.back() != '(') {
            text_ += ' ';
        }
        text_.append(name).append("(");
        bool is_first = true;
        for (const model::FilterNode& node : nodes) {
            if (is_full()) {
                return;
            }
            text_ += is_first ? "" : ", ";
            is_first = false;
            std::visit([&](const auto& condition) { add(condition); }, node);
        }
        text_ += ')';
    }

    // A key is as long as a client likes.
    template <class Condition>
    void add(const Condition& condition) {
        text_.append(std::string_view(condition.key).substr(0, kFilterShapeBytesMax)).append(" ");
        text_.append(kind_of(condition));
    }
    void add(const model::HasIdCondition& condition) {
        text_.append(std::to_string(condition.ids.size())).append(" ids");
    }
    void add(const model::NestedCondition& condition) {
        text_.append(std::string_view(condition.key).substr(0, kFilterShapeBytesMax)).append(" nested(");
        add_filter(*condition.filter);
        text_ += ')';
    }
    void add(const std::shared_ptr<model::Filter>& filter) {
        text_ += '(';
        add_filter(*filter);
        text_ += ')';
    }

    static std::string kind_of(const model::MatchCondition& condition) {
        const std::string name = condition.negated ? "except" : "match";
        return condition.any.size() == 1 ? name : name + " of " + std::to_string(condition.any.size());
    }
    template <class Condition>
    static std::string_view kind_of(const Condition&) {
        if constexpr (std::is_same_v<Condition, model::TextCondition>) {
            return "text";
        } else if constexpr (std::is_same_v<Condition, model::PrefixCondition>) {
            return "prefix";
        } else if constexpr (std::is_same_v<Condition, model::RangeCondition>) {
            return "range";
        } else if constexpr (std::is_same_v<Condition, model::TimeRangeCondition>) {
            return "time range";
        } else if constexpr (std::is_same_v<Condition, model::GeoCondition>) {
            return "geo";
        } else if constexpr (std::is_same_v<Condition, model::ValuesCountCondition>) {
            return "values count";
        } else if constexpr (std::is_same_v<Condition, model::IsEmptyCondition>) {
            return "is empty";
        } else {
            static_assert(std::is_same_v<Condition, model::IsNullCondition>);
            return "is null";
        }
    }

    std::string text_;
};

}  // namespace

std::string shape_of(const model::Filter* filter) {
    return filter == nullptr || filter->is_empty() ? "none" : Shape().write(*filter);
}

}  // namespace akidb::service
