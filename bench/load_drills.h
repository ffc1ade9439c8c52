// What the load suite rehearses beside speed: a server that is told to end under load, one that is given
// settings it must refuse, and probes that are asked while it works. Each starts a server of its own.
#pragma once

#include <vector>

#include "bench/load_report.h"
#include "bench/load_set.h"

namespace akidb::bench {

struct DrillPlan {
    double rate = 500;
    double seconds = 6;  // before SIGTERM
    size_t rows = 10'000;
    size_t connections = 16;
    std::string metric = "cosine";
};

/// SIGTERM under load with probes polled from the start, then starts with settings that are wrong.
std::vector<Drill> run_drills(LoadSet& set, const DrillPlan& plan);

}  // namespace akidb::bench
