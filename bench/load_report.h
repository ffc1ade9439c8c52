// LoadReport: what the load suite found, for people (Markdown, two plots as SVG) and for programs (JSON). The
// figures are held beside what they were measured with: machine, flags, data. Milliseconds. Not thread-safe.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/wire_load.h"

namespace akidb::bench {

struct Percentiles {
    double p50_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
};
/// `latency_us` may come in any order.
Percentiles percentiles_of(std::vector<uint32_t> latency_us);

/// One rung: searches at one rate, beside the echo of the same bytes in the same run.
struct Rung {
    std::string data;
    std::string protocol;
    double rate = 0;  // 0: as fast as the connections go, each waiting for its answer
    double served = 0;
    uint64_t requests = 0;
    uint64_t errors = 0;
    Percentiles akidb;
    Percentiles echo;
    double recall = 0;
    double client_cores = 0;  // of processor time the client took while it drove the server
};

struct ScenarioResult {
    std::string name;
    std::string data;
    std::string load;
    uint64_t requests = 0;
    uint64_t errors = 0;
    uint64_t cut = 0;
    Percentiles searches;
    Percentiles writes;
    double recall = 0;
    size_t judged = 0;
    double resident_mib = 0;
    double p95_ms_max = 0;
    double error_share_max = 0;
    bool takes_server_away = false;  // cut requests are what is looked at
    std::string note;
    bool holds_errors() const;
};

struct Drill {
    std::string name;
    bool is_passed = false;
    std::string found;
};

struct LoadReport {
    std::vector<std::pair<std::string, std::string>> setting;  // machine, build, flags, data
    std::vector<Rung> rungs;
    std::vector<ScenarioResult> scenarios;
    std::vector<Drill> drills;

    uint64_t requests() const;
    /// Errors and cut requests, but for those of scenarios that take the server away.
    uint64_t errors() const;
    std::string markdown() const;
    nlohmann::json json() const;
    /// P95 by rate, of AkiDB and of the echo, for the rungs over `data`; both axes logarithmic.
    std::string plot(const std::string& data) const;
    /// Writes report.md, report.json and a plot for each data into `directory`, which it makes.
    void write(const std::string& directory) const;
};

}  // namespace akidb::bench
