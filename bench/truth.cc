#include "bench/truth.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/truth_scores.h"

namespace akidb::bench {
namespace {

constexpr size_t kTileRows = 64;  // with 768 components 192 KiB: stays in a core's own cache for all panels
constexpr size_t kCandidatesPerK = 2;  // room for what f32 puts in the wrong order

struct Scored {
    double distance = 0;
    uint32_t row = 0;
    auto operator<=>(const Scored&) const = default;
};

double squared_norm(std::span<const float> vector) {
    double total = 0;
    for (float component : vector) {
        total += double{component} * double{component};
    }
    return total;
}

// The f32 distance of a row is scale × inner product + offset, up to what is the same for all rows.
struct RowTerms {
    float scale = -1;
    float offset = 0;
};

RowTerms terms_of(Metric metric, std::span<const float> row) {
    if (metric == Metric::kDot) {
        return {};
    }
    const double squared = squared_norm(row);
    if (metric == Metric::kL2) {
        return {-2, static_cast<float>(squared)};
    }
    return {squared > 0 ? static_cast<float>(-1 / std::sqrt(squared)) : 0.0F, 0};
}

// kPanelQueries queries with their candidates: bounded max-heaps.
class Panel {
  public:
    Panel(const VectorFile& queries, size_t first, size_t candidates)
        : first_(first),
          count_(std::min(kPanelQueries, queries.rows() - first)),
          candidates_(candidates),
          components_(queries.dimension() * kPanelQueries) {
        bounds_.fill(std::numeric_limits<float>::infinity());
        for (size_t query = 0; query < count_; ++query) {
            for (size_t i = 0; i < queries.dimension(); ++i) {
                components_[i * kPanelQueries + query] = queries.row(first + query)[i];
            }
        }
    }

    size_t first() const { return first_; }
    size_t count() const { return count_; }
    const float* components() const { return components_.data(); }
    const std::vector<Scored>& candidates(size_t query) const { return heaps_[query]; }

    void offer(uint32_t row, RowTerms terms, const float* scores) {
        for (size_t query = 0; query < count_; ++query) {
            const float distance = terms.scale * scores[query] + terms.offset;
            if (distance < bounds_[query]) {
                keep(query, {distance, row});
            }
        }
    }

  private:
    void keep(size_t query, Scored scored) {
        std::vector<Scored>& heap = heaps_[query];
        if (heap.size() == candidates_) {
            std::pop_heap(heap.begin(), heap.end());
            heap.pop_back();
        }
        heap.push_back(scored);
        std::push_heap(heap.begin(), heap.end());
        if (heap.size() == candidates_) {
            bounds_[query] = static_cast<float>(heap.front().distance);
        }
    }

    size_t first_;
    size_t count_;
    size_t candidates_;
    std::vector<float> components_;
    std::array<float, kPanelQueries> bounds_;
    std::array<std::vector<Scored>, kPanelQueries> heaps_;
};

void scan(const VectorFile& base, const std::vector<RowTerms>& terms, std::vector<Panel>& panels) {
    std::vector<float> scores(kTileRows * kPanelQueries);
    for (size_t from = 0; from < base.rows(); from += kTileRows) {
        const size_t to = std::min(from + kTileRows, base.rows());
        for (Panel& panel : panels) {
            score_rows(base.row(from).data(), to - from, panel.components(), base.dimension(), scores.data());
            for (size_t row = from; row < to; ++row) {
                panel.offer(static_cast<uint32_t>(row), terms[row], &scores[(row - from) * kPanelQueries]);
            }
        }
    }
}

void order_in_double(Metric metric, const VectorFile& base, std::span<const float> query,
                     std::vector<Scored> candidates, std::span<int32_t> out) {
    for (Scored& candidate : candidates) {
        candidate.distance = exact_distance(metric, query, base.row(candidate.row));
    }
    std::sort(candidates.begin(), candidates.end());
    for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<int32_t>(candidates[i].row);
    }
}

}  // namespace

double exact_distance(Metric metric, std::span<const float> query, std::span<const float> row) {
    double dot = 0;
    double squares = 0;
    for (size_t i = 0; i < query.size(); ++i) {
        dot += double{query[i]} * double{row[i]};
        const double difference = double{query[i]} - double{row[i]};
        squares += difference * difference;
    }
    switch (metric) {
        case Metric::kCosine: {
            const double norms = std::sqrt(squared_norm(query) * squared_norm(row));
            return norms > 0 ? 1 - dot / norms : 1;
        }
        case Metric::kDot:
            return -dot;
        case Metric::kL2:
            return squares;
    }
    return squares;
}

Truth exact_truth(Metric metric, const VectorFile& base, const VectorFile& queries, size_t k) {
    if (k > base.rows() || base.dimension() != queries.dimension()) {
        throw std::runtime_error(
            "truth: k is above the base's rows, or base and queries differ in dimension");
    }
    std::vector<RowTerms> terms;
    for (size_t row = 0; row < base.rows(); ++row) {
        terms.push_back(terms_of(metric, base.row(row)));
    }
    Truth truth{k, std::vector<int32_t>(queries.rows() * k)};
    const size_t panel_count = (queries.rows() + kPanelQueries - 1) / kPanelQueries;
    const size_t thread_count = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, panel_count);
    const auto work = [&](size_t thread) {
        std::vector<Panel> panels;
        for (size_t panel = thread; panel < panel_count; panel += thread_count) {
            panels.emplace_back(queries, panel * kPanelQueries, std::min(k * kCandidatesPerK, base.rows()));
        }
        scan(base, terms, panels);
        for (const Panel& panel : panels) {
            for (size_t i = 0; i < panel.count(); ++i) {
                const size_t query = panel.first() + i;
                order_in_double(metric, base, queries.row(query), panel.candidates(i),
                                std::span(truth.rows).subspan(query * k, k));
            }
        }
    };
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < thread_count; ++thread) {
        threads.emplace_back(work, thread);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return truth;
}

Truth read_truth(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        throw std::runtime_error("cannot open " + path);
    }
    const auto bytes = static_cast<uint64_t>(file.tellg());
    file.seekg(0);
    std::array<uint32_t, 2> header{};
    file.read(reinterpret_cast<char*>(header.data()), sizeof(header));
    const uint64_t count = uint64_t{header[0]} * header[1];
    if (!file || bytes != sizeof(header) + count * sizeof(int32_t)) {
        throw std::runtime_error(path + " is not an .ibin file: its size is not what its header says");
    }
    Truth truth{header[1], std::vector<int32_t>(count)};
    file.read(reinterpret_cast<char*>(truth.rows.data()),
              static_cast<std::streamsize>(count * sizeof(int32_t)));
    if (!file) {
        throw std::runtime_error("reading " + path + " failed");
    }
    return truth;
}

void write_truth(const std::string& path, const Truth& truth) {
    const std::array<uint32_t, 2> header{static_cast<uint32_t>(truth.queries()),
                                         static_cast<uint32_t>(truth.k)};
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(header.data()), sizeof(header));
    file.write(reinterpret_cast<const char*>(truth.rows.data()),
               static_cast<std::streamsize>(truth.rows.size() * sizeof(int32_t)));
    file.flush();
    if (!file) {
        throw std::runtime_error("writing " + path + " failed");
    }
}

double median_intrinsic_dimension(Metric metric, const VectorFile& base, const VectorFile& queries,
                                  const Truth& truth) {
    std::vector<double> estimates;
    for (size_t query = 0; query < truth.queries(); ++query) {
        std::vector<double> distances;
        for (const int32_t row : truth.of(query)) {
            const auto vector = base.row(static_cast<size_t>(row));
            const double distance = metric == Metric::kCosine
                                        ? 2 * exact_distance(Metric::kCosine, queries.row(query), vector)
                                        : exact_distance(Metric::kL2, queries.row(query), vector);
            distances.push_back(std::sqrt(std::max(distance, 0.0)));
        }
        double logarithms = 0;
        for (const double distance : distances) {
            logarithms += std::log(std::max(distance, 1e-9) / distances.back());
        }
        const double number = static_cast<double>(distances.size() - 1);
        if (logarithms < 0) {
            estimates.push_back(-number / logarithms);
        }
    }
    if (estimates.empty()) {
        return 0;
    }
    const auto middle = estimates.begin() + static_cast<std::ptrdiff_t>(estimates.size() / 2);
    std::nth_element(estimates.begin(), middle, estimates.end());
    return *middle;
}

}  // namespace akidb::bench
