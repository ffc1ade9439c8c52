// The eight scenarios of the load suite: what is asked how often of which documents. The rates, mixes and
// limits are those that the older system published for scenarios of the same names; the time of each is the
// caller's. Writes never change what the nearest of the loaded rows are: updates write the row that is there,
// inserts and deletes are of rows kept back from the load. So one exact truth holds all through a run. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/vector_file.h"
#include "support/http_client.h"

namespace akidb::bench {

/// Percent of the requests; together 100.
struct Mix {
    unsigned searches = 100;
    unsigned inserts = 0;
    unsigned updates = 0;
    unsigned deletes = 0;
    unsigned patches = 0;  // of metadata alone
};

enum class Disturbance : uint8_t { kNone, kKill, kCollections };

struct Scenario {
    const char* name;
    size_t rows;  // documents of each collection, where the data has as many
    size_t collections;
    Mix mix;
    std::vector<double> rates;  // requests a second, each for an equal share of the time
    double p95_ms_max;
    double error_share_max;
    Disturbance disturbance;
};

const std::vector<Scenario>& load_scenarios();
/// The rate at `seconds` of a run of `length` seconds.
double rate_of(const std::vector<double>& rates, double seconds, double length);

enum class Asked : uint8_t { kSearch, kWrite };

/// Requests to send in turn; `queries[i]` is the row of the query where kinds[i] is a search.
struct RequestMix {
    std::vector<std::string> requests;
    std::vector<Asked> kinds;
    std::vector<size_t> queries;
    std::vector<int64_t> inserts;  // the row that it inserts, -1 of other requests
};

struct MixSource {
    support::Endpoint endpoint;
    std::span<const std::string> collections;
    const VectorFile& vectors;  // rows from `loaded` on are kept back from the load
    size_t loaded = 0;
    const VectorFile& queries;
    size_t k = 10;
};

RequestMix make_mix(const MixSource& source, const Mix& mix, size_t count);

}  // namespace akidb::bench
