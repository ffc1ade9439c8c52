#include "access/login_guard.h"

#include <algorithm>
#include <utility>

#include "access/sodium.h"
#include "base/assert.h"
#include "base/bytes.h"

namespace akidb::access {
namespace {

constexpr std::string_view kRoute = "login";
constexpr unsigned kSourceBitsIpv6 = 64;
constexpr unsigned kNetworkBitsIpv6 = 48;
constexpr size_t kDeviceIdBytes = 16;
constexpr uint64_t kSecondUs = 1'000'000;

uint32_t whole_seconds(uint64_t us) {
    return static_cast<uint32_t>((us + kSecondUs - 1) / kSecondUs);
}

LoginDecision wait(uint32_t seconds, std::string why, const bool is_known_device) {
    return {.step = LoginStep::kWait,
            .retry_after_s = std::max(1U, seconds),
            .why = std::move(why),
            .is_known_device = is_known_device};
}

}  // namespace

LoginGuard::LoginGuard(const io::Clock& clock, io::Random& random, ProofOfWork& proofs,
                       const std::array<uint8_t, 32>& device_key, LoginLimits limits)
    : clock_(clock),
      random_(random),
      proofs_(proofs),
      device_key_(device_key),
      limits_(limits),
      start_us_(clock.monotonic_us()),
      sources_(clock, random, limits.source, limits.keys_max),
      networks_(clock, random, limits.network, limits.keys_max),
      accounts_(clock, random, limits.account, limits.keys_max),
      challenges_(clock, random, limits.challenges, limits.keys_max),
      hash_(random),
      failures_(limits.keys_max) {
    AKIDB_ASSERT(limits.free_failures > 0 && limits.free_failures <= kFailuresRemembered);
}

uint32_t LoginGuard::now_s() const {
    return static_cast<uint32_t>((clock_.monotonic_us() - start_us_) / kSecondUs) + 1;
}

/// Hex of id and expiry, then of the code over both and the account.
std::string LoginGuard::device_code(std::string_view id_and_expiry, std::string_view account) const {
    std::string text;
    ByteWriter writer(text);
    writer.put_string("akidb-device-v1");
    writer.put_string(id_and_expiry);
    writer.put_string(account);
    return to_hex(hmac_sha256(device_key_, text));
}

bool LoginGuard::is_device_of(std::string_view token, std::string_view account) const {
    std::array<uint8_t, kDeviceIdBytes + sizeof(uint64_t)> head{};
    constexpr size_t kHeadDigits = 2 * head.size();
    std::array<uint8_t, 32> code{};
    if (token.size() != kHeadDigits + 2 * code.size() || !from_hex(token.substr(0, kHeadDigits), head) ||
        !from_hex(token.substr(kHeadDigits), code)) {
        return false;
    }
    std::array<uint8_t, 32> right{};
    from_hex(device_code(token.substr(0, kHeadDigits), account), right);
    ByteReader reader({reinterpret_cast<const char*>(head.data()), head.size()});
    reader.get_bytes(kDeviceIdBytes);
    return equal_in_constant_time(code, right) && reader.get<uint64_t>() > clock_.unix_ms() / 1000;
}

LoginGuard::Keys LoginGuard::keys_of(const LoginAttempt& attempt) const {
    Keys keys;
    const IpAddress& source = attempt.source;
    keys.source = "s" + source.prefix(source.is_ipv4 ? source.bits() : kSourceBitsIpv6).to_string();
    keys.is_known_device = is_device_of(attempt.device_token, attempt.account);
    if (keys.is_known_device) {
        keys.account = "d" + std::string(attempt.device_token);
        return keys;
    }
    if (!source.is_ipv4) {
        keys.network = "n" + source.prefix(kNetworkBitsIpv6).to_string();
    }
    keys.account = "a" + std::string(attempt.account);
    return keys;
}

RateDecision LoginGuard::peek(const Keys& keys) const {
    RateDecision decision = accounts_.peek(keys.account);
    if (!keys.is_known_device) {
        const RateDecision source = sources_.peek(keys.source);
        const RateDecision network = keys.network.empty() ? source : networks_.peek(keys.network);
        for (const RateDecision& other : {source, network}) {
            if (other.retry_after_us > decision.retry_after_us) {
                decision = other;
            }
        }
    }
    return decision;
}

/// The narrowest first: what it refuses costs the wider ones nothing, so nobody uses up a neighbour's share.
RateDecision LoginGuard::take(const Keys& keys) {
    if (!keys.is_known_device) {
        if (const RateDecision source = sources_.take(keys.source); !source.allowed) {
            return source;
        }
        if (!keys.network.empty()) {
            if (const RateDecision network = networks_.take(keys.network); !network.allowed) {
                return network;
            }
        }
    }
    return accounts_.take(keys.account);
}

bool LoginGuard::wants_proof(const Failures& failures) const {
    const uint32_t counting = failures.at_s[limits_.free_failures - 1];
    return counting != 0 && now_s() - counting < limits_.failure_window_us / kSecondUs;
}

bool LoginGuard::wants_proof(const Keys& keys, const Failures& of_account) const {
    const bool source_is_suspect =
        !keys.is_known_device && wants_proof(failures_.look(hash_.of(keys.source)));
    return source_is_suspect || wants_proof(of_account);
}

uint64_t LoginGuard::delay_left_us(const Failures& failures) const {
    if (failures.row <= limits_.free_failures) {
        return 0;
    }
    const uint32_t doublings = std::min(failures.row - limits_.free_failures - 1, 30U);
    const uint64_t delay = std::min(limits_.delay_first_us << doublings, limits_.delay_max_us);
    const uint64_t since = uint64_t{now_s() - failures.at_s[0]} * kSecondUs;
    return since >= delay ? 0 : delay - since;
}

LoginDecision LoginGuard::ask_for_proof(const LoginAttempt& attempt, const Keys& keys, std::string why) {
    if (const RateDecision allowed = challenges_.take(keys.source); !allowed.allowed) {
        return wait(allowed.retry_after_s(), "too many proofs of work were asked for", keys.is_known_device);
    }
    return {.step = LoginStep::kProve,
            .challenge = proofs_.make_challenge({kRoute, attempt.account, keys.source}),
            .why = std::move(why),
            .is_known_device = keys.is_known_device,
            .proof_is_wanted = true};
}

LoginDecision LoginGuard::offer(const LoginAttempt& attempt) {
    const Keys keys = keys_of(attempt);
    LoginDecision decision = ask_for_proof(attempt, keys, {});
    decision.proof_is_wanted = wants_proof(keys, failures_.look(hash_.of(keys.account)));
    return decision;
}

LoginDecision LoginGuard::decide(const LoginAttempt& attempt) {
    const Keys keys = keys_of(attempt);
    constexpr std::string_view kTooMany = "too many attempts to log in";
    if (const RateDecision rate = peek(keys); !rate.allowed) {
        return wait(rate.retry_after_s(), std::string(kTooMany), keys.is_known_device);
    }
    const Failures of_account = failures_.look(hash_.of(keys.account));
    if (const uint64_t left = delay_left_us(of_account); left > 0) {
        return wait(whole_seconds(left), "too many failed attempts to log in", keys.is_known_device);
    }
    ProofOutcome outcome = ProofOutcome::kNone;
    if (wants_proof(keys, of_account)) {
        if (attempt.proof.empty()) {
            return ask_for_proof(attempt, keys, "a proof of work is wanted after failed attempts");
        }
        if (Result<void> proved = proofs_.accept(attempt.proof, {kRoute, attempt.account, keys.source});
            !proved) {
            if (proved.error().code() == Code::kUnavailable) {
                return wait(proved.error().retry_after_s(), proved.error().message(), keys.is_known_device);
            }
            LoginDecision asked = ask_for_proof(attempt, keys, proved.error().message());
            asked.proof = ProofOutcome::kRefused;
            return asked;
        }
        outcome = ProofOutcome::kSolved;
    }
    LoginDecision decision{
        .step = LoginStep::kGoOn, .is_known_device = keys.is_known_device, .proof = outcome};
    if (const RateDecision rate = take(keys); !rate.allowed) {
        decision = wait(rate.retry_after_s(), std::string(kTooMany), keys.is_known_device);
        decision.proof = outcome;
    }
    return decision;
}

void LoginGuard::count_failure(const std::string& key) {
    const uint32_t now = now_s();
    const uint64_t window_s = limits_.failure_window_us / kSecondUs;
    // A full table of keys under delay turns the new one away: its rate limit still holds it.
    static_cast<void>(failures_.edit(
        hash_.of(key),
        [&](const Failures& failures) { return delay_left_us(failures) > 0 || wants_proof(failures); },
        [&](Failures& failures) {
            const bool goes_on = failures.at_s[0] != 0 && now - failures.at_s[0] < window_s;
            failures.row = goes_on ? std::min(failures.row + 1, UINT32_MAX - 1) : 1;
            std::rotate(failures.at_s.begin(), failures.at_s.end() - 1, failures.at_s.end());
            failures.at_s[0] = now;
        }));
}

void LoginGuard::failed(const LoginAttempt& attempt) {
    const Keys keys = keys_of(attempt);
    count_failure(keys.account);
    if (!keys.is_known_device) {
        count_failure(keys.source);
    }
}

/// The source's failures stay: an attacker with an account of his own could wash them off at will.
std::string LoginGuard::succeeded(const LoginAttempt& attempt) {
    const Keys keys = keys_of(attempt);
    static_cast<void>(failures_.edit(
        hash_.of(keys.account), [](const Failures&) { return true; },
        [](Failures& failures) { failures = {}; }));
    if (keys.is_known_device) {
        return std::string(attempt.device_token);
    }
    std::string head;
    ByteWriter writer(head);
    const auto id = random_bytes<kDeviceIdBytes>(random_);
    writer.put_bytes({reinterpret_cast<const char*>(id.data()), id.size()});
    writer.put(uint64_t{clock_.unix_ms() / 1000 + limits_.device_lifetime_s});
    const std::string digits = to_hex({reinterpret_cast<const uint8_t*>(head.data()), head.size()});
    return digits + device_code(digits, attempt.account);
}

}  // namespace akidb::access
