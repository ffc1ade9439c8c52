#include "access/proof_of_work.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "access/sodium.h"
#include "base/assert.h"

namespace akidb::access {
namespace {

constexpr uint64_t kLifetimeS = 300;
constexpr size_t kChallengeSaltBytes = 16;
constexpr size_t kKeyBytes = 32;
constexpr size_t kPrefixBytes = kKeyBytes / 2;
constexpr size_t kPayloadBytesMax = 4096;
constexpr std::string_view kAlgorithm = "PBKDF2/SHA-256";
constexpr std::string_view kHowTo = "the widget's payload for a challenge of this server";

using Json = nlohmann::json;  // keeps names sorted, and writes as JSON.stringify does
using Key = std::array<uint8_t, kKeyBytes>;

Error refusal(std::string why) {
    return invalid_argument("proof", "the proof of work " + std::move(why), std::string(kHowTo));
}

Key derive(std::span<const uint8_t> nonce, std::span<const uint8_t> salt, uint32_t counter,
           uint32_t iterations) {
    std::string password(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    for (int shift = 24; shift >= 0; shift -= 8) {
        password += static_cast<char>(counter >> shift);
    }
    Key key{};
    const int outcome = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                          static_cast<int>(salt.size()), static_cast<int>(iterations),
                                          EVP_sha256(), static_cast<int>(key.size()), key.data());
    AKIDB_ASSERT(outcome == 1);
    return key;
}

std::string text_at(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<uint64_t> number_at(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_number_unsigned() ? std::optional(found->get<uint64_t>())
                                                                : std::nullopt;
}

Json member(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() ? *found : Json();
}

/// Only what this server signs comes through, so later reads of it need no doubt.
bool is_signed(const Json& parameters, const std::string& signature, std::span<const uint8_t> key) {
    Sha256 given{};
    return from_hex(signature, given) &&
           equal_in_constant_time(
               given, hmac_sha256(key, parameters.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

}  // namespace

ProofOfWork::ProofOfWork(const io::Clock& clock, io::Random& random, ProofCost cost, size_t used_max)
    : clock_(clock), random_(random), cost_(cost), used_max_(used_max), key_(random_bytes<32>(random)) {
    require_sodium();
    AKIDB_ASSERT(cost.counter_min <= cost.counter_max);
}

/// A digest, so that the challenge tells nothing about whom it is for.
std::string ProofOfWork::binding(const ProofPurpose& purpose) const {
    return to_hex(sha256_of_parts({{reinterpret_cast<const char*>(key_.data()), key_.size()},
                                   purpose.route,
                                   purpose.account,
                                   purpose.source}));
}

std::string ProofOfWork::make_challenge(const ProofPurpose& purpose) {
    const Nonce nonce = random_bytes<kNonceBytes>(random_);
    const auto salt = random_bytes<kChallengeSaltBytes>(random_);
    const uint32_t counter =
        cost_.counter_min +
        static_cast<uint32_t>(random_.next_u64() % (uint64_t{cost_.counter_max} - cost_.counter_min + 1));
    const Key key = derive(nonce, salt, counter, cost_.iterations);
    const Json parameters{{"algorithm", kAlgorithm},
                          {"cost", cost_.iterations},
                          {"data", {{"bind", binding(purpose)}}},
                          {"expiresAt", clock_.unix_ms() / 1000 + kLifetimeS},
                          {"keyLength", kKeyBytes},
                          {"keyPrefix", to_hex(std::span(key).first<kPrefixBytes>())},
                          {"nonce", to_hex(nonce)},
                          {"salt", to_hex(salt)}};
    const std::string signature = to_hex(hmac_sha256(key_, parameters.dump()));
    return Json{{"parameters", parameters}, {"signature", signature}}.dump();
}

Result<void> ProofOfWork::accept(std::string_view payload, const ProofPurpose& purpose) {
    if (payload.size() > kPayloadBytesMax) {
        return refusal("is longer than " + std::to_string(kPayloadBytesMax) + " bytes");
    }
    const std::optional<std::string> text = from_base64(payload);
    const Json parsed = text ? Json::parse(*text, nullptr, false) : Json(Json::value_t::discarded);
    if (parsed.is_discarded()) {
        return refusal("is not base64 of JSON");
    }
    const Json challenge = member(parsed, "challenge");
    const Json solution = member(parsed, "solution");
    const Json parameters = member(challenge, "parameters");
    if (!is_signed(parameters, text_at(challenge, "signature"), key_)) {
        return refusal("answers no challenge of this server, or of one that was restarted since");
    }
    const uint64_t expires_at_s = number_at(parameters, "expiresAt").value_or(0);
    if (expires_at_s <= clock_.unix_ms() / 1000) {
        return refusal("is too late");
    }
    if (text_at(member(parameters, "data"), "bind") != binding(purpose)) {
        return refusal("answers a challenge for another account, source or purpose");
    }
    Nonce nonce{};
    std::array<uint8_t, kChallengeSaltBytes> salt{};
    Key claimed{};
    const std::optional<uint64_t> counter = number_at(solution, "counter");
    if (!from_hex(text_at(parameters, "nonce"), nonce) || !from_hex(text_at(parameters, "salt"), salt) ||
        !from_hex(text_at(solution, "derivedKey"), claimed) || !counter || *counter > UINT32_MAX) {
        return refusal("has no solution of the right form");
    }
    const Key key = derive(nonce, salt, static_cast<uint32_t>(*counter),
                           static_cast<uint32_t>(number_at(parameters, "cost").value_or(1)));
    if (!equal_in_constant_time(key, claimed) ||
        to_hex(std::span(key).first<kPrefixBytes>()) != text_at(parameters, "keyPrefix")) {
        return refusal("is wrong");
    }
    return use_up(nonce, expires_at_s);
}

Result<void> ProofOfWork::use_up(const Nonce& nonce, uint64_t expires_at_s) {
    const uint64_t now_s = clock_.unix_ms() / 1000;
    MutexLock lock(mutex_);
    if (used_.contains(nonce)) {
        return refusal("was used before");
    }
    if (used_.size() >= used_max_) {
        std::erase_if(used_, [&](const auto& entry) { return entry.second <= now_s; });
        if (used_.size() >= used_max_) {
            return Error(Code::kUnavailable, "too many proofs of work were used in the last minutes")
                .with_retry_after(30);
        }
    }
    used_.emplace(nonce, expires_at_s);
    return {};
}

}  // namespace akidb::access
