// two_graphs_bench: one graph that new rows are linked into, as AkiDB has it, against the fall-back of at
// most two: a graph that stays as it was built, a young one for the rows since, and both built anew as one
// when the young one has grown to a share of the old. Prints queries a second at two recalls as a share of
// the one graph's, and what the processor pays for each row until it is where it stays. One thread; --help
// lists the options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench_main.h"
#include "bench/chunked_rows.h"
#include "bench/contenders.h"
#include "index/graph.h"

namespace akidb::bench {
namespace {

constexpr double kRecalls[] = {0.95, 0.99};

struct Options {
    SetFiles files;
    std::vector<double> shares{0.1, 0.25, 0.5, 1};
    std::vector<size_t> widths{8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536};
    size_t rounds = 5;
};

/// A graph over its own rows.
struct Part {
    Part(OrderedBase base, const EngineOptions& options)
        : rows(options.metric, base),
          graph(rows.rows(), index::GraphOptions{}.for_rows(rows.count(), rows.rows().dimension())) {}

    void build(index::SearchScratch& scratch) {
        const auto never = [] { return false; };
        graph.encode(rows.count(), never);
        graph.link(rows.count(), never, scratch);
    }

    ChunkedRows rows;
    index::Graph graph;
};

/// Graphs over one part of the order each; every search asks all with the same ef.
class PartedEngine : public IndexEngine {
  public:
    PartedEngine(OrderedBase base, const EngineOptions& options, const std::vector<size_t>& sizes) {
        for (size_t first = 0; const size_t size : sizes) {
            firsts_.push_back(static_cast<uint32_t>(first));
            parts_.push_back(
                std::make_unique<Part>(OrderedBase{base.file, base.order.subspan(first, size)}, options));
            first += size;
        }
        query_.resize(parts_.front()->rows.rows().query_size());
    }

    std::string name() const override { return "akidb"; }
    std::string codec() const override { return fmt::format("{}bit", parts_.front()->graph.options().bits); }
    std::string layout() const override {
        return parts_.front()->graph.options().layout == index::Layout::kTurbo ? "turbo" : "split";
    }
    std::string description() const override {
        std::string sizes;
        for (const auto& part : parts_) {
            sizes += fmt::format("{}{}", sizes.empty() ? "" : " + ", part->rows.count());
        }
        return "graphs of " + sizes + " rows";
    }

    TimeSpent build() override {
        const Timer timer;
        for (const auto& part : parts_) {
            part->build(scratch_);
        }
        return timer.elapsed();
    }

    size_t narrowest_ef(size_t /*k*/) const override { return 1; }

    void search(std::span<const float> query, Width width, std::vector<uint32_t>& positions) override {
        run(query, width);
        std::sort(found_.begin(), found_.end());
        found_.resize(std::min(found_.size(), width.k));
        positions.clear();
        for (const index::Candidate& candidate : found_) {
            positions.push_back(candidate.ordinal);
        }
    }

    uint64_t count_distances(std::span<const float> query, Width width) override { return run(query, width); }

    double bytes_per_vector() const override {
        uint64_t bytes = 0;
        uint64_t rows = 0;
        for (const auto& part : parts_) {
            bytes += part->graph.memory_bytes();
            rows += part->rows.count();
        }
        return static_cast<double>(bytes) / static_cast<double>(rows);
    }
    double original_bytes_per_vector() const override {
        return static_cast<double>(parts_.front()->rows.rows().row_bytes());
    }

  private:
    /// Leaves what all parts found in found_, in no order, by positions in the whole.
    uint64_t run(std::span<const float> query, Width width) {
        index::encode_query(parts_.front()->rows.rows().metric(), query, query_);
        found_.clear();
        uint64_t distances = 0;
        for (size_t i = 0; i < parts_.size(); ++i) {
            best_.reset(width.k);
            const index::SearchCost cost = parts_[i]->graph.search(
                query_.data(), static_cast<uint32_t>(width.ef), parts_[i]->rows.count(),
                [](uint32_t) { return true; }, scratch_, best_);
            distances += uint64_t{cost.distances} + cost.exact;
            for (const index::Candidate& candidate : best_.take_sorted()) {
                found_.push_back({candidate.distance, candidate.ordinal + firsts_[i]});
            }
        }
        return distances;
    }

    std::vector<uint32_t> firsts_;
    std::vector<std::unique_ptr<Part>> parts_;
    index::SearchScratch scratch_;
    index::TopK best_{1};
    std::vector<index::Candidate> found_;
    std::vector<float> query_;
};

/// How often a row is linked in a collection that only grows, when the young graph is taken into the whole at
/// `share` of the old one: once into the young one, and in every rebuild of a series in which each is larger
/// by the share.
double links_per_row(double share) {
    return 1 + (1 + share) / share;
}

void print_table(const Options& options, const std::vector<Contender>& contenders) {
    const EngineReport& one = contenders.front().report;
    fmt::print("\n{:28} {:>12} {:>7} {:>12} {:>7} {:>18} {:>8}\n", "", "at 0.95", "", "at 0.99", "",
               "CPU of all links", "bytes");
    for (size_t i = 0; i < contenders.size(); ++i) {
        const EngineReport& report = contenders[i].report;
        const double share = i == 0 ? 0 : options.shares[i - 1];
        fmt::print("{:28}", i == 0 ? "one graph, appended to"
                                   : fmt::format("two, the young {:.0f} % of old", share * 100));
        for (const double recall : kRecalls) {
            const double speed = speed_at(report, recall);
            fmt::print(" {:>10.0f}/s {:>6.2f}x", speed, speed / speed_at(one, recall));
        }
        const double links = i == 0 ? 1 : links_per_row(share);
        fmt::print(" {:>10.1f}s {:>5.1f}x {:>8.0f}\n", one.build.cpu_s * links, links,
                   report.bytes_per_vector);
    }
    fmt::print(
        "CPU of all links: until every row has come from nothing, with the young graph taken in whenever it "
        "has "
        "that share.\n");
}

void run(const Options& options) {
    const SearchedSet set(options.files);
    set.print_line(options.rounds);
    EngineOptions engine_options;
    engine_options.metric = set.metric();
    const OrderedBase base = set.base();
    std::vector<Contender> contenders;
    const auto add = [&](const std::vector<size_t>& sizes) {
        contenders.push_back(
            build_contender(base, engine_options, [&](OrderedBase rows, const EngineOptions& wanted) {
                return std::make_unique<PartedEngine>(rows, wanted, sizes);
            }));
    };
    add({base.rows()});
    for (const double share : options.shares) {
        const auto young = static_cast<size_t>(static_cast<double>(base.rows()) * share / (1 + share));
        add({base.rows() - young, young});
    }
    measure(contenders, set, {options.widths, options.rounds});
    print_table(options, contenders);
}

int run_program(int argc, char** argv) {
    Options options;
    CLI::App app("one graph that is appended to against at most two", "two_graphs_bench");
    add_set_options(app, options.files);
    app.add_option("--shares", options.shares, "sizes of the young graph, of the old one, with commas")
        ->delimiter(',')
        ->check(CLI::Range(0.01, 1.0));
    app.add_option("--ef", options.widths, "widths to measure, a rising list with commas")
        ->delimiter(',')
        ->check(CLI::Range(1, 100'000));
    app.add_option("--rounds", options.rounds, "timed sweeps of each, in turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    return bench_main(app, "two_graphs_bench", argc, argv, [&] { run(options); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run_program(argc, argv);
}
