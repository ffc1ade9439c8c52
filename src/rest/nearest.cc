#include "rest/nearest.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace akidb::rest {
namespace {

constexpr size_t kComparedBytesMax = 96;

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names) {
    wrong = wrong.substr(0, kComparedBytesMax);
    std::string_view best;
    size_t best_distance = std::numeric_limits<size_t>::max();
    for (std::string_view name : names) {
        size_t distance = edit_distance(wrong, name);
        if (distance < best_distance) {
            best_distance = distance;
            best = name;
        }
    }
    size_t tolerated = std::max<size_t>(2, std::max(wrong.size(), best.size()) / 3);
    return best_distance <= tolerated ? best : std::string_view{};
}

}  // namespace akidb::rest
