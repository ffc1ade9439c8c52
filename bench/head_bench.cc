// head_bench: what the head costs a search: a graph of all rows of a set but the last --head, which have
// codes and are not linked yet; searches of the graph alone and searches that scan the head too, in turn, on
// one thread. Prints the microseconds that the scan adds, median and range over the rounds, and recall@10 of
// both. k = 10; --help lists the options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench/chunked_rows.h"
#include "bench/contenders.h"
#include "bench/index_sweep.h"
#include "bench/recall.h"
#include "index/graph.h"

namespace akidb::bench {
namespace {

constexpr size_t kTop = 10;

struct Options {
    std::string base;
    std::string query;
    std::string truth;
    std::string metric;
    uint32_t head = 32'000;
    uint32_t ef = 64;
    size_t rounds = 5;
};

enum class Searched { kGraph, kGraphAndHead };

class HeadedGraph {
  public:
    HeadedGraph(Metric metric, OrderedBase base, uint32_t head)
        : base_(base),
          rows_(metric, base),
          graph_(rows_.rows(), index::GraphOptions{}.for_rows(rows_.count(), rows_.rows().dimension())),
          query_(rows_.rows().query_size()) {
        const auto never = [] { return false; };
        graph_.encode(rows_.count(), never);
        graph_.link(rows_.count() - head, never, scratch_);
    }

    std::string description() const {
        return fmt::format("{} {}bit, {} rows linked, {} encoded, kernels {}",
                           graph_.options().layout == index::Layout::kTurbo ? "turbo" : "split",
                           graph_.options().bits, graph_.linked(), graph_.encoded(),
                           rows_.rows().kernels().name);
    }

    void search(std::span<const float> query, uint32_t ef, Searched searched) {
        index::encode_query(rows_.rows().metric(), query, query_);
        best_.reset(kTop);
        const auto accept_all = [](uint32_t) { return true; };
        graph_.search(query_.data(), ef, graph_.linked(), accept_all, scratch_, best_);
        if (searched == Searched::kGraphAndHead) {
            graph_.scan(query_.data(), graph_.linked(), rows_.count(), accept_all, scratch_, best_);
        }
    }

    /// What the last search found, as rows of the file.
    std::vector<uint32_t> take_rows() {
        std::vector<uint32_t> rows;
        for (const index::Candidate& candidate : best_.take_sorted()) {
            rows.push_back(base_.order[candidate.ordinal]);
        }
        return rows;
    }

  private:
    OrderedBase base_;
    ChunkedRows rows_;
    index::Graph graph_;
    index::SearchScratch scratch_;
    index::TopK best_{kTop};
    std::vector<float> query_;
};

double mean_us(HeadedGraph& graph, const VectorFile& queries, uint32_t ef, Searched searched) {
    const Timer timer(Timer::Of::kThread);
    for (size_t query = 0; query < queries.rows(); ++query) {
        graph.search(queries.row(query), ef, searched);
    }
    return timer.elapsed().wall_s * 1e6 / static_cast<double>(queries.rows());
}

double recall_of(HeadedGraph& graph, const VectorFile& queries, const RecallJudge& judge, uint32_t ef,
                 Searched searched) {
    double sum = 0;
    for (size_t query = 0; query < queries.rows(); ++query) {
        graph.search(queries.row(query), ef, searched);
        sum += judge.recall(query, graph.take_rows(), kTop);
    }
    return sum / static_cast<double>(queries.rows());
}

void run(const Options& options) {
    const VectorFile base_file(options.base);
    const VectorFile queries(options.query);
    const Truth truth = read_truth(options.truth);
    const Metric metric = metric_from(options.metric);
    const RecallJudge judge(metric, base_file, queries, truth);
    if (options.head >= base_file.rows()) {
        throw std::runtime_error(
            fmt::format("--head is {}; allowed: fewer than the {} rows", options.head, base_file.rows()));
    }
    const std::vector<uint32_t> order = insertion_order(base_file.rows());
    HeadedGraph graph(metric, {base_file, order}, options.head);
    fmt::print("{}: {} x {}, {}; {}\n", options.base, base_file.rows(), base_file.dimension(), options.metric,
               graph.description());
    // Not timed: these also warm the caches.
    const double graph_recall = recall_of(graph, queries, judge, options.ef, Searched::kGraph);
    const double both_recall = recall_of(graph, queries, judge, options.ef, Searched::kGraphAndHead);
    std::vector<double> search_us;
    std::vector<double> added_us;
    for (size_t round = 0; round < options.rounds; ++round) {
        search_us.push_back(mean_us(graph, queries, options.ef, Searched::kGraph));
        added_us.push_back(mean_us(graph, queries, options.ef, Searched::kGraphAndHead) - search_us.back());
    }
    const auto [lowest, highest] = std::minmax_element(added_us.begin(), added_us.end());
    fmt::print("ef {}: search {:.1f} us; scan of {} rows adds {:.1f} us (rounds {:.1f} to {:.1f})\n",
               options.ef, median(search_us), options.head, median(added_us), *lowest, *highest);
    fmt::print("recall@10: search {:.4f}, search and scan {:.4f}\n", graph_recall, both_recall);
}

int run_program(int argc, char** argv) {
    Options options;
    CLI::App app("measures what a head of rows not linked yet adds to a search", "head_bench");
    app.add_option("--base", options.base, "rows, .fbin")->required();
    app.add_option("--query", options.query, "queries, .fbin")->required();
    app.add_option("--truth", options.truth, "exact neighbours, .ibin")->required();
    app.add_option("--metric", options.metric)->required()->check(CLI::IsMember({"cosine", "dot", "l2"}));
    app.add_option("--head", options.head, "rows not linked")->capture_default_str();
    app.add_option("--ef", options.ef, "width of the search")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--rounds", options.rounds, "timed passes of each kind, in turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    CLI11_PARSE(app, argc, argv);
    try {
        run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "head_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run_program(argc, argv);
}
