// What index_bench prints, and its CSV file. Errors are std::runtime_error.
#pragma once

#include <string>
#include <vector>

#include "bench/index_sweep.h"

namespace akidb::bench {

struct EngineReport {
    std::string engine;
    std::string codec;
    std::string layout;
    std::string description;
    TimeSpent build;
    double peak_rss_mb = 0;
    double bytes_per_vector = 0;
    double original_bytes_per_vector = 0;
    std::vector<EnginePoint> points;
};

void print_build(const EngineReport& report);
void print_points(const EngineReport& report);
/// Queries a second of `ours` over those of `peer` at recall@10 0.90, 0.95, 0.99, then build and memory.
void print_ratios(const EngineReport& ours, const EngineReport& peer);

std::string csv_header();
std::string csv_line(const EngineReport& report, const EnginePoint& point);
/// Appends one line a point; a new or empty file gets the header first.
void append_csv(const std::string& path, const EngineReport& report);

}  // namespace akidb::bench
