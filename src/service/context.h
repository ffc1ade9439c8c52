// RequestContext: who asks, under which id, and how long there is. Immutable for the life of a request.
#pragma once

#include <cstdint>
#include <string>

namespace akidb::service {

/// Who asks. Until users exist (issue E) there is one: the operator on loopback.
struct Principal {
    std::string name = "operator";
};

struct RequestContext {
    Principal principal;
    std::string request_id;
};

}  // namespace akidb::service
