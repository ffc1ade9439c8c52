// The routes of REST and the methods of gRPC side by side: each route is said to be the work of a method, or
// stands in the list of those that are HTTP's alone; each method names routes that exist, or stands in the
// list of those that are streams.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "rest/api.h"
#include "rpc/method_table.h"

namespace akidb::server {
namespace {

// grpc.health.v1 answers what the probes do; metrics are scraped over HTTP.
const std::set<std::string> kHttpAlone{"GET /health", "GET /ready", "GET /startup", "GET /metrics", "GET /"};
// One request of HTTP is one answer; upserts and scrolls one after another do the same.
const std::set<std::string> kGrpcAlone{"DocumentService/Import", "DocumentService/Export"};

std::set<std::string> routes_of(const rpc::MethodRow& row) {
    std::set<std::string> routes;
    const std::string list(row.routes);
    for (size_t from = 0; from < list.size();) {
        const size_t to = std::min(list.find(", ", from), list.size());
        routes.insert(list.substr(from, to - from));
        from = to + 2;
    }
    return routes;
}

TEST(Protocols, HaveTheSameFunctions) {
    const std::vector<std::string> list = rest::route_list();
    const std::set<std::string> routes(list.begin(), list.end());
    std::set<std::string> covered = kHttpAlone;
    for (const rpc::MethodRow& row : rpc::method_table()) {
        const std::set<std::string> named = routes_of(row);
        EXPECT_EQ(named.empty(), kGrpcAlone.contains(std::string(row.name))) << row.name;
        for (const std::string& route : named) {
            EXPECT_TRUE(routes.contains(route)) << row.name << " names a route that REST lacks: " << route;
            EXPECT_TRUE(covered.insert(route).second) << route << " is the work of two methods";
        }
    }
    for (const std::string& route : routes) {
        EXPECT_TRUE(covered.contains(route))
            << "no method of gRPC does what " << route << " does: name it in src/rpc/method_table.cc";
    }
    EXPECT_EQ(covered.size(), routes.size());
}

}  // namespace
}  // namespace akidb::server
