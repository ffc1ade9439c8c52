// AkiDB's side of index_bench: the graph class that the engine uses, over rows in chunks as the row store has
// them.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "bench/index_engine.h"
#include "index/graph.h"
#include "index/pages.h"

namespace akidb::bench {
namespace {

using index::Graph;
using index::GraphOptions;
using index::kRowsPerChunk;
using index::Pages;
using index::Rows;

model::Metric metric_of(Metric metric) {
    switch (metric) {
        case Metric::kCosine:
            return model::Metric::kCosine;
        case Metric::kDot:
            return model::Metric::kDot;
        case Metric::kL2:
            return model::Metric::kL2;
    }
    return model::Metric::kL2;
}

/// The one place that knows which codecs and layouts there are.
GraphOptions graph_options(const EngineOptions& options) {
    if (options.codec != "f32" || options.layout != "plain") {
        throw std::runtime_error(fmt::format("no codec \"{}\" with layout \"{}\"; allowed: f32 with plain",
                                             options.codec, options.layout));
    }
    return {.degree = options.degree, .build_ef = options.build_ef, .alpha = options.alpha};
}

class AkidbEngine : public IndexEngine {
  public:
    AkidbEngine(OrderedBase base, const EngineOptions& options)
        : options_(options),
          rows_(metric_of(options.metric), static_cast<uint32_t>(base.dimension())),
          count_(static_cast<uint32_t>(base.rows())),
          query_(rows_.stride()) {
        const GraphOptions graph = graph_options(options);
        copy_rows(base);
        graph_.emplace(rows_, graph);
    }

    std::string name() const override { return "akidb"; }
    std::string codec() const override { return options_.codec; }
    std::string layout() const override { return options_.layout; }

    std::string description() const override {
        return fmt::format("degree {}, build-ef {}, alpha {}, kernels {}, built by 1 thread, {} unreachable",
                           options_.degree, options_.build_ef, options_.alpha, rows_.kernels().name,
                           graph_->count_unreachable());
    }

    TimeSpent build() override {
        const Timer timer;
        graph_->link(
            count_, [] { return false; }, scratch_);
        return timer.elapsed();
    }

    size_t narrowest_ef(size_t /*k*/) const override { return 1; }

    void search(std::span<const float> query, Width width, std::vector<uint32_t>& positions) override {
        run(query, width);
        positions.clear();
        for (const index::Candidate& candidate : best_.take_sorted()) {
            positions.push_back(candidate.ordinal);
        }
    }

    uint64_t count_distances(std::span<const float> query, Width width) override {
        return run(query, width).distances;
    }

    double bytes_per_vector() const override {
        return double{sizeof(uint32_t)} * options_.degree + original_bytes_per_vector();
    }
    double original_bytes_per_vector() const override { return double{sizeof(float)} * rows_.stride(); }

  private:
    void copy_rows(OrderedBase base) {
        const size_t stride = rows_.stride();
        for (uint32_t first = 0; first < count_; first += kRowsPerChunk) {
            chunks_.emplace_back(kRowsPerChunk * stride * sizeof(float), Pages::Size::kLarge);
            auto* const chunk = static_cast<float*>(chunks_.back().data());
            for (uint32_t row = first; row < std::min(first + kRowsPerChunk, count_); ++row) {
                index::encode_row(rows_.metric(), base.row(row),
                                  std::span(chunk + (row - first) * stride, stride));
            }
            rows_.set_chunk(first / kRowsPerChunk, chunk);
        }
    }

    index::SearchCost run(std::span<const float> query, Width width) {
        index::encode_query(rows_.metric(), query, query_);
        best_.reset(width.k);
        const auto accept_all = [](uint32_t) { return true; };
        return graph_->search(query_.data(), static_cast<uint32_t>(width.ef), count_, accept_all, scratch_,
                              best_);
    }

    EngineOptions options_;
    Rows rows_;
    std::vector<Pages> chunks_;
    uint32_t count_;
    std::optional<Graph> graph_;
    index::SearchScratch scratch_;
    index::TopK best_{1};
    std::vector<float> query_;
};

}  // namespace

std::unique_ptr<IndexEngine> make_akidb_engine(OrderedBase base, const EngineOptions& options) {
    return std::make_unique<AkidbEngine>(base, options);
}

}  // namespace akidb::bench
