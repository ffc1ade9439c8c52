// FaultProxy: stands between an S3 client and a real server and spoils what passes, as networks, balancers
// and servers do: whole requests and replies are read, so that a fault can be put anywhere in them. For
// tests.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace akidb::s3_test {

enum class Fault : uint8_t {
    kNone,
    kDelay,         // a while, but within the time-out
    kSilence,       // beyond the time-out, not passed on
    kSilenceAfter,  // passed on
    k500,           // instead of passing on
    k500After,      // passed on
    k503SlowDown,
    k503After,
    kReset,            // before the reply, not passed on
    kResetMidRequest,  // the server gets half of it
    kLostReply,        // passed on, then the connection closes
    kResetMidHead,
    kResetMidBody,
    kTruncatedBody,   // with a clean close
    kFlippedRequest,  // a byte of the body
    kFlippedReply,
    kFlippedHash,  // a digit of the hash that the server keeps
    kStaleList,    // an earlier reply to a list
    k200Error,     // an error as the body of a 200
    k200ErrorAfter,
    kEmpty200,  // "done", without having done it
    k403Skew,
    k403SkewAfter,
    kDuplicate,  // passed on twice
    kGarbage,    // no HTTP
};
inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::kGarbage) + 1;

class FaultProxy {
  public:
    /// Listens on a free port of loopback. `percent` of the requests meet a fault, drawn evenly by `seed`.
    FaultProxy(uint16_t upstream_port, uint32_t percent, uint64_t seed);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    uint16_t port() const { return port_; }
    void set_percent(uint32_t percent) { percent_ = percent; }
    /// All requests meet this one; kNone: none of them.
    void set_only(Fault fault) {
        only_ = fault;
        has_only_ = true;
    }
    /// As drawn, again.
    void set_any() { has_only_ = false; }
    uint64_t count(Fault fault) const { return counts_[static_cast<size_t>(fault)]; }
    uint64_t faults() const;
    /// With those that met none.
    uint64_t requests() const { return faults() + count(Fault::kNone); }
    size_t kinds() const;

  private:
    void accept_all();
    void serve(int client);
    Fault draw();
    std::string exchange(const std::string& request);
    /// False: the connection ends.
    bool meet(Fault fault, int client, const std::string& request);
    /// Nothing: the request goes on to the server.
    std::optional<bool> meet_before(Fault fault, int client, const std::string& request);
    bool meet_after(Fault fault, int client, const std::string& request, std::string reply);

    const uint16_t upstream_port_;
    std::atomic<uint32_t> percent_;
    std::atomic<Fault> only_{Fault::kNone};
    std::atomic<bool> has_only_{false};
    std::atomic<uint64_t> state_;
    std::array<std::atomic<uint64_t>, kFaultCount> counts_{};
    int listener_ = -1;
    uint16_t port_ = 0;
    std::atomic<bool> is_stopping_{false};
    std::mutex mutex_;
    std::string list_reply_;  // an old one
    std::vector<std::jthread> threads_;
    std::jthread acceptor_;
};

}  // namespace akidb::s3_test
