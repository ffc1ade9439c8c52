#include "bench/index_sweep.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kTop = 10;
constexpr size_t kDeepTop = 100;
constexpr double kEnoughRecall = 0.995;  // nothing is read from the curve above 0.99

}  // namespace

IndexSweep::IndexSweep(IndexEngine& engine, OrderedBase base, const VectorFile& queries,
                       const RecallJudge& judge)
    : engine_(engine), base_(base), queries_(queries), judge_(judge) {}

std::vector<uint32_t> IndexSweep::found_rows(size_t query, Width width) {
    engine_.search(queries_.row(query), width, positions_);
    std::vector<uint32_t> rows;
    for (const uint32_t position : positions_) {
        rows.push_back(base_.order[position]);
    }
    return rows;
}

EnginePoint IndexSweep::recall_of_width(size_t ef) {
    EnginePoint point{.ef = ef};
    const size_t deep = std::min(kDeepTop, judge_.k_max());
    for (size_t query = 0; query < queries_.rows(); ++query) {
        const auto found = found_rows(query, {.k = kTop, .ef = ef});
        point.recall1 += judge_.recall(query, found, 1);
        point.recall10 += judge_.recall(query, found, kTop);
        const auto deep_found = found_rows(query, {.k = deep, .ef = std::max(ef, deep)});
        point.recall100 += judge_.recall(query, deep_found, deep);
        point.distances +=
            static_cast<double>(engine_.count_distances(queries_.row(query), {.k = kTop, .ef = ef}));
    }
    const auto number = static_cast<double>(queries_.rows());
    for (double* const sum : {&point.recall1, &point.recall10, &point.recall100, &point.distances}) {
        *sum /= number;
    }
    return point;
}

void IndexSweep::measure_recall(const std::vector<size_t>& widths) {
    for (const size_t ef : widths) {
        if (ef < engine_.narrowest_ef(kTop)) {
            continue;
        }
        points_.push_back(recall_of_width(ef));
        if (points_.back().recall10 >= kEnoughRecall) {
            break;
        }
    }
    if (points_.empty()) {
        throw std::runtime_error("every --ef is below what " + engine_.name() + " does for k 10");
    }
    timings_.resize(points_.size());
}

// Another engine ran since the last round: its rows are in the caches, and the system may have taken pages of
// ours.
void IndexSweep::warm_up() {
    const Width width{.k = kTop, .ef = points_[points_.size() / 2].ef};
    for (size_t query = 0; query < queries_.rows(); ++query) {
        engine_.search(queries_.row(query), width, positions_);
    }
}

void IndexSweep::time_round() {
    warm_up();
    std::vector<double> times_us(queries_.rows());
    for (size_t i = 0; i < points_.size(); ++i) {
        const Width width{.k = kTop, .ef = points_[i].ef};
        const Timer timer(Timer::Of::kThread);
        auto before = Clock::now();
        for (size_t query = 0; query < queries_.rows(); ++query) {
            engine_.search(queries_.row(query), width, positions_);
            const auto after = Clock::now();
            times_us[query] = std::chrono::duration<double, std::micro>(after - before).count();
            before = after;
        }
        const TimeSpent spent = timer.elapsed();
        timings_[i].qps.push_back(static_cast<double>(queries_.rows()) / spent.wall_s);
        timings_[i].qps_cpu.push_back(static_cast<double>(queries_.rows()) / spent.cpu_s);
        timings_[i].p50_us.push_back(quantile(times_us, 0.5));
        timings_[i].p99_us.push_back(quantile(times_us, 0.99));
    }
}

std::vector<EnginePoint> IndexSweep::points() const {
    std::vector<EnginePoint> points = points_;
    for (size_t i = 0; i < points.size(); ++i) {
        const Timing& timing = timings_[i];
        const auto [lowest, highest] = std::minmax_element(timing.qps.begin(), timing.qps.end());
        points[i].round_qps = timing.qps;
        points[i].qps = median(timing.qps);
        points[i].qps_cpu = median(timing.qps_cpu);
        points[i].p50_us = median(timing.p50_us);
        points[i].p99_us = median(timing.p99_us);
        points[i].spread = (*highest - *lowest) / points[i].qps;
    }
    return points;
}

}  // namespace akidb::bench
