// FilterData: what filter_bench searches: vectors in a generation as the server keeps them, with metadata
// that counts each row in several orders, so that `field < share × rows` matches that share of the rows:
// anywhere, or those nearest to an anchor; and queries with their exact answers at every share. Ends the
// process with a message when something is wrong with its files. Immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/vector_file.h"
#include "engine/snapshot.h"

namespace akidb::bench {

inline constexpr uint32_t kTop = 10;
inline constexpr std::array<double, 9> kShares{1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0.0001};
inline constexpr std::array<const char*, 3> kCorrelations{"none", "near", "far"};

[[noreturn]] void fail(const std::string& message);
uint32_t matches_of(double share, uint32_t rows);

/// Rows in the order in which their field counts them.
using Order = std::vector<uint32_t>;

struct FilterQuery {
    uint32_t vector = 0;                       // in the query file
    uint32_t order = 0;                        // 0: random; 1 + anchor
    std::array<float, kShares.size()> edge{};  // distance of the last of the true answer
    std::array<uint32_t, kShares.size()> answers{};
};
/// The metadata field that counts in this order.
std::string field_of(uint32_t order);

struct FilterData {
    std::shared_ptr<engine::Generation> generation;
    engine::Snapshot snapshot;
    std::vector<Order> orders;
    std::array<std::vector<FilterQuery>, kCorrelations.size()> queries;  // by correlation
};

struct FilterDataOptions {
    model::Metric metric = model::Metric::kCosine;
    uint32_t rows = 0;
    uint32_t queries = 100;  // of each correlation
    bool has_indexes = true;
    std::string graph;  // file of the graph's lists: read when there, else written; empty: neither
};
FilterData make_filter_data(const VectorFile& base, const VectorFile& queries,
                            const FilterDataOptions& options);

}  // namespace akidb::bench
