#include "access/rate_limit.h"

#include <sodium.h>

#include <algorithm>

#include "access/sodium.h"
#include "base/assert.h"

namespace akidb::access {
namespace {

constexpr uint64_t kFullRetryUs = 1'000'000;

/// In units of 1/count µs one costs exactly period_us.
RateDecision judge(const Rate& rate, uint64_t whole_again, uint64_t now) {
    const uint64_t debt = whole_again > now ? whole_again - now : 0;
    const uint64_t allowance = rate.period_us * rate.burst;
    const uint64_t room = allowance - std::min(debt, allowance);
    RateDecision decision;
    decision.remaining = static_cast<uint32_t>(room / rate.period_us);
    decision.allowed = decision.remaining > 0;
    decision.reset_us = (debt + rate.count - 1) / rate.count;
    if (!decision.allowed) {
        decision.retry_after_us = (rate.period_us - room + rate.count - 1) / rate.count;
    }
    return decision;
}

/// Moves `whole_again` when one is allowed.
RateDecision take_one(const Rate& rate, uint64_t& whole_again, uint64_t now) {
    RateDecision decision = judge(rate, whole_again, now);
    if (decision.allowed) {
        whole_again = std::max(whole_again, now) + rate.period_us;
        --decision.remaining;
        decision.reset_us = (whole_again - now + rate.count - 1) / rate.count;
    }
    return decision;
}

}  // namespace

RateDecision RateMeter::take(const Rate& rate, uint64_t now_us) {
    const uint64_t now = now_us * rate.count;
    uint64_t found = whole_again_.load(std::memory_order_relaxed);
    while (true) {
        uint64_t next = found;
        const RateDecision decision = take_one(rate, next, now);
        if (!decision.allowed || whole_again_.compare_exchange_weak(found, next, std::memory_order_relaxed)) {
            return decision;
        }
    }
}

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
    AKIDB_ASSERT(rate.count > 0 && rate.count <= kRateCountMax && rate.burst > 0 && rate.period_us > 0);
}

uint64_t RateLimiter::now() const {
    return (clock_.monotonic_us() - start_us_) * rate_.count;
}

RateDecision RateLimiter::peek(std::string_view key) const {
    return judge(rate_, table_.look(hash_.of(key)).whole_again, now());
}

RateDecision RateLimiter::take(std::string_view key) {
    const uint64_t at = now();
    RateDecision decision;
    const bool has_room = table_.edit(
        hash_.of(key), [&](const Cell& cell) { return !judge(rate_, cell.whole_again, at).allowed; },
        [&](Cell& cell) { decision = take_one(rate_, cell.whole_again, at); });
    if (!has_room) {
        decision.retry_after_us = kFullRetryUs;
    }
    return decision;
}

}  // namespace akidb::access
