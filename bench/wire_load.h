// Wire load: the leanest HTTP client that can put a server under load: one thread, epoll, requests whose
// bytes were made beforehand, answers only framed and kept. It shares the cores with what it measures, so
// what it costs (two system calls a request) is part of every figure; the echo server (echo_server.h) tells
// how much. Closed loop: each connection sends when its answer has come. Open loop: requests leave by a
// timetable, and each latency counts from the moment the request was due. Times are microseconds unless named
// otherwise. Throws std::runtime_error when the server cannot be reached or ends a connection, unless the
// plan outlives that: then each request that got no answer counts as cut, connections are opened again, and
// what falls due meanwhile waits and has the wait in its latency. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_client.h"

namespace akidb::bench {

struct WirePlan {
    support::Endpoint endpoint;
    std::vector<std::string> requests;  // whole, sent in turn
    size_t connections = 1;
    double seconds = 5;
    double rate = 0;  // requests a second, all connections together, with exponential gaps; 0 = closed loop
    std::function<double(double)> rate_at;  // the rate at so many seconds from the start, in place of `rate`
    bool outlives_cuts = false;
    size_t requests_max = SIZE_MAX;  // sends no more than these, whatever `seconds` says
    std::stop_token stop;            // asked for: sends no more
    /// Of each answer 200, with the index of its request; in the thread of run_wire_load.
    std::function<void(size_t)> on_success;
    /// Of each answer: the index of its request, its latency, and whether it was a 200; in the same thread.
    std::function<void(size_t, uint32_t, bool)> on_answer;
};

struct WireResult {
    uint64_t answered = 0;
    uint64_t errors = 0;  // answers other than 200
    uint64_t cut = 0;     // requests sent whose connection ended without an answer
    double seconds = 0;
    std::vector<std::string> bodies;   // the last answer to each request of the plan; empty where none came
    std::vector<uint32_t> latency_us;  // ascending

    double per_second() const { return seconds > 0 ? static_cast<double>(answered) / seconds : 0; }
    double quantile_us(double share) const;
};

WireResult run_wire_load(const WirePlan& plan);

/// The bytes of one request with a JSON body.
std::string json_request(std::string_view method, const support::Endpoint& endpoint, std::string_view path,
                         std::string_view body);
/// The same with POST.
std::string post_request(const support::Endpoint& endpoint, std::string_view path, std::string_view body);

/// Length of the HTTP message (request or answer) that `text` begins with; 0 while its head is not complete.
/// Only Content-Length bodies.
size_t message_bytes(std::string_view text);

}  // namespace akidb::bench
