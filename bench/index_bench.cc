// index_bench: builds the graph of a file of vectors with the class the engine uses and prints, for each beam
// width, recall@10 against the exact answer and what a search costs. One thread. Queries are rows held out by
// a seeded shuffle, which also puts the base into random order.
//
//   index_bench --base F.fbin [--metric cosine|dot|l2] [--queries 1000] [--ef 16,32,64] [--rows N] [--degree
//   32]
//               [--build-ef 128] [--alpha 1.04] [--seed 1] [--pages large|small]
//
// F.fbin: u32 rows, u32 dimension, then rows × dimension f32, little-endian. Times are wall clock, in
// microseconds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "bench/vector_file.h"
#include "index/flat_scan.h"
#include "index/graph.h"
#include "index/pages.h"

namespace {

using akidb::bench::VectorFile;
using akidb::index::Candidate;
using akidb::index::Graph;
using akidb::index::GraphOptions;
using akidb::index::Pages;
using akidb::index::Rows;
using akidb::index::SearchCost;
using akidb::index::SearchScratch;
using akidb::index::TopK;
using Clock = std::chrono::steady_clock;

constexpr size_t kTop = 10;

struct Options {
    std::map<std::string, std::string> values{
        {"base", ""},  {"metric", "cosine"}, {"queries", "1000"}, {"ef", "16,32,48,64,96,128,192,256,512"},
        {"rows", "0"}, {"degree", "32"},     {"build-ef", "128"}, {"alpha", "1.04"},
        {"seed", "1"}, {"pages", "large"},
    };
    uint32_t number(const std::string& name) const {
        return static_cast<uint32_t>(std::strtoul(values.at(name).c_str(), nullptr, 10));
    }
};

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "index_bench: %s\n", message.c_str());
    std::exit(2);
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string name =
            std::string(argv[i]).substr(std::min<size_t>(2, std::string(argv[i]).size()));
        if (i + 1 == argc || !options.values.contains(name)) {
            fail("unknown option, or one without a value: " + std::string(argv[i]));
        }
        options.values[name] = argv[i + 1];
    }
    if (options.values["base"].empty()) {
        fail("--base F.fbin is missing");
    }
    return options;
}

std::vector<uint32_t> parse_list(const std::string& text) {
    std::vector<uint32_t> list;
    for (size_t at = 0; at < text.size(); at = std::min(text.find(',', at), text.size() - 1) + 1) {
        list.push_back(static_cast<uint32_t>(std::strtoul(text.c_str() + at, nullptr, 10)));
    }
    return list;
}

struct DataSet {
    Rows rows;
    std::vector<Pages> chunks;
    uint32_t count = 0;
    std::vector<std::vector<float>> queries;
};

void fill(DataSet& data, const VectorFile& vectors, const Options& options) {
    const auto total = static_cast<uint32_t>(vectors.rows());
    std::vector<uint32_t> order(total);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(options.number("seed")));
    const uint32_t held_out = std::min(options.number("queries"), total / 2);
    data.count = total - held_out;
    if (options.number("rows") != 0) {
        data.count = std::min(data.count, options.number("rows"));
    }
    const auto size = options.values.at("pages") == "small" ? Pages::Size::kSmall : Pages::Size::kLarge;
    const size_t stride = data.rows.stride();
    float* chunk = nullptr;
    for (uint32_t i = 0; i < data.count; ++i) {
        const uint32_t within = i % akidb::index::kRowsPerChunk;
        if (within == 0) {
            data.chunks.emplace_back(akidb::index::kRowsPerChunk * stride * sizeof(float), size);
            chunk = static_cast<float*>(data.chunks.back().data());
            data.rows.set_chunk(i >> akidb::index::kChunkShift, chunk);
        }
        akidb::index::encode_row(data.rows.metric(), vectors.row(order[i]),
                                 std::span(chunk + within * stride, stride));
    }
    for (uint32_t i = total - held_out; i < total; ++i) {
        data.queries.emplace_back(stride);
        akidb::index::encode_query(data.rows.metric(), vectors.row(order[i]), data.queries.back());
    }
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr auto kAcceptAll = [](uint32_t) { return true; };

std::vector<std::vector<Candidate>> exact_answers(const DataSet& data) {
    std::vector<std::vector<Candidate>> answers;
    TopK best(kTop);
    const auto start = Clock::now();
    for (const auto& query : data.queries) {
        akidb::index::scan_range(data.rows, query.data(), 0, data.count, kAcceptAll, best);
        answers.push_back(best.take_sorted());
    }
    const double mean_us = seconds_since(start) * 1e6 / static_cast<double>(data.queries.size());
    std::printf("exact: mean %.0f us, %.1f ns a row\n", mean_us, mean_us * 1e3 / data.count);
    return answers;
}

void measure(const DataSet& data, const Graph& graph, uint32_t ef,
             const std::vector<std::vector<Candidate>>& exact) {
    SearchScratch scratch;
    TopK best(kTop);
    std::vector<double> times;
    size_t hits = 0;
    uint64_t distances = 0;
    uint64_t hops = 0;
    for (size_t i = 0; i < data.queries.size(); ++i) {
        const auto start = Clock::now();
        const SearchCost cost =
            graph.search(data.queries[i].data(), ef, data.count, kAcceptAll, scratch, best);
        const auto found = best.take_sorted();
        times.push_back(seconds_since(start) * 1e6);
        distances += cost.distances;
        hops += cost.hops;
        // By distance and not by ordinal: copies of a row are as good as the row.
        hits +=
            static_cast<size_t>(std::count_if(found.begin(), found.end(), [&](const Candidate& candidate) {
                return candidate.distance <= exact[i].back().distance;
            }));
    }
    const double number = static_cast<double>(times.size());
    const double mean = std::accumulate(times.begin(), times.end(), 0.0) / number;
    std::sort(times.begin(), times.end());
    std::printf("%5u  %.4f  %8.0f  %8.0f  %8.0f  %9.0f  %6.0f\n", ef,
                static_cast<double>(hits) / (number * static_cast<double>(kTop)), mean,
                times[times.size() / 2], times[times.size() * 99 / 100],
                static_cast<double>(distances) / number, static_cast<double>(hops) / number);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    const auto metric = options.values.at("metric") == "cosine" ? akidb::model::Metric::kCosine
                        : options.values.at("metric") == "dot"  ? akidb::model::Metric::kDot
                                                                : akidb::model::Metric::kL2;
    const VectorFile vectors(options.values.at("base"));
    const auto dimension = static_cast<uint32_t>(vectors.dimension());
    DataSet data{Rows(metric, dimension), {}, 0, {}};
    fill(data, vectors, options);
    if (data.count < kTop || data.queries.empty()) {
        fail("too few rows");
    }
    Graph graph(data.rows,
                GraphOptions{.degree = options.number("degree"),
                             .build_ef = options.number("build-ef"),
                             .alpha = static_cast<float>(std::atof(options.values.at("alpha").c_str()))});
    SearchScratch scratch;
    const auto start = Clock::now();
    const std::clock_t processor_start = std::clock();
    graph.link(
        data.count, [] { return false; }, scratch);
    const double seconds = seconds_since(start);
    const double processor_seconds = static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC;
    std::printf(
        "%u rows of %u, kernels %s: built in %.1f s, %.0f rows/s (%.1f s of processor), %u unreachable\n",
        data.count, dimension, data.rows.kernels().name, seconds, data.count / seconds, processor_seconds,
        graph.count_unreachable());
    const auto exact = exact_answers(data);
    std::printf("   ef  recall   mean us    p50 us    p99 us  distances    hops\n");
    for (const uint32_t ef : parse_list(options.values.at("ef"))) {
        measure(data, graph, ef, exact);
    }
    return 0;
}
