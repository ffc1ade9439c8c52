// ProofOfWork: a puzzle that costs a client some hundred milliseconds and the server two, in the ALTCHA
// protocol, version 2 (altcha.org), so that its widget and libraries solve it as they are. The challenge
// says: find the counter for which PBKDF2-HMAC-SHA256(nonce || counter, salt, cost) begins with this prefix.
// The server picked the counter itself, so the work is bounded; one derivation makes a challenge and one
// checks a solution. The parameters are signed as one JSON text with sorted names, which cannot be cut and
// joined anew (the lesson of CVE-2025-68113). A challenge counts for one route, account and source, once, for
// five minutes, and only in this process: its key is drawn at the start. It prices guessing; it proves no
// identity. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/random.h"

namespace akidb::access {

struct ProofCost {
    uint32_t iterations = 500;  // of PBKDF2 for each try: half a millisecond here, two on a phone
    /// Of tries that the solver needs; at least counter_min, so that no challenge is a gift.
    uint32_t counter_min = 150;
    uint32_t counter_max = 450;
};

/// What a solution is good for.
struct ProofPurpose {
    std::string_view route;
    std::string_view account;
    std::string_view source;  // the prefix that rate limits go by
};

class ProofOfWork {
  public:
    ProofOfWork(const io::Clock& clock, io::Random& random, ProofCost cost = {}, size_t used_max = 65'536);

    /// The challenge as the JSON that the widget takes.
    std::string make_challenge(const ProofPurpose& purpose);
    /// `payload` as the widget gives it: base64 of {"challenge":…,"solution":…}. kInvalidArgument with the
    /// field "proof" when it does not hold; kUnavailable when too many were used in five minutes to remember
    /// more. A proof that was accepted is used up.
    Result<void> accept(std::string_view payload, const ProofPurpose& purpose);

  private:
    static constexpr size_t kNonceBytes = 16;
    using Nonce = std::array<uint8_t, kNonceBytes>;

    std::string binding(const ProofPurpose& purpose) const;
    Result<void> use_up(const Nonce& nonce, uint64_t expires_at_s);

    const io::Clock& clock_;
    io::Random& random_;
    const ProofCost cost_;
    const size_t used_max_;
    const std::array<uint8_t, 32> key_;
    Mutex mutex_;
    std::map<Nonce, uint64_t> used_ AKIDB_GUARDED_BY(mutex_);  // to the second they expire
};

}  // namespace akidb::access
