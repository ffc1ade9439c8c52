// BenchServer: a server of its own for one bench program: the built binary over an empty directory, its REST
// API through one kept connection, and what /proc and the file system tell about it. Bytes are bytes, times
// seconds. Throws std::runtime_error with the server's answer or log. Not thread-safe, but for url().
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server_process.h"
#include "support/http_client.h"

namespace akidb::bench {

inline constexpr double kMiB = 1 << 20;

/// Throws std::runtime_error with the message of an error.
inline void check(const Result<void>& result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
}

struct ProcessFacts {
    uint64_t resident_bytes = 0;
    uint64_t anonymous_bytes = 0;  // of these, not backed by a file
    uint64_t written_bytes = 0;  // handed to the disk since the process started (write_bytes of /proc/PID/io)
    uint64_t descriptors = 0;
    uint64_t threads = 0;
};

/// Each number of a normal distribution.
std::vector<float> random_vector(std::mt19937& random, size_t dimension);

class BenchServer {
  public:
    /// Starts at once and waits until it is ready, with `flags` behind those that make it stop without
    /// waiting for balancers. The directory lies under `parent`, or where temporary ones do; it goes with
    /// this object.
    explicit BenchServer(std::vector<std::string> flags, const std::string& parent = {});
    ~BenchServer();
    BenchServer(const BenchServer&) = delete;
    BenchServer& operator=(const BenchServer&) = delete;

    std::string url() const { return server_->rest_url(); }
    std::string grpc_address() const { return server_->grpc_address(); }
    support::Endpoint endpoint() const { return support::parse_url(url()); }
    const std::string& directory() const { return directory_; }

    /// At return the port is open.
    void start();
    /// Until it answers for all its collections.
    void await_ready();
    void stop();
    void kill();

    /// The parsed answer; throws unless its status is 2xx.
    nlohmann::json ask(std::string_view method, const std::string& path,
                       const nlohmann::json& body = nullptr);
    /// The status alone; 0 when there was no answer.
    int status_of(std::string_view method, const std::string& path, const std::string& body);
    void create(const std::string& collection, size_t dimension, const std::string& metric);
    /// With the random vectors of one seed under the ids from 0, by cosine; at return all are linked.
    void create_filled(const std::string& collection, size_t rows, size_t dimension);
    /// Until no row waits to be linked.
    void await_linked(const std::string& collection);
    /// Until the background threads rest: they also measure what the width of searches goes by, and make the
    /// codes of a graph that a start read.
    void await_idle() const;

    ProcessFacts process() const;
    /// Processor time of all threads whose name begins so.
    double thread_seconds(std::string_view name) const;
    /// What the data directory takes on the disk (allocated blocks).
    uint64_t disk_bytes() const;
    /// Of these, what collections take: without catalog and ballast, and with files that are on their way or
    /// removed but still mapped. Thread-safe.
    uint64_t collection_bytes() const;
    uint64_t files() const;

  private:
    std::vector<std::string> flags_;
    std::string directory_;
    std::unique_ptr<e2e::ServerProcess> server_;
    std::unique_ptr<support::HttpConnection> connection_;
};

}  // namespace akidb::bench
