#include "access/password.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "access/sodium.h"

namespace akidb::access {
namespace {

constexpr size_t kQueueMax = 16;
constexpr size_t kStrangersMax = 12;
constexpr int kNice = 10;
constexpr uint32_t kRetryAfterS = 2;  // a queue of 16 at 60 ms each is empty by then on one core
constexpr size_t kSaltBytes = crypto_pwhash_SALTBYTES;
constexpr size_t kHashBytes = 32;
constexpr std::string_view kPrefix = "$argon2id$v=19$";
// What a stored hash may ask for: nobody raises the cost beyond a gigabyte or a minute.
constexpr uint64_t kMemoryKibMax = 1 << 20;
constexpr uint32_t kPassesMax = 64;

struct StoredCost {
    uint64_t memory_kib = 0;
    uint32_t passes = 0;
};

template <class T>
bool read_number(std::string_view& text, std::string_view before, T& out) {
    if (!text.starts_with(before)) {
        return false;
    }
    text.remove_prefix(before.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc()) {
        return false;
    }
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return true;
}

std::optional<StoredCost> cost_of(std::string_view stored) {
    StoredCost cost;
    uint32_t lanes = 0;
    if (stored.size() >= crypto_pwhash_STRBYTES ||
        !read_number(stored, std::string(kPrefix) + "m=", cost.memory_kib) ||
        !read_number(stored, ",t=", cost.passes) || !read_number(stored, ",p=", lanes) ||
        !stored.starts_with('$')) {
        return std::nullopt;
    }
    if (cost.memory_kib > kMemoryKibMax || cost.passes > kPassesMax || lanes != 1) {
        return std::nullopt;
    }
    return cost;
}

std::string unpadded_base64(std::span<const uint8_t> bytes) {
    std::string text = to_base64(bytes);
    text.erase(text.find_last_not_of('=') + 1);
    return text;
}

Result<std::string> hash_with(io::Random& random, PasswordCost cost, std::string_view password) {
    require_sodium();
    const auto salt = random_bytes<kSaltBytes>(random);
    std::array<uint8_t, kHashBytes> hash{};
    if (crypto_pwhash(hash.data(), hash.size(), password.data(), password.size(), salt.data(), cost.passes,
                      cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error(Code::kUnavailable, "no memory for a password hash").with_retry_after(kRetryAfterS);
    }
    return std::string(kPrefix) + "m=" + std::to_string(cost.memory_bytes / 1024) +
           ",t=" + std::to_string(cost.passes) + ",p=1$" + unpadded_base64(salt) + "$" +
           unpadded_base64(hash);
}

Result<void> check_length(std::string_view password) {
    if (password.size() > kPasswordBytesMax) {
        return invalid_argument("password", "the password has " + std::to_string(password.size()) + " bytes",
                                "at most " + std::to_string(kPasswordBytesMax) + " bytes");
    }
    return {};
}

/// A password on its way to the pool, and who waits for the answer. Answers once, also when the pool stops
/// and drops the job.
template <class T>
class Errand {
  public:
    Errand(std::string given, std::function<void(Result<T>)> done)
        : password(std::move(given)), done_(std::move(done)) {}
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;
    ~Errand() {
        sodium_memzero(password.data(), password.size());
        answer(Error(Code::kUnavailable, "the server is stopping").with_retry_after(kRetryAfterS));
    }

    void answer(Result<T> outcome) {
        if (done_) {
            std::exchange(done_, nullptr)(std::move(outcome));
        }
    }

    std::string password;

  private:
    std::function<void(Result<T>)> done_;
};

}  // namespace

io::ThreadPoolOptions password_pool_options(unsigned cores) {
    return {.name = "argon2", .threads = std::max(1U, cores / 2), .queue_max = kQueueMax, .nice = kNice};
}

PasswordHasher::PasswordHasher(io::Random& random, const io::Clock& clock, io::Executor& pool,
                               PasswordCost cost, PasswordHooks hooks)
    : random_(random), clock_(clock), pool_(pool), cost_(cost), hooks_(std::move(hooks)) {
    const auto unknown = random_bytes<32>(random);
    Result<std::string> made = hash_with(random, cost, to_hex(unknown));
    AKIDB_ASSERT(made.has_value());
    nobody_ = std::move(made).value();
}

void PasswordHasher::change_queue(int change) {
    counts_.queued += static_cast<uint64_t>(change);
    if (hooks_.on_waiting) {
        hooks_.on_waiting(change);
    }
}

template <class T, class Work>
void PasswordHasher::submit(std::string password, PasswordCaller caller, std::function<void(Result<T>)> done,
                            Work work) {
    if (Result<void> fits = check_length(password); !fits) {
        done(std::move(fits).error());
        return;
    }
    auto errand = std::make_shared<Errand<T>>(std::move(password), std::move(done));
    const bool has_room = caller == PasswordCaller::kKnown || counts_.queued.load() < kStrangersMax;
    change_queue(1);
    const bool taken = has_room && pool_.submit("argon2", [this, errand, work](std::stop_token) {
        change_queue(-1);
        ++counts_.running;
        const uint64_t start = clock_.monotonic_us();
        Result<T> outcome = work(errand->password);
        const uint64_t took_us = clock_.monotonic_us() - start;
        counts_.total_us += took_us;
        if (hooks_.on_hashed) {
            hooks_.on_hashed(took_us);
        }
        ++counts_.done;
        --counts_.running;
        errand->answer(std::move(outcome));
    });
    if (!taken) {
        change_queue(-1);
        ++counts_.refused;
        if (hooks_.on_refused) {
            hooks_.on_refused();
        }
        errand->answer(Error(Code::kUnavailable, "too many logins at once").with_retry_after(kRetryAfterS));
    }
}

void PasswordHasher::check(std::string password, std::optional<std::string> stored, CheckDone done,
                           PasswordCaller caller) {
    submit<PasswordCheck>(
        std::move(password), caller, std::move(done),
        [this, stored = std::move(stored)](const std::string& given) -> Result<PasswordCheck> {
            const uint64_t start = clock_.monotonic_us();
            PasswordCheck outcome = compare(given, stored);
            outcome.took_us = clock_.monotonic_us() - start;
            return outcome;
        });
}

void PasswordHasher::hash(std::string password, HashDone done) {
    submit<std::string>(std::move(password), PasswordCaller::kKnown, std::move(done),
                        [this](const std::string& given) { return hash_with(random_, cost_, given); });
}

Result<std::string> PasswordHasher::hash_now(std::string_view password) {
    AKIDB_TRY(check_length(password));
    return hash_with(random_, cost_, password);
}

PasswordCheck PasswordHasher::compare(std::string_view password,
                                      const std::optional<std::string>& stored) const {
    const std::optional<StoredCost> cost = stored ? cost_of(*stored) : std::nullopt;
    const std::string& against = cost ? *stored : nobody_;
    std::array<char, crypto_pwhash_STRBYTES> text{};
    std::memcpy(text.data(), against.data(), std::min(against.size(), text.size() - 1));
    const bool equal = crypto_pwhash_str_verify(text.data(), password.data(), password.size()) == 0;
    const bool matches = equal && cost.has_value();
    return {.matches = matches,
            .needs_rehash =
                matches && (cost->memory_kib < cost_.memory_bytes / 1024 || cost->passes < cost_.passes)};
}

PasswordFigures PasswordHasher::figures() const {
    return {.queued = counts_.queued.load(),
            .running = counts_.running.load(),
            .done = counts_.done.load(),
            .refused = counts_.refused.load(),
            .total_us = counts_.total_us.load()};
}

bool is_password_hash(std::string_view stored) {
    return cost_of(stored).has_value();
}

}  // namespace akidb::access
