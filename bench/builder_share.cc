#include "bench/builder_share.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "bench/rest_collection.h"
#include "bench/upsert_bodies.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 1'000;
constexpr size_t kQueries = 1'000;
constexpr size_t kConnections = 8;
constexpr double kShareBar = 0.15;  // of one core, on two that searches fill
constexpr const char* kName = "backlog";
constexpr const char* kThreads = "maintenance";

struct Linked {
    double rows_per_second = 0;
    double core_share = 0;
};

class Backlog {
  public:
    Backlog(BenchServer& server, const VectorFile& vectors, size_t rows) : server_(server) {
        server_.create(kName, vectors.dimension(), "cosine");
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.seconds = 3600;
        plan.requests = upsert_requests(plan.endpoint, kName, vectors, {0, rows}, kBatch);
        plan.requests_max = plan.requests.size();
        if (run_wire_load(plan).errors > 0) {
            throw std::runtime_error("writes were refused");
        }
    }

    /// Over what `meanwhile` takes; throws when everything was linked before its end.
    template <class Work>
    Linked during(Work meanwhile) {
        RestCollection collection(server_.url(), kName);
        const uint64_t linked = collection.facts().linked_rows;
        const double spent = server_.thread_seconds(kThreads);
        const auto begin = Clock::now();
        meanwhile();
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        const double spent_after = server_.thread_seconds(kThreads);
        const CollectionFacts facts = collection.facts();
        if (facts.head_rows == 0) {
            throw std::runtime_error(
                "all rows were linked before the measurement ended: more vectors are needed");
        }
        return {static_cast<double>(facts.linked_rows - linked) / seconds, (spent_after - spent) / seconds};
    }

  private:
    BenchServer& server_;
};

}  // namespace

void measure_builder_share(BenchServer& server, const std::string& searched, const VectorFile& vectors,
                           const VectorFile& queries, size_t backlog, double seconds, Bars& bars) {
    WirePlan searches;
    searches.endpoint = server.endpoint();
    searches.seconds = seconds;
    searches.connections = kConnections;
    const std::string path = RestCollection(server.url(), searched).search_path();
    for (size_t row = 0; row < std::min(kQueries, queries.rows()); ++row) {
        searches.requests.push_back(
            post_request(searches.endpoint, path, search_body(queries.row(row), {.k = 10})));
    }
    const WireResult alone = run_wire_load(searches);
    WireResult together;
    Linked linked;
    {
        Backlog rows(server, vectors, backlog);
        linked = rows.during([&] { together = run_wire_load(searches); });
        server.await_linked(kName);
    }
    server.ask("DELETE", std::string("/api/v1/collections/") + kName);
    bars.line("searches flat out, 8 connections, alone", alone.per_second(), "queries/s");
    bars.line("searches flat out while rows wait to be linked", together.per_second(), "queries/s");
    bars.line("rows linked meanwhile", linked.rows_per_second, "rows/s");
    bars.at_least(kShareBar, "share of a core that linking keeps", linked.core_share, "");
}

}  // namespace akidb::bench
