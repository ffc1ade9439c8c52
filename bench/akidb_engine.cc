// AkiDB's side of index_bench: the graph class that the engine uses, over rows in chunks as the row store has
// them.
#include <fmt/format.h>
#include <sys/prctl.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/chunked_rows.h"
#include "bench/index_engine.h"
#include "index/calibration.h"
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

model::VectorStorage storage_of(const EngineOptions& options) {
    if (const auto storage = model::vector_storage_from(options.storage)) {
        return *storage;
    }
    throw std::runtime_error(fmt::format("no storage \"{}\"; allowed: f32, f16, int8", options.storage));
}

/// While one lives, memory comes in small pages only.
class SmallPages {
  public:
    SmallPages() { set(1); }
    ~SmallPages() { set(0); }
    SmallPages(const SmallPages&) = delete;
    SmallPages& operator=(const SmallPages&) = delete;

  private:
    static void set(unsigned long disabled) {
        if (::prctl(PR_SET_THP_DISABLE, disabled, 0, 0, 0) != 0 && disabled != 0) {
            throw std::runtime_error("large pages cannot be switched off here");
        }
    }
};

class AkidbEngine : public IndexEngine {
  public:
    AkidbEngine(OrderedBase base, const EngineOptions& options)
        : small_pages_(options.small_pages ? std::make_unique<SmallPages>() : nullptr),
          threads_(options.threads),
          walks_floats_(options.walks_floats),
          fixed_beams_(options.fixed_beams),
          rows_(options.metric, base, options.kernels, storage_of(options)),
          graph_(std::make_unique<Graph>(rows_.rows(), graph_options(options, rows_))),
          query_(rows_.rows().query_size()) {}

    std::string name() const override { return "akidb"; }
    std::string codec() const override {
        return walks_floats_ ? "floats" : fmt::format("{}bit", graph_->options().bits);
    }
    std::string layout() const override {
        return graph_->options().layout == Layout::kTurbo ? "turbo" : "split";
    }

    std::string description() const override {
        const GraphOptions& options = graph_->options();
        return fmt::format(
            "degree {}, build-ef {}, alpha {}, kernels {}, growth {:.3f}, built by {} thread{}, {} "
            "unreachable",
            options.degree, options.build_ef, options.alpha, rows_.rows().kernels().name, graph_->growth(),
            threads_, threads_ == 1 ? "" : "s", graph_->count_unreachable());
    }

    TimeSpent build() override {
        const Timer timer;
        const auto never = [] { return false; };
        graph_->encode(rows_.count(), never);
        {
            std::vector<std::jthread> others;
            for (uint32_t i = 1; i < threads_; ++i) {
                others.emplace_back([&] {
                    index::SearchScratch scratch;
                    graph_->link(rows_.count(), never, scratch);
                });
            }
            graph_->link(rows_.count(), never, scratch_);
        }
        if (!fixed_beams_) {  // as the server does when nothing waits to be linked
            index::measure_recall(
                *graph_, rows_.rows(), rows_.count(), [](uint32_t) { return true; }, never, scratch_);
        }
        const TimeSpent spent = timer.elapsed();
        if (walks_floats_) {
            std::string lists;
            graph_->export_lists(0, rows_.count(), lists);
            auto bare = std::make_unique<Graph>(rows_.rows(), graph_->options());
            if (!bare->import_lists({lists, {}}, rows_.count()).has_value()) {
                throw std::runtime_error("a graph does not take its own lists");
            }
            graph_ = std::move(bare);
        }
        small_pages_.reset();
        return spent;
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
        return static_cast<double>(graph_->memory_bytes()) / rows_.count();
    }
    double original_bytes_per_vector() const override {
        return static_cast<double>(rows_.rows().row_bytes());
    }

  private:
    index::SearchCost run(std::span<const float> query, Width width) {
        index::encode_query(rows_.rows().metric(), query, query_);
        best_.reset(width.k);
        const auto accept_all = [](uint32_t) { return true; };
        return graph_->search(query_.data(), static_cast<uint32_t>(width.ef), rows_.count(), accept_all,
                              scratch_, best_);
    }

    std::unique_ptr<SmallPages> small_pages_;  // until the graph is built
    uint32_t threads_;
    bool walks_floats_;
    bool fixed_beams_;
    ChunkedRows rows_;
    std::unique_ptr<Graph> graph_;
    index::SearchScratch scratch_;
    index::TopK best_{1};
    std::vector<float> query_;
};

}  // namespace

std::unique_ptr<IndexEngine> make_akidb_engine(OrderedBase base, const EngineOptions& options) {
    return std::make_unique<AkidbEngine>(base, options);
}

}  // namespace akidb::bench
