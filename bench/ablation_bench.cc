// ablation_bench: what each technique of the index brings: graphs of one set, each with one thing taken away
// or changed, measured in turn in one process with the index as it is. Prints queries a second at two recalls
// as a share of its own, processor time of the build and bytes a vector. One thread; --help lists the
// options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/bench_main.h"
#include "bench/contenders.h"

namespace akidb::bench {
namespace {

constexpr double kRecalls[] = {0.95, 0.99};

struct Options {
    SetFiles files;
    std::vector<size_t> widths{4,  6,  8,   10,  12,  14,  16,  20,  24,   32,  48,
                               64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536};
    size_t rounds = 5;
    std::vector<std::string> only;
};

struct Variant {
    std::string name;
    EngineOptions options;
};

std::vector<Variant> variants(const EngineOptions& as_it_is, size_t dimension) {
    std::vector<Variant> all{{"as it is", as_it_is}};
    const auto add = [&](const char* name, auto change) {
        all.push_back({name, as_it_is});
        change(all.back().options);
    };
    add("walked by floats, no codes", [](EngineOptions& o) { o.walks_floats = true; });
    add("codes of rows (split, 4 bits)", [](EngineOptions& o) { o.layout = "split", o.codec = "4"; });
    add("codes of rows (split, 8 bits)", [](EngineOptions& o) { o.layout = "split", o.codec = "8"; });
    add("the other bits of edge codes", [&](EngineOptions& o) { o.codec = dimension < 384 ? "1" : "4"; });
    add("beams of one width", [](EngineOptions& o) { o.fixed_beams = true; });
    add("small pages", [](EngineOptions& o) { o.small_pages = true; });
    add("kernels for AVX2", [](EngineOptions& o) { o.kernels = "avx2"; });
    add("64 neighbours a row", [](EngineOptions& o) { o.degree = 64; });
    add("build-ef 80", [](EngineOptions& o) { o.build_ef = 80; });
    add("build-ef 320", [](EngineOptions& o) { o.build_ef = 320; });
    add("alpha 1", [](EngineOptions& o) { o.alpha = 1; });
    add("alpha 1.2", [](EngineOptions& o) { o.alpha = 1.2F; });
    return all;
}

std::string share(double of, double whole) {
    return of > 0 && whole > 0 ? fmt::format("{:.2f}x", of / whole) : "-";
}

void print_table(const std::vector<Variant>& tried, const std::vector<Contender>& contenders) {
    const EngineReport& own = contenders.front().report;
    fmt::print("\n{:32} {:>12} {:>8} {:>12} {:>8} {:>10} {:>8}\n", "", "at 0.95", "", "at 0.99", "",
               "build CPU", "bytes");
    for (size_t i = 0; i < contenders.size(); ++i) {
        const EngineReport& report = contenders[i].report;
        fmt::print("{:32}", tried[i].name);
        for (const double recall : kRecalls) {
            const double speed = speed_at(report, recall);
            fmt::print(" {:>10.0f}/s {:>8}", speed, share(speed, speed_at(own, recall)));
        }
        fmt::print(" {:>9.1f}s {:>8.0f}\n", report.build.cpu_s, report.bytes_per_vector);
    }
}

void run(const Options& options) {
    const SearchedSet set(options.files);
    set.print_line(options.rounds);
    EngineOptions as_it_is;
    as_it_is.metric = set.metric();
    std::vector<Variant> tried = variants(as_it_is, set.base().dimension());
    const auto is_left_out = [&](const Variant& variant) {
        const auto is_asked = [&](const std::string& word) {
            return variant.name.find(word) != std::string::npos;
        };
        return !options.only.empty() && variant.name != "as it is" &&
               std::none_of(options.only.begin(), options.only.end(), is_asked);
    };
    std::erase_if(tried, is_left_out);
    std::vector<Contender> contenders;
    for (const Variant& variant : tried) {
        fmt::print("{}: ", variant.name);
        contenders.push_back(build_contender(set.base(), variant.options, make_akidb_engine));
    }
    measure(contenders, set, {options.widths, options.rounds});
    print_table(tried, contenders);
}

int run_program(int argc, char** argv) {
    Options options;
    CLI::App app("measures the index with one technique taken away at a time", "ablation_bench");
    add_set_options(app, options.files);
    app.add_option("--ef", options.widths, "widths to measure, a rising list with commas")
        ->delimiter(',')
        ->check(CLI::Range(1, 100'000));
    app.add_option("--rounds", options.rounds, "timed sweeps of each, in turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--only", options.only, "words of the lines wanted, a list with commas")->delimiter(',');
    return bench_main(app, "ablation_bench", argc, argv, [&] { run(options); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run_program(argc, argv);
}
