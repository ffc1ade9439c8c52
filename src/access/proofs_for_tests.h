// A solver for proofs of work, for tests that are about what a solution does; that strangers' solvers agree
// is tested with the npm package (tests/clients). Solves with the counters tried one by one. For tests only.
#pragma once

#include <openssl/evp.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "access/sodium.h"

namespace akidb::access {

inline nlohmann::json solution_of(const nlohmann::json& challenge) {
    const nlohmann::json& parameters = challenge.at("parameters");
    std::array<uint8_t, 16> nonce{};
    std::array<uint8_t, 16> salt{};
    from_hex(parameters.at("nonce").get<std::string>(), nonce);
    from_hex(parameters.at("salt").get<std::string>(), salt);
    for (uint32_t counter = 0;; ++counter) {
        std::string password(nonce.begin(), nonce.end());
        for (const int shift : {24, 16, 8, 0}) {
            password += static_cast<char>(counter >> shift);
        }
        std::array<uint8_t, 32> key{};
        PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(), 16,
                          parameters.at("cost").get<int>(), EVP_sha256(), 32, key.data());
        if (to_hex(key).starts_with(parameters.at("keyPrefix").get<std::string>())) {
            return {{"counter", counter}, {"derivedKey", to_hex(key)}, {"time", 12.5}};
        }
    }
}

inline std::string payload_of(const nlohmann::json& challenge, const nlohmann::json& solution) {
    const std::string text = nlohmann::json{{"challenge", challenge}, {"solution", solution}}.dump();
    return to_base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

inline std::string solved(std::string_view challenge) {
    const nlohmann::json parsed = nlohmann::json::parse(challenge);
    return payload_of(parsed, solution_of(parsed));
}

}  // namespace akidb::access
