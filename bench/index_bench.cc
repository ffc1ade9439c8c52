// index_bench: builds the graph of a file of vectors with the class that the engine uses, and measures
// recall, speed and cost of searching it at several widths (ef) on one thread; beside a peer if wanted, both
// in this process and in turn. bench/README.md says what each figure means; --help lists the options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/contenders.h"

namespace akidb::bench {
namespace {

struct Options {
    SetFiles files;
    EngineOptions engine;
    std::vector<size_t> widths{4,   6,   8,   10,  16,  24,  32,   48,   64,  96,
                               128, 192, 256, 384, 512, 768, 1024, 1536, 2048};
    std::string peer;
    size_t rounds = 5;
    std::string csv;
};

void run(const Options& options) {
    const SearchedSet set(options.files);
    set.print_line(options.rounds);
    EngineOptions engine = options.engine;
    engine.metric = set.metric();
    std::vector<Contender> contenders;
    contenders.push_back(build_contender(set.base(), engine, make_akidb_engine));
    if (!options.peer.empty()) {
        contenders.push_back(build_contender(set.base(), engine, make_hnswlib_engine));
    }
    measure(contenders, set, {options.widths, options.rounds});
    for (const Contender& contender : contenders) {
        print_points(contender.report);
        if (!options.csv.empty()) {
            append_csv(options.csv, contender.report);
        }
    }
    if (contenders.size() > 1) {
        print_ratios(contenders.front().report, contenders.back().report);
    }
}

void add_options(CLI::App& app, Options& options) {
    EngineOptions& engine = options.engine;
    add_set_options(app, options.files);
    app.add_option("--storage", engine.storage, "of the rows that results are compared by: f32, f16 or int8")
        ->capture_default_str();
    app.add_option("--codec", engine.codec, "bits a component of the codes that walks go by")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "1", "4", "8"}));
    app.add_option("--layout", engine.layout, "codes of rows, or of edges with each row")
        ->capture_default_str()
        ->check(CLI::IsMember({"split", "turbo"}));
    app.add_option("--degree", engine.degree, "neighbours a row")
        ->capture_default_str()
        ->check(CLI::IsMember({32, 64}));
    app.add_option("--build-ef", engine.build_ef, "width while linking")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    app.add_option("--alpha", engine.alpha, "of the pruning")
        ->capture_default_str()
        ->check(CLI::Range(1.0, 2.0));
    app.add_flag("--fixed-beams", engine.fixed_beams, "walks visit as many rows for each query");
    app.add_option("--threads", engine.threads, "that build, ours and the peer")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    app.add_option("--ef", options.widths, "widths to measure, a list with commas")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--peer", options.peer, "measure beside it")->check(CLI::IsMember({"hnswlib"}));
    app.add_option("--peer-index", engine.peer_index, "file that keeps the peer's index between runs");
    app.add_option("--rounds", options.rounds, "timed sweeps of each engine, in turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--csv", options.csv, "file to append the points to");
}

// CLI11 looks for missing options before unknown ones, and so would not name the one that was mistyped.
std::string unknown_option(const CLI::App& app, std::span<char* const> words) {
    for (const std::string_view word : words) {
        const std::string name(word.substr(0, word.find('=')));
        if (name.starts_with("--") && app.get_option_no_throw(name) == nullptr) {
            return name;
        }
    }
    return "";
}

int run_program(int argc, char** argv) {
    Options options;
    CLI::App app("measures the index alone, beside a peer if wanted", "index_bench");
    add_options(app, options);
    const std::string unknown = unknown_option(app, {argv + 1, argv + argc});
    if (!unknown.empty()) {
        std::fprintf(stderr, "index_bench: no option %s\n%s", unknown.c_str(), app.help().c_str());
        return 64;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "index_bench: %s\n%s", error.what(), app.help().c_str());
        return 64;
    }
    try {
        std::sort(options.widths.begin(), options.widths.end());
        run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "index_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run_program(argc, argv);
}
