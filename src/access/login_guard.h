// LoginGuard: what an attempt to log in must pass before its password is hashed. In this order:
//
//   rate       per source (IPv4 /32, IPv6 /64, and four times as much for its /48) 10 a minute, burst 20;
//              per account 5 a minute, burst 10
//   delay      from the fourth failure of an account on, 1 s after the last one, doubling up to 60 s
//   proof      of work (proof_of_work.h) after 3 failures of the account or the source in 15 minutes
//
// An account is never locked: whoever could lock it could keep its owner out. But an attacker can use up the
// account's tries; so who logged in before from a device holds its token, and is counted by that device
// alone, out of the attacker's buckets. A token lets nobody in: the password is still asked. What is
// remembered is bounded and lives in memory: a restart forgets failures. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "access/bounded_table.h"
#include "access/ip_address.h"
#include "access/proof_of_work.h"
#include "access/rate_limit.h"
#include "io/clock.h"
#include "io/random.h"

namespace akidb::access {

struct LoginLimits {
    Rate source = per_minute(10, 20);
    Rate network = per_minute(40, 80);  // IPv6 /48
    Rate account = per_minute(5, 10);
    Rate challenges = per_minute(30, 30);  // per source: making one costs a derivation
    uint32_t free_failures = 3;            // at most kFailuresRemembered
    uint64_t failure_window_us = 900'000'000;
    uint64_t delay_first_us = 1'000'000;
    uint64_t delay_max_us = 60'000'000;
    uint64_t device_lifetime_s = 90 * 86'400;
    size_t keys_max = 1'000'000;  // of each table; 32 to 64 bytes each once used
};

/// One account has one spelling: `account` is what the catalog finds it by, tenant included, whether it is
/// there or not.
struct LoginAttempt {
    IpAddress source;
    std::string_view account;
    std::string_view device_token;  // empty when there is none
    std::string_view proof;         // empty when there is none
};

enum class LoginStep {
    kGoOn,   // hash the password, then tell failed() or succeeded()
    kProve,  // answer with `challenge`
    kWait,   // answer with retry_after_s
};

enum class ProofOutcome : uint8_t { kNone, kSolved, kRefused };

struct LoginDecision {
    LoginStep step = LoginStep::kWait;
    uint32_t retry_after_s = 0;
    std::string challenge;  // JSON
    std::string why;        // for the answer: says nothing about whether the account exists
    bool is_known_device = false;
    bool proof_is_wanted = false;              // kProve: an attempt without one goes no further
    ProofOutcome proof = ProofOutcome::kNone;  // of the one that the attempt brought, when one was wanted
};

class LoginGuard {
  public:
    /// `device_key` outlives restarts, or every device is unknown after one.
    LoginGuard(const io::Clock& clock, io::Random& random, ProofOfWork& proofs,
               const std::array<uint8_t, 32>& device_key, LoginLimits limits = {});

    LoginDecision decide(const LoginAttempt& attempt);
    /// A challenge before an attempt, whether or not one is wanted yet; or kWait.
    LoginDecision offer(const LoginAttempt& attempt);
    void failed(const LoginAttempt& attempt);
    /// The token to give to the device, good for this account.
    std::string succeeded(const LoginAttempt& attempt);

  private:
    static constexpr size_t kFailuresRemembered = 3;
    struct Failures {
        std::array<uint32_t, kFailuresRemembered>
            at_s{};        // since the start, plus 1; the newest first; 0 for none
        uint32_t row = 0;  // how many with less than the window in between
    };
    struct Keys {
        std::string source;
        std::string network;  // empty for IPv4
        std::string account;
        bool is_known_device = false;
    };

    Keys keys_of(const LoginAttempt& attempt) const;
    bool is_device_of(std::string_view token, std::string_view account) const;
    std::string device_code(std::string_view id_and_expiry, std::string_view account) const;
    uint32_t now_s() const;
    bool wants_proof(const Failures& failures) const;
    bool wants_proof(const Keys& keys, const Failures& of_account) const;
    uint64_t delay_left_us(const Failures& failures) const;
    void count_failure(const std::string& key);
    LoginDecision ask_for_proof(const LoginAttempt& attempt, const Keys& keys, std::string why);
    RateDecision take(const Keys& keys);
    RateDecision peek(const Keys& keys) const;

    const io::Clock& clock_;
    io::Random& random_;
    ProofOfWork& proofs_;
    const std::array<uint8_t, 32> device_key_;
    const LoginLimits limits_;
    const uint64_t start_us_;
    RateLimiter sources_;
    RateLimiter networks_;
    RateLimiter accounts_;
    RateLimiter challenges_;
    KeyHash hash_;
    BoundedTable<Failures> failures_;
};

}  // namespace akidb::access
