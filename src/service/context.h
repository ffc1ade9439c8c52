// RequestContext: who asks, under which id, and under which key a retry is known. Immutable for the life of a
// request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/write_key.h"

namespace akidb::service {

/// Who asks. Until users exist (issue E) there is one: the operator on loopback.
struct Principal {
    std::string name = "operator";
};

struct RequestContext {
    Principal principal;
    std::string request_id;
    std::optional<model::WriteKey> write_key{};  // of a write of documents, when the client named one
};

}  // namespace akidb::service
