// The routes of REST and the methods of gRPC side by side: each route below /api/v1 is said to be the work of
// a method (probes and the Qdrant dialect are HTTP's alone); each method names routes that exist, or stands
// in the list of those that are streams.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "rest/api.h"
#include "rest/router.h"
#include "rpc/method_table.h"

namespace akidb::server {
namespace {

constexpr std::string_view kApi = "/api/v1/";
// One request of HTTP is one answer; upserts and scrolls one after another do the same.
const std::set<std::string> kGrpcAlone{"DocumentService/Import", "DocumentService/Export"};
// Backups are made over HTTP.
bool is_http_alone(const std::string& route) {
    return route.find(" /api/v1/backups") != std::string::npos;
}

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
    std::set<std::string> routes;
    for (const std::string& route : rest::route_list()) {
        if (route.find(kApi) != std::string::npos && !is_http_alone(route)) {
            routes.insert(route);
        }
    }
    EXPECT_GE(routes.size(), 43U);
    std::set<std::string> covered;
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

TEST(Protocols, AskTheSameOfWhoCalls) {
    std::map<std::string, model::Access> asked;
    for (const rest::Route& route : rest::routes()) {
        asked.emplace(std::string(route.method) + " " + std::string(route.path), route.access);
    }
    for (const rpc::MethodRow& row : rpc::method_table()) {
        EXPECT_TRUE(!row.access.actions().is_empty() || !row.routes.empty()) << row.name;
        for (const std::string& route : routes_of(row)) {
            EXPECT_EQ(row.access, asked.at(route)) << row.name << " and " << route;
        }
    }
}

}  // namespace
}  // namespace akidb::server
