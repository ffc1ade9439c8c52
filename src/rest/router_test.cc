// Routes: which one a path means, what decoding may and may not do, and that openapi.yaml names exactly
// these.
#include "rest/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "rest/api.h"

namespace akidb::rest {
namespace {

TEST(Router, FindsRoutesAndCaptures) {
    Result<RouteMatch> match = match_route("GET", "/api/v1/collections/a%20b/documents/x%2Fy%252F");
    ASSERT_TRUE(match && match->route != nullptr);
    EXPECT_EQ(match->route->id, RouteId::kGetDocument);
    EXPECT_EQ(match->captured, (std::vector<std::string>{"a b", "x/y%2F"}));
    match = match_route("POST", "/api/v1/collections/c/documents/get");
    ASSERT_TRUE(match && match->route != nullptr);
    EXPECT_EQ(match->route->id, RouteId::kGetDocuments);
    match = match_route("GET", "/api/v1/collections/c/documents/get");
    ASSERT_TRUE(match && match->route != nullptr);
    EXPECT_EQ(match->route->id, RouteId::kGetDocument);
    match = match_route("HEAD", "/health");
    ASSERT_TRUE(match && match->route != nullptr);
    EXPECT_EQ(match->route->id, RouteId::kHealth);
}

TEST(Router, TellsWrongMethodFromUnknownPath) {
    Result<RouteMatch> match = match_route("POST", "/api/v1/collections/c/documents");
    ASSERT_TRUE(match);
    EXPECT_EQ(match->route, nullptr);
    EXPECT_EQ(match->allow, "PUT, PATCH");
    match = match_route("GET", "/api/v1/colections");
    ASSERT_TRUE(match);
    EXPECT_EQ(match->route, nullptr);
    EXPECT_TRUE(match->allow.empty());
    EXPECT_EQ(match->nearest, "/api/v1/collections");
    for (const char* path :
         {"", "x", "//", "/api/v1/collections/", "/api/v1/collections//documents", "/health/"}) {
        match = match_route("GET", path);
        ASSERT_TRUE(match) << path;
        EXPECT_EQ(match->route, nullptr) << path;
    }
}

TEST(Router, RefusesBrokenEncodings) {
    for (const char* id : {"%", "%4", "%zz", "%ff", "%c0%af", "a%"}) {
        EXPECT_FALSE(match_route("GET", std::string("/api/v1/collections/") + id)) << id;
    }
}

TEST(Router, ReadsQueriesStrictly) {
    constexpr std::array<std::string_view, 1> kKnown{"durability"};
    auto parameters = parse_query("durability=lo%63al&", kKnown);
    ASSERT_TRUE(parameters);
    ASSERT_EQ(parameters->size(), 1U);
    EXPECT_EQ(parameters->front().second, "local");
    EXPECT_FALSE(parse_query("durabilty=local", kKnown));
    EXPECT_FALSE(parse_query("durability=a&durability=b", kKnown));
    EXPECT_FALSE(parse_query("a=1", {}));
    EXPECT_FALSE(parse_query("durability=%", kKnown));
}

/// The document is kept in the plain form: paths at two spaces, methods at four.
std::vector<std::string> routes_of_openapi() {
    std::ifstream file(AKIDB_OPENAPI);
    std::vector<std::string> found;
    std::string path;
    bool in_paths = false;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line[0] != ' ' && line[0] != '#') {
            in_paths = line == "paths:";
        } else if (in_paths && line.starts_with("  /") && line.back() == ':') {
            path = line.substr(2, line.size() - 3);
        } else if (in_paths && line.size() > 5 && line.starts_with("    ") && line[4] != ' ' &&
                   line.back() == ':') {
            std::string method = line.substr(4, line.size() - 5);
            if (method != "parameters") {
                std::transform(method.begin(), method.end(), method.begin(),
                               [](char letter) { return static_cast<char>(letter - 'a' + 'A'); });
                found.push_back(method + " " + path);
            }
        }
    }
    return found;
}

TEST(Router, OpenApiNamesExactlyTheseRoutes) {
    std::vector<std::string> described = routes_of_openapi();
    std::vector<std::string> served = route_list();
    std::sort(described.begin(), described.end());
    std::sort(served.begin(), served.end());
    EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace akidb::rest
