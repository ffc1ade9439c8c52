// PasswordHasher: Argon2id (RFC 9106, by libsodium) behind a gate. A hash takes tens of milliseconds and 19
// MiB, so whoever may ask for many at once could take all cores and memory: the work runs on a pool of its
// own with half the cores and a queue of 16, and what does not fit is refused with kUnavailable and
// Retry-After. The last four places of the queue are for who is known, so that a flood of strangers, even
// from ten thousand addresses, does not keep out the owner of a device. Rate limits (login_guard.h) come
// before it. The stored form is the PHC text
// "$argon2id$v=19$m=…,t=…,p=1$…$…", which carries its parameters, so they can be raised: `needs_rehash` tells
// at the next login. A user who is not there is checked against a hash that nothing matches, so that the
// answer takes as long. Passwords are wiped after use. The hasher must outlive the jobs on its pool.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"

namespace akidb::access {

/// Beyond this a password is refused: hashing it would only cost.
inline constexpr size_t kPasswordBytesMax = 1024;

/// The floor of OWASP's password storage page for Argon2id with one lane.
struct PasswordCost {
    uint64_t memory_bytes = uint64_t{19} << 20;
    uint32_t passes = 2;
};

/// The pool to give to a hasher: half the cores, a queue of 16, and less eager than searches.
io::ThreadPoolOptions password_pool_options(unsigned cores);

/// kKnown: logged in now, or asks from a device that logged in before.
enum class PasswordCaller : uint8_t { kStranger, kKnown };

struct PasswordCheck {
    bool matches = false;
    bool needs_rehash = false;  // it matches, and was hashed at less than today's cost
    uint64_t took_us = 0;       // of the hash alone, without the queue
};

/// For metrics. Counts are since the start.
struct PasswordFigures {
    uint64_t queued = 0;   // now
    uint64_t running = 0;  // now
    uint64_t done = 0;
    uint64_t refused = 0;
    uint64_t total_us = 0;  // of `done`
};

/// Called as it happens, from any thread; none may throw. Empty ones are passed over.
struct PasswordHooks {
    std::function<void(int change)> on_waiting;
    std::function<void(uint64_t took_us)> on_hashed;
    std::function<void()> on_refused;
};

class PasswordHasher {
  public:
    using CheckDone = std::function<void(Result<PasswordCheck>)>;
    using HashDone = std::function<void(Result<std::string>)>;

    PasswordHasher(io::Random& random, const io::Clock& clock, io::Executor& pool, PasswordCost cost = {},
                   PasswordHooks hooks = {});

    /// `stored` is nothing for an unknown user. `done` is called exactly once, on a thread of the pool, or on
    /// the caller's when the password is refused.
    void check(std::string password, std::optional<std::string> stored, CheckDone done,
               PasswordCaller caller = PasswordCaller::kStranger);
    /// Of who is known.
    void hash(std::string password, HashDone done);
    /// On the caller's thread and past the gate: for the first start and the command line.
    Result<std::string> hash_now(std::string_view password);
    PasswordFigures figures() const;

  private:
    struct Counts {
        std::atomic<uint64_t> queued{0};
        std::atomic<uint64_t> running{0};
        std::atomic<uint64_t> done{0};
        std::atomic<uint64_t> refused{0};
        std::atomic<uint64_t> total_us{0};
    };
    void change_queue(int change);
    template <class T, class Work>
    void submit(std::string password, PasswordCaller caller, std::function<void(Result<T>)> done, Work work);
    PasswordCheck compare(std::string_view password, const std::optional<std::string>& stored) const;

    io::Random& random_;
    const io::Clock& clock_;
    io::Executor& pool_;
    const PasswordCost cost_;
    const PasswordHooks hooks_;
    std::string nobody_;  // matches no password
    Counts counts_;
};

/// Whether the text is a hash that check() can read, of bounded cost: for what is imported or typed.
bool is_password_hash(std::string_view stored);

}  // namespace akidb::access
