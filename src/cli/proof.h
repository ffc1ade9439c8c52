// solve_proof: the proof of work that a server asks for after failed logins (docs/access.md), by the ALTCHA
// protocol, version 2: find the counter for which PBKDF2-HMAC-SHA256(nonce || counter, salt) begins with the
// prefix. A server that asks for more than a few seconds' work is refused. Pure, thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace akidb::cli {

/// `challenge` as the server tells it; what goes into `proof`. kUnavailable when it cannot be solved.
Result<std::string> solve_proof(const nlohmann::json& challenge);

}  // namespace akidb::cli
