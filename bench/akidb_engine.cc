// AkiDB's side of index_bench: the graph class that the engine uses, over rows in chunks as the row store has
// them.
#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "bench/chunked_rows.h"
#include "bench/index_engine.h"
#include "index/graph.h"

namespace akidb::bench {
namespace {

using index::Graph;
using index::GraphOptions;
using index::Layout;

static_assert(GraphOptions{}.degree == kDegree && GraphOptions{}.build_ef == kBuildEf &&
              GraphOptions{}.alpha == kAlpha);

// The names that --layout and --codec take; "auto" chooses the bits by dimension.
struct CodecChoice {
    const char* layout_name;
    const char* codec_name;
    Layout layout;
    uint32_t bits;
};
constexpr std::array<CodecChoice, 6> kCodecs{{
    {"split", "auto", Layout::kSplit, 0},
    {"split", "4", Layout::kSplit, 4},
    {"split", "8", Layout::kSplit, 8},
    {"turbo", "auto", Layout::kTurbo, 0},
    {"turbo", "1", Layout::kTurbo, 1},
    {"turbo", "4", Layout::kTurbo, 4},
}};

/// The one place that knows which codecs and layouts there are.
GraphOptions graph_options(const EngineOptions& options, const ChunkedRows& rows) {
    for (const CodecChoice& choice : kCodecs) {
        if (options.layout == choice.layout_name && options.codec == choice.codec_name) {
            const GraphOptions wanted{.degree = options.degree,
                                      .build_ef = options.build_ef,
                                      .alpha = options.alpha,
                                      .layout = choice.layout,
                                      .bits = choice.bits};
            return wanted.for_rows(rows.count(), rows.rows().dimension());
        }
    }
    throw std::runtime_error(
        fmt::format("no codec \"{}\" with layout \"{}\"; allowed: auto, 4 and 8 with split, auto, 1 and 4 "
                    "with turbo",
                    options.codec, options.layout));
}

class AkidbEngine : public IndexEngine {
  public:
    AkidbEngine(OrderedBase base, const EngineOptions& options)
        : rows_(options.metric, base),
          graph_(rows_.rows(), graph_options(options, rows_)),
          query_(rows_.rows().stride()) {}

    std::string name() const override { return "akidb"; }
    std::string codec() const override { return fmt::format("{}bit", graph_.options().bits); }
    std::string layout() const override {
        return graph_.options().layout == Layout::kTurbo ? "turbo" : "split";
    }

    std::string description() const override {
        const GraphOptions& options = graph_.options();
        return fmt::format("degree {}, build-ef {}, alpha {}, kernels {}, built by 1 thread, {} unreachable",
                           options.degree, options.build_ef, options.alpha, rows_.rows().kernels().name,
                           graph_.count_unreachable());
    }

    TimeSpent build() override {
        const Timer timer;
        graph_.link(
            rows_.count(), [] { return false; }, scratch_);
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
        const index::SearchCost cost = run(query, width);
        return uint64_t{cost.distances} + cost.exact;
    }

    double bytes_per_vector() const override {
        return static_cast<double>(graph_.memory_bytes()) / rows_.count();
    }
    double original_bytes_per_vector() const override {
        return double{sizeof(float)} * rows_.rows().stride();
    }

  private:
    index::SearchCost run(std::span<const float> query, Width width) {
        index::encode_query(rows_.rows().metric(), query, query_);
        best_.reset(width.k);
        const auto accept_all = [](uint32_t) { return true; };
        return graph_.search(query_.data(), static_cast<uint32_t>(width.ef), rows_.count(), accept_all,
                             scratch_, best_);
    }

    ChunkedRows rows_;
    Graph graph_;
    index::SearchScratch scratch_;
    index::TopK best_{1};
    std::vector<float> query_;
};

}  // namespace

std::unique_ptr<IndexEngine> make_akidb_engine(OrderedBase base, const EngineOptions& options) {
    return std::make_unique<AkidbEngine>(base, options);
}

}  // namespace akidb::bench
