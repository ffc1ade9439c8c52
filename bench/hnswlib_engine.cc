// The peer: Debian's hnswlib, M 16, efConstruction 200. Compiled with -O3 -march=native, as its makers
// advise; the library is headers only. Cosine is inner product of unit vectors, or squared Euclidean distance
// where this version of the library computes that clearly faster at the dimension in question.
#include <fmt/format.h>
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/index_engine.h"

namespace akidb::bench {
namespace {

constexpr size_t kLinks = 16;
constexpr size_t kConstructionWidth = 200;
constexpr double kClearlyFaster = 0.9;  // less is noise: every run should choose alike

void normalise(std::span<float> vector) {
    float squares = 0;
    for (const float component : vector) {
        squares += component * component;
    }
    const float factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (float& component : vector) {
        component *= factor;
    }
}

// Counts calls, for the figure of distances; in place of the space's own function while that is asked for.
struct CountedDistance {
    static inline uint64_t calls = 0;
    static inline hnswlib::DISTFUNC<float> real = nullptr;
    static float call(const void* left, const void* right, const void* parameter) {
        ++calls;
        return real(left, right, parameter);
    }
};

class HnswlibEngine : public IndexEngine {
  public:
    HnswlibEngine(OrderedBase base, const EngineOptions& options)
        : base_(base),
          options_(options),
          inner_product_(base.dimension()),
          euclidean_(base.dimension()),
          query_(base.dimension()) {
        if (options.metric == Metric::kDot) {
            space_ = &inner_product_;
        } else if (options.metric == Metric::kL2) {
            space_ = &euclidean_;
        } else {
            const bool is_euclidean = seconds_of(euclidean_) < kClearlyFaster * seconds_of(inner_product_);
            space_ =
                is_euclidean ? static_cast<hnswlib::SpaceInterface<float>*>(&euclidean_) : &inner_product_;
        }
    }

    std::string name() const override { return "hnswlib"; }
    std::string codec() const override { return "f32"; }
    std::string layout() const override { return "plain"; }

    std::string description() const override {
        return fmt::format("M {}, efConstruction {}, {}, built by {} threads{}", kLinks, kConstructionWidth,
                           space_ == &inner_product_ ? "inner product" : "squared Euclidean distance",
                           options_.threads, was_read_ ? " in an earlier run" : "");
    }

    TimeSpent build() override {
        if (!options_.peer_index.empty() && std::filesystem::exists(options_.peer_index)) {
            return read();
        }
        const Timer timer;
        index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_, base_.rows(), kLinks,
                                                                   kConstructionWidth);
        add(0);
        std::atomic<size_t> next{1};
        std::vector<std::thread> threads;
        for (uint32_t thread = 0; thread < options_.threads; ++thread) {
            threads.emplace_back([&] {
                for (size_t position = 0; (position = next.fetch_add(1)) < base_.rows();) {
                    add(position);
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        const TimeSpent figures = timer.elapsed();
        if (!options_.peer_index.empty()) {
            write(figures);
        }
        return figures;
    }

    size_t narrowest_ef(size_t k) const override { return k; }

    void search(std::span<const float> query, Width width, std::vector<uint32_t>& positions) override {
        index_->setEf(width.ef);
        auto found = index_->searchKnn(prepare(query), width.k);
        positions.resize(found.size());
        for (size_t i = found.size(); i > 0; --i, found.pop()) {
            positions[i - 1] = static_cast<uint32_t>(found.top().second);
        }
    }

    uint64_t count_distances(std::span<const float> query, Width width) override {
        CountedDistance::real = index_->fstdistfunc_;
        CountedDistance::calls = 0;
        index_->fstdistfunc_ = CountedDistance::call;
        index_->setEf(width.ef);
        index_->searchKnn(prepare(query), width.k);
        index_->fstdistfunc_ = CountedDistance::real;
        return CountedDistance::calls;
    }

    // Without its locks, the table of labels and what the allocator adds.
    double bytes_per_vector() const override {
        size_t bytes = base_.rows() * (index_->size_data_per_element_ + sizeof(char*));
        for (size_t position = 0; position < base_.rows(); ++position) {
            const auto level = static_cast<size_t>(index_->element_levels_[position]);
            bytes += level * index_->size_links_per_element_;
        }
        return static_cast<double>(bytes) / static_cast<double>(base_.rows());
    }
    double original_bytes_per_vector() const override { return 0; }  // they lie within its rows

  private:
    void add(size_t position) {
        const auto row = base_.row(position);
        std::vector<float> vector(row.begin(), row.end());
        if (options_.metric == Metric::kCosine) {
            normalise(vector);
        }
        index_->addPoint(vector.data(), position);
    }

    const float* prepare(std::span<const float> query) {
        if (options_.metric != Metric::kCosine) {
            return query.data();
        }
        std::copy(query.begin(), query.end(), query_.begin());
        normalise(query_);
        return query_.data();
    }

    // The best of five passes over some pairs, in cache.
    double seconds_of(hnswlib::SpaceInterface<float>& space) const {
        constexpr size_t kPairs = 20'000;
        const size_t rows = std::min<size_t>(64, base_.rows());
        double best = 1e9;
        volatile float sink = 0;
        for (int pass = 0; pass < 5; ++pass) {
            const auto start = std::chrono::steady_clock::now();
            for (size_t pair = 0; pair < kPairs; ++pair) {
                sink = sink + space.get_dist_func()(base_.row(pair % rows).data(),
                                                    base_.row((pair / rows) % rows).data(),
                                                    space.get_dist_func_param());
            }
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            best = std::min(best, seconds.count());
        }
        return best;
    }

    std::string figures_file() const { return options_.peer_index + ".build"; }

    // The index lies beside what it cost to build; the latter is written last.
    void write(TimeSpent figures) {
        index_->saveIndex(options_.peer_index);
        std::ofstream(figures_file()) << figures.cpu_s << ' ' << figures.wall_s << '\n';
    }

    TimeSpent read() {
        TimeSpent figures;
        if (!(std::ifstream(figures_file()) >> figures.cpu_s >> figures.wall_s)) {
            throw std::runtime_error(options_.peer_index + " is not complete; remove it");
        }
        index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_, options_.peer_index);
        if (index_->cur_element_count != base_.rows() ||
            index_->data_size_ != base_.dimension() * sizeof(float)) {
            throw std::runtime_error(options_.peer_index + " holds another set; remove it");
        }
        was_read_ = true;
        return figures;
    }

    OrderedBase base_;
    EngineOptions options_;
    hnswlib::InnerProductSpace inner_product_;
    hnswlib::L2Space euclidean_;
    hnswlib::SpaceInterface<float>* space_ = nullptr;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index_;
    std::vector<float> query_;
    bool was_read_ = false;
};

}  // namespace

std::unique_ptr<IndexEngine> make_hnswlib_engine(OrderedBase base, const EngineOptions& options) {
    return std::make_unique<HnswlibEngine>(base, options);
}

}  // namespace akidb::bench
