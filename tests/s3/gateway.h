// The S3 server that s3_test.sh started, as the environment tells of it, and how long to go on spoiling what
// is sent to it. For tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "io/clock.h"
#include "io/random.h"
#include "objects/credentials.h"
#include "objects/s3_store.h"

namespace akidb::s3_test {

inline std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

inline uint64_t number_of(const char* name, uint64_t otherwise) {
    const std::string given = variable(name);
    return given.empty() ? otherwise : std::stoull(given);
}

/// AKIDB_S3_SEED plays one history again.
inline uint64_t seed() {
    const uint64_t seed = number_of("AKIDB_S3_SEED", io::make_system_random()->next_u64() % 1'000'000'000);
    std::printf("AKIDB_S3_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return seed;
}

struct Gateway {
    uint16_t port() const { return static_cast<uint16_t>(number_of("AKIDB_S3_PORT", 0)); }

    /// Through `port`, the server's own or that of a proxy in front of it.
    std::unique_ptr<objects::ObjectStore> store(uint16_t port, const std::string& prefix,
                                                uint32_t timeout_ms = 10'000) const {
        const auto found = objects::find_credentials(
            {{}, {{"AWS_ACCESS_KEY_ID", variable("AWS_ACCESS_KEY_ID")}, {"AWS_SECRET_ACCESS_KEY", secret}}});
        EXPECT_TRUE(found);
        auto made = objects::make_s3_store(
            {.endpoint = "http://127.0.0.1:" + std::to_string(port),
             .bucket = bucket,
             .prefix = prefix,
             .timeout_ms = timeout_ms,
             .part_senders = part_senders},
            *found, *clock, [] { return io::make_curl_http_client({.refuses_link_local = true}); });
        EXPECT_TRUE(made);
        return std::move(made).value();
    }

    std::string secret = variable("AWS_SECRET_ACCESS_KEY");
    std::string bucket = "akidb-test";
    io::Executor* part_senders = nullptr;
    std::unique_ptr<io::Clock> clock = io::make_system_clock();
};

}  // namespace akidb::s3_test
