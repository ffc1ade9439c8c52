// ServerProcess: the built akidb binary as a child of a test: starts it on free ports over a data directory,
// reads the real ports from its first line, sends it requests and signals, kills it, and tells its exit code.
// Also runs a verb to its end. The binary is the one built beside the test, or what AKIDB_TESTED_BINARY
// names, which was built with AKIDB_TESTED_SANITIZER (address, thread). Times are milliseconds. Everything a
// test starts is reaped (kill -9) when its object goes. Errors: kDeadlineExceeded when something did not
// happen in time, kUnavailable when the process ended before it was ready (the message holds its standard
// error). Thread-compatible; request() may be called from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/http_client.h"

namespace akidb::e2e {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// Made by mkdtemp, removed with all it holds.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// How the akidb that is tested was built.
enum class Sanitizer : uint8_t { kNone, kAddress, kThread };
Sanitizer sanitizer();

/// A variable that the test itself was started with; empty without it.
inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// Exit codes of `akidb`.
inline constexpr int kClean = 0;
inline constexpr int kUsage = 64;
inline constexpr int kDamaged = 74;
inline constexpr int kIo = 74;

struct Finished {
    int exit_code = -1;  // 128 + the signal when one ended it
    std::string out;
    std::string err;
};

/// Runs `akidb arguments…` to its end; kDeadlineExceeded (after killing it) when it takes longer. AKIDB_*
/// variables of the test itself are not handed on.
Result<Finished> run_akidb(const std::vector<std::string>& arguments, const Environment& environment = {},
                           uint32_t timeout_ms = 60'000);

/// The same, but kills it (kill -9) as soon as `condition` holds, which is asked every few milliseconds.
Result<Finished> run_akidb_until(const std::vector<std::string>& arguments,
                                 const std::function<bool()>& condition, uint32_t timeout_ms = 60'000);

struct ServerOptions {
    std::string data_directory;
    std::vector<std::string> flags;
    bool takes_free_ports = true;  // by flags, each unless `flags` has that port
    Environment environment;
    uint32_t start_timeout_ms = 30'000;
    std::string ca_file = {};  // whom request() trusts for https
};

class ServerProcess {
  public:
    /// At return the ports are open; collections may still be loading.
    static Result<std::unique_ptr<ServerProcess>> start(const ServerOptions& options);
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    pid_t pid() const { return pid_; }
    /// "akidb listening: rest=… grpc=… metrics=… data=…"
    const std::string& first_line() const { return first_line_; }
    std::string rest_url() const;      // "http://127.0.0.1:41234", without a slash at the end
    std::string metrics_url() const;   // the same for the listener of probes
    std::string grpc_address() const;  // "127.0.0.1:41235"

    /// Polls /ready until it answers 200.
    Result<void> wait_until_ready(uint32_t timeout_ms = 60'000) const;
    /// Until it says by itself that it is.
    Result<void> wait_until_told_ready(uint32_t timeout_ms = 60'000);
    /// A JSON request to the REST port; `path` begins with a slash.
    Result<io::HttpReply> request(std::string_view method, std::string_view path,
                                  std::string_view body = {}) const;

    void send_signal(int signal) const;
    /// The exit code (128 + signal when one ended it).
    Result<int> wait_for_exit(uint32_t timeout_ms);
    /// kill -9 and reap; nothing is flushed. Idempotent.
    void kill_now();
    bool is_running() const { return exit_code_ < 0; }
    /// What it wrote to standard error so far.
    std::string log() const;

  private:
    ServerProcess() = default;
    Result<std::string> read_line_with(std::string_view beginning, uint32_t timeout_ms);
    std::string value_in_first_line(std::string_view key) const;

    TemporaryDirectory files_;
    pid_t pid_ = -1;
    int process_ = -1;  // pidfd: waiting with a time limit and without polling
    int out_ = -1;
    int exit_code_ = -1;
    std::string first_line_;
    std::string ca_file_;
};

}  // namespace akidb::e2e
