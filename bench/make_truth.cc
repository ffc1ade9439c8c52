// make_truth: exact neighbours of a file of queries, as a file (bench/truth.h).
//   make_truth --base F.fbin --query F.fbin --truth OUT.ibin --metric cosine|dot|l2 [--k 100]
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include "bench/truth.h"

namespace {

struct Options {
    std::string base;
    std::string query;
    std::string truth;
    std::string metric;
    size_t k = 100;
};

void run(const Options& options) {
    const auto metric = akidb::bench::metric_from(options.metric);
    const akidb::bench::VectorFile base(options.base);
    const akidb::bench::VectorFile queries(options.query);
    const auto start = std::chrono::steady_clock::now();
    const auto truth = akidb::bench::exact_truth(metric, base, queries, options.k);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    akidb::bench::write_truth(options.truth, truth);
    std::printf("%zu x %zu, %zu queries, k %zu, %s: exact in %.1f s; intrinsic dimension (median) %.1f\n",
                base.rows(), base.dimension(), queries.rows(), truth.k, options.metric.c_str(),
                seconds.count(), akidb::bench::median_intrinsic_dimension(metric, base, queries, truth));
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("exact neighbours of a file of queries");
    app.add_option("--base", options.base, "rows, .fbin")->required();
    app.add_option("--query", options.query, "queries, .fbin")->required();
    app.add_option("--truth", options.truth, "written: .ibin")->required();
    app.add_option("--metric", options.metric)->required()->check(CLI::IsMember({"cosine", "dot", "l2"}));
    app.add_option("--k", options.k, "neighbours a query")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
    CLI11_PARSE(app, argc, argv);
    try {
        run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "make_truth: %s\n", error.what());
        return 1;
    }
    return 0;
}
