#include "bench/contenders.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "bench/brute_force.h"
#include "bench/curve.h"
#include "bench/process_memory.h"

namespace akidb::bench {
namespace {

constexpr uint32_t kOrderSeed = 1;
constexpr double kMegabyte = 1e6;

}  // namespace

std::vector<uint32_t> insertion_order(size_t rows) {
    std::vector<uint32_t> order(rows);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(kOrderSeed));
    return order;
}

void add_set_options(CLI::App& app, SetFiles& files) {
    app.add_option("--base", files.base, "rows, .fbin")->required();
    app.add_option("--query", files.query, "queries, .fbin")->required();
    app.add_option("--truth", files.truth, "exact neighbours, .ibin")->required();
    app.add_option("--metric", files.metric)->required()->check(CLI::IsMember({"cosine", "dot", "l2"}));
}

SearchedSet::SearchedSet(SetFiles files)
    : files_(std::move(files)),
      metric_(metric_from(files_.metric)),
      base_(files_.base),
      queries_(files_.query),
      truth_(read_truth(files_.truth)),
      judge_(metric_, base_, queries_, truth_),
      order_(insertion_order(base_.rows())) {}

void SearchedSet::print_line(size_t rounds) const {
    fmt::print("{}: {} x {}, {}, {} queries, {} rounds; {}, {} cores, compiler {}, searches on one thread\n",
               files_.base, base_.rows(), base_.dimension(), files_.metric, queries_.rows(), rounds,
               processor_name(), std::thread::hardware_concurrency(), __VERSION__);
    std::fflush(stdout);
}

Contender build_contender(OrderedBase base, const EngineOptions& options, const MakeEngine& make) {
    if (!reset_peak()) {
        fmt::print("note: the peak of resident memory cannot be reset here; it is that of the whole run\n");
    }
    const uint64_t before = resident_bytes();
    Contender contender{make(base, options), {}, nullptr};
    IndexEngine& engine = *contender.engine;
    contender.report.build = engine.build();
    contender.report.peak_rss_mb = static_cast<double>(peak_resident_bytes() - before) / kMegabyte;
    contender.report.engine = engine.name();
    contender.report.codec = engine.codec();
    contender.report.layout = engine.layout();
    contender.report.description = engine.description();
    contender.report.bytes_per_vector = engine.bytes_per_vector();
    contender.report.original_bytes_per_vector = engine.original_bytes_per_vector();
    print_build(contender.report);
    return contender;
}

void measure(std::vector<Contender>& contenders, const SearchedSet& set, const Sweeps& sweeps) {
    for (Contender& contender : contenders) {
        contender.sweep =
            std::make_unique<IndexSweep>(*contender.engine, set.base(), set.queries(), set.judge());
        contender.sweep->measure_recall(sweeps.widths);
    }
    fmt::print("recall is known; {} timed rounds follow\n", sweeps.rounds);
    std::fflush(stdout);
    for (size_t round = 0; round < sweeps.rounds; ++round) {
        for (Contender& contender : contenders) {
            contender.sweep->time_round();
        }
    }
    for (Contender& contender : contenders) {
        contender.report.points = contender.sweep->points();
    }
}

double speed_at(const EngineReport& report, double recall) {
    std::vector<CurvePoint> curve;
    for (const EnginePoint& point : report.points) {
        curve.push_back({point.recall10, point.qps});
    }
    const std::optional<Speed> speed = qps_at(curve, recall);
    return speed ? speed->qps : 0;
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown processor";
}

}  // namespace akidb::bench
