#include "model/filter_values.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <limits>

#include "model/moment.h"

namespace akidb::model {
namespace {

using Order = std::strong_ordering;

/// A boolean, number or string of either side, ordered in that sequence so that lists of all kinds can be
/// sorted.
struct Scalar {
    enum class Kind : uint8_t { kBool, kInt, kUint, kDouble, kString };
    Kind kind = Kind::kBool;
    int64_t integer = 0;   // also the boolean
    uint64_t natural = 0;  // only above the range of `integer`
    double real = 0;
    std::string_view text;
};
using Kind = Scalar::Kind;

Scalar scalar_of(const MatchValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return {.kind = Kind::kString, .text = *text};
    }
    if (const auto* integer = std::get_if<int64_t>(&value)) {
        return {.kind = Kind::kInt, .integer = *integer};
    }
    if (const auto* natural = std::get_if<uint64_t>(&value)) {
        if (*natural > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
            return {.kind = Kind::kUint, .natural = *natural};
        }
        return {.kind = Kind::kInt, .integer = static_cast<int64_t>(*natural)};
    }
    if (const auto* real = std::get_if<double>(&value)) {
        return {.kind = Kind::kDouble, .real = *real};
    }
    return {.kind = Kind::kBool, .integer = std::get<bool>(value) ? 1 : 0};
}

/// Nothing for null, arrays and objects.
std::optional<Scalar> scalar_of(MetadataView value) {
    switch (value.type()) {
        case MetadataType::kFalse:
            return Scalar{.kind = Kind::kBool, .integer = 0};
        case MetadataType::kTrue:
            return Scalar{.kind = Kind::kBool, .integer = 1};
        case MetadataType::kInt:
            return Scalar{.kind = Kind::kInt, .integer = value.as_int()};
        case MetadataType::kUint:
            return Scalar{.kind = Kind::kUint, .natural = value.as_uint()};
        case MetadataType::kDouble:
            return Scalar{.kind = Kind::kDouble, .real = value.as_double()};
        case MetadataType::kString:
            return Scalar{.kind = Kind::kString, .text = value.as_string()};
        case MetadataType::kNull:
        case MetadataType::kArray:
        case MetadataType::kObject:
            break;
    }
    return std::nullopt;
}

Order reversed(Order order) {
    return 0 <=> order;
}

/// NaN comes last, so that this is an order of all doubles.
Order order_of_doubles(double a, double b) {
    if (a < b) {
        return Order::less;
    }
    if (a > b) {
        return Order::greater;
    }
    return a == b ? Order::equal : std::isnan(a) <=> std::isnan(b);
}

/// By value, without rounding the integer to a double: 2^53 + 1 is above 2^53.
template <class Integer>
Order order_of_mixed(Integer integer, double real) {
    // Both ends of Integer are zero or powers of two (the upper one past its largest value), hence exact as
    // doubles.
    constexpr double kEnd =
        2.0 * static_cast<double>(Integer{1} << (std::numeric_limits<Integer>::digits - 1));
    if (!(real < kEnd)) {
        return Order::less;
    }
    if (real < static_cast<double>(std::numeric_limits<Integer>::min())) {
        return Order::greater;
    }
    const auto whole = static_cast<Integer>(real);
    if (integer != whole) {
        return integer <=> whole;
    }
    return order_of_doubles(static_cast<double>(whole), real);
}

Order order_of_numbers(const Scalar& a, const Scalar& b) {
    if (a.kind == Kind::kDouble) {
        return b.kind == Kind::kDouble ? order_of_doubles(a.real, b.real) : reversed(order_of_numbers(b, a));
    }
    if (b.kind == Kind::kDouble) {
        return a.kind == Kind::kInt ? order_of_mixed(a.integer, b.real) : order_of_mixed(a.natural, b.real);
    }
    if (a.kind != b.kind) {
        return a.kind <=> b.kind;  // every natural is above every integer
    }
    return a.kind == Kind::kInt ? a.integer <=> b.integer : a.natural <=> b.natural;
}

Order order_of(const Scalar& a, const Scalar& b) {
    if (a.kind == Kind::kString && b.kind == Kind::kString) {
        return a.text <=> b.text;
    }
    if (a.kind == Kind::kString || b.kind == Kind::kString || a.kind == Kind::kBool ||
        b.kind == Kind::kBool) {
        // Unequal kinds, or two booleans; the sequence of Kind is bool, numbers, string.
        return a.kind == b.kind ? a.integer <=> b.integer : a.kind <=> b.kind;
    }
    return order_of_numbers(a, b);
}

bool are_equal(const Scalar& a, const Scalar& b) {
    // Equality of strings looks at the sizes first, order does not.
    return a.kind == Kind::kString && b.kind == Kind::kString ? a.text == b.text : order_of(a, b) == 0;
}

bool is_listed(const MatchCondition& condition, const Scalar& scalar) {
    const std::vector<MatchValue>& list = condition.any;
    if (!condition.sorted) {
        return std::any_of(list.begin(), list.end(),
                           [&](const MatchValue& listed) { return are_equal(scalar_of(listed), scalar); });
    }
    const auto found = std::lower_bound(list.begin(), list.end(), scalar,
                                        [](const MatchValue& listed, const Scalar& sought) {
                                            return order_of(scalar_of(listed), sought) < 0;
                                        });
    return found != list.end() && are_equal(scalar_of(*found), scalar);
}

bool is_within(const RangeCondition& range, const Scalar& number) {
    const auto against = [&](double bound) {
        return order_of_numbers(number, Scalar{.kind = Kind::kDouble, .real = bound});
    };
    return (!range.gt || against(*range.gt) > 0) && (!range.gte || against(*range.gte) >= 0) &&
           (!range.lt || against(*range.lt) < 0) && (!range.lte || against(*range.lte) <= 0);
}

}  // namespace

std::optional<MatchValue> match_value_of(MetadataView value) {
    constexpr double kEnd = 0x1p63;
    switch (value.type()) {
        case MetadataType::kFalse:
        case MetadataType::kTrue:
            return value.type() == MetadataType::kTrue;
        case MetadataType::kInt:
            return value.as_int();
        case MetadataType::kUint:
            return value.as_uint();
        case MetadataType::kDouble: {
            const double number = value.as_double();
            const bool is_whole = number >= -kEnd && number < kEnd && number == std::trunc(number);
            return is_whole ? MatchValue(static_cast<int64_t>(number)) : MatchValue(number);
        }
        case MetadataType::kString:
            return std::string(value.as_string());
        case MetadataType::kNull:
        case MetadataType::kArray:
        case MetadataType::kObject:
            break;
    }
    return std::nullopt;
}

bool is_met(const MatchCondition& condition, MetadataView metadata) {
    bool any_scalar = false;
    bool any_listed = false;
    for_each_at_path(metadata, condition.key, [&](MetadataView value) {
        if (const std::optional<Scalar> scalar = scalar_of(value)) {
            any_scalar = true;
            any_listed = is_listed(condition, *scalar);
        }
        return !any_listed;
    });
    return condition.negated ? any_scalar && !any_listed : any_listed;
}

bool is_met(const RangeCondition& range, MetadataView metadata) {
    bool any_within = false;
    for_each_at_path(metadata, range.key, [&](MetadataView value) {
        any_within = value.is_number() && is_within(range, *scalar_of(value));
        return !any_within;
    });
    return any_within;
}

bool is_met(const TimeRangeCondition& range, MetadataView metadata) {
    bool any_within = false;
    for_each_at_path(metadata, range.key, [&](MetadataView value) {
        if (value.type() == MetadataType::kString) {
            const std::optional<int64_t> moment = parse_moment(value.as_string());
            any_within = moment && (!range.gt || *moment > *range.gt) &&
                         (!range.gte || *moment >= *range.gte) && (!range.lt || *moment < *range.lt) &&
                         (!range.lte || *moment <= *range.lte);
        }
        return !any_within;
    });
    return any_within;
}

void sort_if_long(MatchCondition& condition) {
    condition.sorted = condition.any.size() > kWalkedListMax;
    if (condition.sorted) {
        std::sort(condition.any.begin(), condition.any.end(), [](const MatchValue& a, const MatchValue& b) {
            return order_of(scalar_of(a), scalar_of(b)) < 0;
        });
    }
}

}  // namespace akidb::model
