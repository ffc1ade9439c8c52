// Credentials: what a client shows to say who it is, and the tokens that we give out: `ak_<id>_<secret>` for
// an API key, `as_<id>_<secret>` for a session; the id is 32 hex digits and public, the secret 43 letters and
// digits, 256 bits of the kernel's randomness. Such a secret cannot be guessed, so its SHA-256 is all we keep
// and all that is computed for a request. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/access_store.h"
#include "io/random.h"

namespace akidb::service {

/// Every header of these names that was sent, or what the metadata of a call had under them.
struct Credentials {
    std::vector<std::string> authorization;  // "Bearer <token>"
    std::vector<std::string> api_key;        // "<token>", as clients of the Qdrant dialect send it
    /// Of a browser, which sends them along with whatever a page asks for: so a request that changes
    /// something must show that it comes from our page.
    std::vector<std::string> cookies{};
    std::string csrf_token{};
    bool changes_something = false;
};

enum class TokenKind : uint8_t { kKey, kSession };

struct Token {
    TokenKind kind;
    Uuid id;
    std::string_view secret;
};

/// The one token that was sent; empty when none was. kInvalidArgument when there are several,
/// kUnauthenticated for an Authorization of another kind.
Result<std::string_view> find_token(const Credentials& given);
/// What a page that was let in by a cookie sends along, made of the session's token, which it cannot read.
std::string csrf_token_of(std::string_view session_token);
std::optional<Token> parse_token(std::string_view text);
std::string write_token(TokenKind kind, const Uuid& id, std::string_view secret);

std::string make_secret(io::Random& random);
catalog::SecretHash hash_secret(std::string_view secret);
/// In a time that tells nothing about the hash.
bool is_secret(std::string_view secret, const catalog::SecretHash& hash);

}  // namespace akidb::service
