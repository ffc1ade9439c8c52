#include "rest/nearest.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace akidb::rest {
namespace {

constexpr size_t kComparedBytesMax = 96;

struct Elsewhere {
    std::string_view name;  // of a field in the interfaces of other products
    std::string_view ours;  // of what it is there; of two, that which the list has
};
constexpr auto kElsewhere = std::to_array<Elsewhere>({{"k", "top_k"},
                                                      {"limit", "top_k"},
                                                      {"n_results", "top_k"},
                                                      {"size", "top_k"},
                                                      {"k", "limit"},
                                                      {"top", "limit"},
                                                      {"top_k", "limit"},
                                                      {"embedding", "vector"},
                                                      {"query_vector", "vector"},
                                                      {"values", "vector"},
                                                      {"payload", "metadata"},
                                                      {"properties", "metadata"},
                                                      {"with_payload", "include"},
                                                      {"with_vector", "include"},
                                                      {"where", "filter"},
                                                      {"points", "documents"},
                                                      {"vectors", "documents"},
                                                      {"dim", "dimension"},
                                                      {"size", "dimension"},
                                                      {"distance", "metric"},
                                                      {"datatype", "storage"},
                                                      {"ef_search", "ef"},
                                                      {"hnsw_ef", "ef"}});

size_t tolerated(std::string_view wrong, std::string_view name) {
    return std::max<size_t>(2, std::max(wrong.size(), name.size()) / 3);
}

/// The distance, or `limit` when it is no less. Anybody may ask for paths that there are not, and all are
/// compared with all routes: so what both begin and end with is taken off first, and a row without hope ends
/// it.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
    const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    a.remove_prefix(static_cast<size_t>(in_a - a.begin()));
    b.remove_prefix(static_cast<size_t>(in_b - b.begin()));
    const auto [end_a, end_b] = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
    a.remove_suffix(static_cast<size_t>(end_a - a.rbegin()));
    b.remove_suffix(static_cast<size_t>(end_b - b.rbegin()));
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit) {
        return limit;
    }
    std::array<uint8_t, kComparedBytesMax + 1> row;
    for (size_t j = 0; j <= b.size(); ++j) {
        row[j] = static_cast<uint8_t>(j);
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        uint8_t diagonal = row[0];
        row[0] = static_cast<uint8_t>(i);
        uint8_t least = row[0];
        for (size_t j = 1; j <= b.size(); ++j) {
            const auto replaced = static_cast<uint8_t>(diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = row[j];
            row[j] = std::min(static_cast<uint8_t>(std::min(row[j], row[j - 1]) + 1), replaced);
            least = std::min(least, row[j]);
        }
        if (least >= limit) {
            return limit;
        }
    }
    return std::min<size_t>(row[b.size()], limit);
}

}  // namespace

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names) {
    for (const Elsewhere& known : kElsewhere) {
        if (known.name == wrong && std::find(names.begin(), names.end(), known.ours) != names.end()) {
            return known.ours;
        }
    }
    wrong = wrong.substr(0, kComparedBytesMax);
    std::string_view best;
    size_t limit = kComparedBytesMax + 1;
    for (std::string_view name : names) {
        name = name.substr(0, kComparedBytesMax);
        // Where every letter would change, nothing is alike.
        const size_t hopeless =
            std::min({limit, tolerated(wrong, name) + 1, std::max(wrong.size(), name.size())});
        const size_t distance = edit_distance(wrong, name, hopeless);
        if (distance < hopeless) {
            limit = distance;
            best = name;
        }
    }
    return best;
}

}  // namespace akidb::rest
