#include "access/rate_limit.h"

#include <sodium.h>

#include <algorithm>

#include "access/sodium.h"
#include "base/assert.h"

namespace akidb::access {
namespace {

constexpr uint32_t kCountMax = 100'000;  // with it, 64 bits of time last five years
constexpr uint64_t kFullRetryUs = 1'000'000;

}  // namespace

KeyHash::KeyHash(io::Random& random) {
    require_sodium();
    static_assert(sizeof key_ == crypto_shorthash_KEYBYTES);
    fill_random(random, key_);
}

uint64_t KeyHash::of(std::string_view text) const {
    uint64_t hash = 0;
    static_assert(sizeof hash == crypto_shorthash_BYTES);
    crypto_shorthash(reinterpret_cast<uint8_t*>(&hash), reinterpret_cast<const uint8_t*>(text.data()),
                     text.size(), key_);
    return hash;
}

RateLimiter::RateLimiter(const io::Clock& clock, io::Random& random, Rate rate, size_t keys_max)
    : clock_(clock), rate_(rate), start_us_(clock.monotonic_us()), hash_(random), table_(keys_max) {
    AKIDB_ASSERT(rate.count > 0 && rate.count <= kCountMax && rate.burst > 0 && rate.period_us > 0);
}

uint64_t RateLimiter::now() const {
    return (clock_.monotonic_us() - start_us_) * rate_.count;
}

/// In units of 1/count µs one costs exactly period_us.
RateDecision RateLimiter::judge(Cell cell, uint64_t now) const {
    const uint64_t debt = cell.whole_again > now ? cell.whole_again - now : 0;
    const uint64_t allowance = rate_.period_us * rate_.burst;
    const uint64_t room = allowance - std::min(debt, allowance);
    RateDecision decision;
    decision.remaining = static_cast<uint32_t>(room / rate_.period_us);
    decision.allowed = decision.remaining > 0;
    decision.reset_us = (debt + rate_.count - 1) / rate_.count;
    if (!decision.allowed) {
        decision.retry_after_us = (rate_.period_us - room + rate_.count - 1) / rate_.count;
    }
    return decision;
}

RateDecision RateLimiter::peek(std::string_view key) const {
    return judge(table_.look(hash_.of(key)), now());
}

RateDecision RateLimiter::take(std::string_view key) {
    const uint64_t at = now();
    RateDecision decision;
    const bool has_room = table_.edit(
        hash_.of(key), [&](const Cell& cell) { return !judge(cell, at).allowed; },
        [&](Cell& cell) {
            decision = judge(cell, at);
            if (decision.allowed) {
                cell.whole_again = std::max(cell.whole_again, at) + rate_.period_us;
                --decision.remaining;
                decision.reset_us = (cell.whole_again - at + rate_.count - 1) / rate_.count;
            }
        });
    if (!has_room) {
        decision.retry_after_us = kFullRetryUs;
    }
    return decision;
}

}  // namespace akidb::access
