#include "bench/index_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace akidb::bench {
namespace {

template <class SpeedOf>
std::vector<CurvePoint> curve_of(const EngineReport& report, SpeedOf speed_of) {
    std::vector<CurvePoint> curve;
    for (const EnginePoint& point : report.points) {
        curve.push_back({point.recall10, speed_of(point)});
    }
    return curve;
}

// Ratios within each round, lowest and highest: what drifts from round to round is in both engines alike.
std::string range_of_rounds(const EngineReport& ours, const EngineReport& peer, double recall) {
    std::vector<double> ratios;
    for (size_t round = 0; round < ours.points.front().round_qps.size(); ++round) {
        const auto of_round = [&](const EnginePoint& point) { return point.round_qps[round]; };
        const auto fast = qps_at(curve_of(ours, of_round), recall);
        const auto slow = qps_at(curve_of(peer, of_round), recall);
        if (!fast || !slow) {
            return "";
        }
        ratios.push_back(fast->qps / slow->qps);
    }
    const auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
    return fmt::format("rounds {:.2f} to {:.2f}", *lowest, *highest);
}

// A speed that is only known to be at least this bears a sign.
std::string text_of(const std::optional<Speed>& speed) {
    return speed ? fmt::format("{}{:.0f}", speed->is_leftmost ? ">=" : "", speed->qps) : "not reached";
}

std::string ratio_of(const std::optional<Speed>& ours, const std::optional<Speed>& peer) {
    if (!ours || !peer) {
        return "-";
    }
    const bool is_bound = ours->is_leftmost || peer->is_leftmost;
    return fmt::format("{}{:.2f}x", is_bound ? "about " : "", ours->qps / peer->qps);
}

}  // namespace

void print_build(const EngineReport& report) {
    fmt::print("{} {} {}: {}\n", report.engine, report.codec, report.layout, report.description);
    fmt::print(
        "  build {:.1f} CPU-s, {:.1f} s; peak RSS {:.0f} MB; {:.0f} bytes a vector; originals kept apart "
        "{:.0f}\n",
        report.build.cpu_s, report.build.wall_s, report.peak_rss_mb, report.bytes_per_vector,
        report.original_bytes_per_vector);
    std::fflush(stdout);
}

void print_points(const EngineReport& report) {
    fmt::print("{} {} {}\n", report.engine, report.codec, report.layout);
    fmt::print(
        "    ef  recall@1      @10     @100    queries/s  spread  by CPU    p50 us    p99 us  distances\n");
    for (const EnginePoint& point : report.points) {
        fmt::print(
            "{:6}    {:.4f}   {:.4f}   {:.4f}    {:9.0f}  {:5.1f}%  {:6.0f}  {:8.1f}  {:8.1f}  {:9.0f}\n",
            point.ef, point.recall1, point.recall10, point.recall100, point.qps, point.spread * 100,
            point.qps_cpu, point.p50_us, point.p99_us, point.distances);
    }
    std::fflush(stdout);
}

void print_ratios(const EngineReport& ours, const EngineReport& peer) {
    fmt::print("{} over {}\n", ours.engine, peer.engine);
    const auto clock = [](const EnginePoint& point) { return point.qps; };
    const auto processor = [](const EnginePoint& point) { return point.qps_cpu; };
    for (const double recall : {0.90, 0.95, 0.99}) {
        const auto fast = qps_at(curve_of(ours, clock), recall);
        const auto slow = qps_at(curve_of(peer, clock), recall);
        const std::string cpu =
            ratio_of(qps_at(curve_of(ours, processor), recall), qps_at(curve_of(peer, processor), recall));
        fmt::print("  queries/s at recall@10 {:.2f}: {:>11} ({} / {}), {}; by processor time {}\n", recall,
                   ratio_of(fast, slow), text_of(fast), text_of(slow), range_of_rounds(ours, peer, recall),
                   cpu);
    }
    fmt::print("  build CPU-seconds:             {:>10.2f}x ({:.1f} / {:.1f})\n",
               ours.build.cpu_s / peer.build.cpu_s, ours.build.cpu_s, peer.build.cpu_s);
    fmt::print("  bytes a vector:                {:>10.2f}x ({:.0f} / {:.0f})\n",
               ours.bytes_per_vector / peer.bytes_per_vector, ours.bytes_per_vector, peer.bytes_per_vector);
    std::fflush(stdout);
}

std::string csv_header() {
    return "engine,codec,layout,ef,recall1,recall10,recall100,qps,p50_us,p99_us,distances,build_cpu_s,"
           "peak_rss_mb,bytes_per_vector\n";
}

std::string csv_line(const EngineReport& report, const EnginePoint& point) {
    return fmt::format("{},{},{},{},{:.4f},{:.4f},{:.4f},{:.1f},{:.1f},{:.1f},{:.1f},{:.2f},{:.1f},{:.1f}\n",
                       report.engine, report.codec, report.layout, point.ef, point.recall1, point.recall10,
                       point.recall100, point.qps, point.p50_us, point.p99_us, point.distances,
                       report.build.cpu_s, report.peak_rss_mb, report.bytes_per_vector);
}

void append_csv(const std::string& path, const EngineReport& report) {
    std::ofstream file(path, std::ios::app | std::ios::ate);
    if (file.tellp() == std::ofstream::pos_type(0)) {
        file << csv_header();
    }
    for (const EnginePoint& point : report.points) {
        file << csv_line(report, point);
    }
    file.flush();
    if (!file) {
        throw std::runtime_error("writing " + path + " failed");
    }
}

}  // namespace akidb::bench
