#include "bench/brute_force.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace akidb::bench {
namespace {

constexpr size_t kLanes = 4;             // 16 bytes: what every x86-64 and ARM64 has
constexpr size_t kQueriesPerBlock = 16;  // a base row is fetched from memory once for so many queries
constexpr float kTie = 1e-6F;

// A vector type of GCC and clang.
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

Lanes load(const float* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof(lanes));
    return lanes;
}

float sum(Lanes lanes) {
    float total = 0;
    for (size_t lane = 0; lane < kLanes; ++lane) {
        total += lanes[lane];
    }
    return total;
}

float dot(std::span<const float> left, std::span<const float> right) {
    Lanes even{};
    Lanes odd{};
    size_t at = 0;
    for (; at + 2 * kLanes <= left.size(); at += 2 * kLanes) {
        even += load(left.data() + at) * load(right.data() + at);
        odd += load(left.data() + at + kLanes) * load(right.data() + at + kLanes);
    }
    float total = sum(even + odd);
    for (; at < left.size(); ++at) {
        total += left[at] * right[at];
    }
    return total;
}

float squared_distance(std::span<const float> left, std::span<const float> right) {
    Lanes sums{};
    size_t at = 0;
    for (; at + kLanes <= left.size(); at += kLanes) {
        Lanes difference = load(left.data() + at) - load(right.data() + at);
        sums += difference * difference;
    }
    float total = sum(sums);
    for (; at < left.size(); ++at) {
        total += (left[at] - right[at]) * (left[at] - right[at]);
    }
    return total;
}

double norm(std::span<const float> vector) {
    double total = 0;
    for (float component : vector) {
        total += double{component} * double{component};
    }
    return std::sqrt(total);
}

bool is_nearer(const Neighbour& left, const Neighbour& right) {
    return left.similarity != right.similarity ? left.similarity > right.similarity : left.row < right.row;
}

void keep_nearest(std::vector<Neighbour>& heap, size_t k, Neighbour candidate) {
    if (heap.size() == k && !is_nearer(candidate, heap.front())) {
        return;
    }
    if (heap.size() == k) {
        std::pop_heap(heap.begin(), heap.end(), is_nearer);
        heap.pop_back();
    }
    heap.push_back(candidate);
    std::push_heap(heap.begin(), heap.end(), is_nearer);
}

}  // namespace

Metric metric_from(std::string_view name) {
    if (name == "cosine") {
        return Metric::kCosine;
    }
    if (name == "dot") {
        return Metric::kDot;
    }
    if (name == "l2") {
        return Metric::kL2;
    }
    throw std::runtime_error("no metric \"" + std::string(name) + "\"; allowed: cosine, dot, l2");
}

float similarity(Metric metric, std::span<const float> left, std::span<const float> right) {
    switch (metric) {
        case Metric::kCosine:
            return static_cast<float>(dot(left, right) / (norm(left) * norm(right)));
        case Metric::kDot:
            return dot(left, right);
        case Metric::kL2:
            return -squared_distance(left, right);
    }
    return 0;
}

std::vector<std::vector<Neighbour>> exact_neighbours(Metric metric, const VectorFile& base,
                                                     const VectorFile& queries, size_t k) {
    std::vector<double> base_norms(base.rows(), 1.0);
    for (size_t row = 0; metric == Metric::kCosine && row < base.rows(); ++row) {
        base_norms[row] = norm(base.row(row));
    }
    std::vector<std::vector<Neighbour>> nearest(queries.rows());
    std::atomic<size_t> next_block{0};
    auto work = [&] {
        for (size_t from = 0; (from = next_block.fetch_add(kQueriesPerBlock)) < queries.rows();) {
            size_t to = std::min(from + kQueriesPerBlock, queries.rows());
            for (size_t row = 0; row < base.rows(); ++row) {
                for (size_t query = from; query < to; ++query) {
                    // Norms of base rows are divided out once a row; the query's norm changes no order.
                    float near = metric == Metric::kL2 ? -squared_distance(queries.row(query), base.row(row))
                                                       : dot(queries.row(query), base.row(row));
                    near = static_cast<float>(near / base_norms[row]);
                    keep_nearest(nearest[query], k, {near, static_cast<uint32_t>(row)});
                }
            }
            for (size_t query = from; query < to; ++query) {
                double query_norm = metric == Metric::kCosine ? norm(queries.row(query)) : 1.0;
                std::sort_heap(nearest[query].begin(), nearest[query].end(), is_nearer);
                for (Neighbour& neighbour : nearest[query]) {
                    neighbour.similarity = static_cast<float>(neighbour.similarity / query_norm);
                }
            }
        }
    };
    std::vector<std::thread> threads;
    for (unsigned core = 0; core < std::max(1U, std::thread::hardware_concurrency()); ++core) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return nearest;
}

double recall_of(const std::vector<Neighbour>& truth, const std::vector<Neighbour>& returned) {
    if (truth.empty()) {
        return 1.0;
    }
    float last = truth.back().similarity;
    std::set<uint32_t> found;
    for (const Neighbour& neighbour : returned) {
        if (neighbour.similarity >= last - kTie * std::max(1.0F, std::abs(last))) {
            found.insert(neighbour.row);
        }
    }
    return static_cast<double>(std::min(found.size(), truth.size())) / static_cast<double>(truth.size());
}

}  // namespace akidb::bench
