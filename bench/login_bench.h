// What logins tell and what they cost when they come from everywhere: a section of access_bench. Both want a
// server that trusts a proxy on loopback, so that an attempt can come from any address. Throws
// std::runtime_error when something did not work. Not thread-safe.
#pragma once

#include "bench/bars.h"
#include "bench/bench_server.h"
#include "bench/wire_load.h"

namespace akidb::bench {

inline constexpr const char* kBenchPassword = "a password of this bench";

/// Times logins with a wrong password of users who are there and of users who are not, one after another in
/// random order, `samples` of each, every one from an address of its own; and tells by two tests whether one
/// can be told from the other. Puts the users into the catalog, for which the server is stopped.
void compare_login_times(Bars& bars, BenchServer& server, size_t samples);

struct SwarmPlan {
    WirePlan searches;  // of a user who is logged in; paced
    double logins_per_s = 200;
    double seconds = 50;
};
/// A flood of logins from ten thousand addresses, half of them of Ann's account: what searches notice of it,
/// what memory it takes, and whether Ann gets in from a device that she used before. She is the user
/// ann@example.com of kBenchPassword.
void flood_from_everywhere(Bars& bars, BenchServer& server, const SwarmPlan& plan);

}  // namespace akidb::bench
