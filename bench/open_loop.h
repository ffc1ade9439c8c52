// Open-loop load: requests leave by a timetable, not when the answer before them arrives, and each latency
// counts from the moment the request was due. So a server that stalls is charged for everyone who would have
// waited: closed loops hide exactly that ("coordinated omission", Tene 2013). Times are milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/http_client.h"

namespace akidb::bench {

struct LoadPlan {
    support::Endpoint endpoint;
    std::string path;                 // of the search route
    std::vector<std::string> bodies;  // sent in turn
    double rate = 100;                // requests a second, all connections together
    double seconds = 10;
    size_t connections = 4;
    bool poisson = false;  // exponential gaps as of independent users; else equal gaps
};

struct LoadResult {
    double rate = 0;
    uint64_t sent = 0;
    uint64_t errors = 0;  // any answer but 200, or none
    double seconds = 0;   // from the first due time to the last answer
    double p50_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
    double achieved() const { return seconds > 0 ? static_cast<double>(sent - errors) / seconds : 0; }
};

LoadResult run_load(const LoadPlan& plan);

}  // namespace akidb::bench
