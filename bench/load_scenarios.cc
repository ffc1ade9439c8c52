#include "bench/load_scenarios.h"

#include <algorithm>
#include <array>
#include <random>

#include "bench/rest_collection.h"
#include "bench/upsert_bodies.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

constexpr uint64_t kSeed = 13;
constexpr Mix kUsual{.searches = 70, .inserts = 20, .updates = 0, .deletes = 0, .patches = 10};
constexpr Mix kMostlyReads{.searches = 90, .inserts = 8, .updates = 0, .deletes = 0, .patches = 2};
constexpr Mix kTiered{.searches = 80, .inserts = 15, .updates = 0, .deletes = 0, .patches = 5};
constexpr Mix kAll{.searches = 60, .inserts = 15, .updates = 10, .deletes = 5, .patches = 10};

std::string write_request(const MixSource& source, const std::string& collection, const std::string& kind,
                          uint32_t row) {
    const std::string path = "/api/v1/collections/" + collection + "/documents";
    if (kind == "delete") {
        return post_request(source.endpoint, path + "/delete", R"({"ids":[)" + std::to_string(row) + "]}");
    }
    if (kind == "patch") {
        return json_request(
            "PATCH", source.endpoint, path,
            R"({"ids":[)" + std::to_string(row) + R"(],"merge":{"seen":)" + std::to_string(row % 7) + "}}");
    }
    const std::array<uint32_t, 1> rows{row};
    return upsert_request(source.endpoint, collection, source.vectors, rows);
}

}  // namespace

const std::vector<Scenario>& load_scenarios() {
    static const std::vector<Scenario> scenarios{
        {"baseline", 10'000, 1, kUsual, {100}, 25, 0.001, Disturbance::kNone},
        {"sustained", 50'000, 1, kUsual, {200}, 50, 0.005, Disturbance::kNone},
        {"spike", 10'000, 1, kMostlyReads, {100, 500, 100}, 100, 0.01, Disturbance::kNone},
        {"80 % reads", 100'000, 1, kTiered, {100}, 25, 0.001, Disturbance::kNone},
        {"several tenants", 10'000, 3, kUsual, {150}, 30, 0.005, Disturbance::kNone},
        {"large", 1'000'000, 1, kMostlyReads, {100}, 100, 0.01, Disturbance::kNone},
        {"failure", 10'000, 1, kUsual, {100}, 50, 0.15, Disturbance::kKill},
        {"chaos",
         50'000,
         1,
         kAll,
         {120, 290, 60, 210, 50, 300, 170, 90, 240, 130},
         100,
         0.02,
         Disturbance::kCollections}};
    return scenarios;
}

double rate_of(const std::vector<double>& rates, double seconds, double length) {
    const auto index =
        static_cast<size_t>(std::max(0.0, seconds / length * static_cast<double>(rates.size())));
    return rates[std::min(index, rates.size() - 1)];
}

RequestMix make_mix(const MixSource& source, const Mix& mix, size_t count) {
    std::mt19937_64 random(kSeed);
    RequestMix made;
    size_t query = 0;
    const size_t kept_back = source.vectors.rows() - source.loaded;
    for (size_t index = 0; index < count; ++index) {
        const std::string& collection = source.collections[index % source.collections.size()];
        unsigned chance = static_cast<unsigned>(random() % 100);
        const auto falls_to = [&](unsigned share) {
            const bool is_mine = chance < share;
            chance -= is_mine ? 0 : share;
            return is_mine;
        };
        const auto any_loaded = static_cast<uint32_t>(random() % source.loaded);
        const auto any_kept_back =
            static_cast<uint32_t>(kept_back > 0 ? source.loaded + random() % kept_back : any_loaded);
        made.kinds.push_back(Asked::kWrite);
        made.queries.push_back(0);
        made.inserts.push_back(-1);
        if (falls_to(mix.searches)) {
            made.kinds.back() = Asked::kSearch;
            made.queries.back() = query++ % source.queries.rows();
            made.requests.push_back(post_request(
                source.endpoint, "/api/v1/collections/" + collection + "/search",
                search_body(source.queries.row(made.queries.back()), SearchOptions{.k = source.k})));
        } else if (falls_to(mix.inserts)) {
            made.inserts.back() = any_kept_back;
            made.requests.push_back(write_request(source, collection, "upsert", any_kept_back));
        } else if (falls_to(mix.updates)) {
            made.requests.push_back(write_request(source, collection, "upsert", any_loaded));
        } else if (falls_to(mix.deletes)) {
            made.requests.push_back(write_request(source, collection, "delete", any_kept_back));
        } else {
            made.requests.push_back(write_request(source, collection, "patch", any_loaded));
        }
    }
    return made;
}

}  // namespace akidb::bench
