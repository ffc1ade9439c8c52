#include "cli/proof.h"

#include <openssl/evp.h>

#include <charconv>
#include <cstdint>
#include <vector>

namespace akidb::cli {
namespace {

using Json = nlohmann::json;
using Bytes = std::vector<uint8_t>;

// Rounds of HMAC in all: some ten seconds of a slow core. Our servers ask for 225,000 at most.
constexpr uint64_t kRoundsMax = 20'000'000;
constexpr size_t kFieldBytesMax = 64;

Error unsolvable(const std::string& why) {
    return Error(Code::kUnavailable, "the proof of work cannot be solved: " + why);
}

Result<Bytes> bytes_of(const Json& parameters, const char* name) {
    const std::string text = parameters.value(name, std::string());
    Bytes bytes(text.size() / 2);
    for (size_t i = 0; i < bytes.size(); ++i) {
        const char* const at = text.data() + 2 * i;
        if (std::from_chars(at, at + 2, bytes[i], 16).ptr != at + 2) {
            return unsolvable(std::string(name) + " is not hexadecimal");
        }
    }
    if (text.size() % 2 != 0 || bytes.empty() || bytes.size() > kFieldBytesMax) {
        return unsolvable(std::string(name) + " has " + std::to_string(text.size()) + " digits");
    }
    return bytes;
}

std::string hex_of(const Bytes& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : bytes) {
        text.append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return text;
}

std::string base64_of(const std::string& text) {
    std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    encoded.resize(static_cast<size_t>(size));
    return encoded;
}

}  // namespace

Result<std::string> solve_proof(const Json& challenge) {
    const Json parameters = challenge.value("parameters", Json::object());
    if (parameters.value("algorithm", std::string()) != "PBKDF2/SHA-256") {
        return unsolvable("its algorithm is not PBKDF2/SHA-256");
    }
    AKIDB_TRY(const Bytes nonce, bytes_of(parameters, "nonce"));
    AKIDB_TRY(const Bytes salt, bytes_of(parameters, "salt"));
    const std::string prefix = parameters.value("keyPrefix", std::string());
    const auto cost = parameters.value("cost", uint64_t{0});
    const auto key_bytes = parameters.value("keyLength", uint64_t{0});
    if (cost == 0 || cost > kRoundsMax || key_bytes == 0 || key_bytes > kFieldBytesMax) {
        return unsolvable("its cost or length is out of range");
    }
    for (uint32_t counter = 0; counter * cost <= kRoundsMax; ++counter) {
        Bytes password = nonce;
        for (const int shift : {24, 16, 8, 0}) {
            password.push_back(static_cast<uint8_t>(counter >> shift));
        }
        Bytes key(key_bytes);
        if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                              static_cast<int>(password.size()), salt.data(), static_cast<int>(salt.size()),
                              static_cast<int>(cost), EVP_sha256(), static_cast<int>(key.size()),
                              key.data()) != 1) {
            return unsolvable("PBKDF2 failed");
        }
        const std::string digits = hex_of(key);
        if (digits.starts_with(prefix)) {
            const Json solution{{"counter", counter}, {"derivedKey", digits}, {"time", 0}};
            return base64_of(Json{{"challenge", challenge}, {"solution", solution}}.dump());
        }
    }
    return unsolvable("it asks for too much work");
}

}  // namespace akidb::cli
