// RequestContext: who asks, under which id, and under which key a retry is known. Immutable for the life of a
// request.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/limits.h"
#include "model/write_key.h"
#include "service/principal.h"
#include "tracing/tracer.h"

namespace akidb::service {

struct RequestContext {
    std::shared_ptr<const Principal> principal;  // null: nobody, who may do nothing
    Uuid session{};                              // of a user who logged in
    std::string source{};                        // his address; for the audit log, as is the next
    std::string user_agent{};
    std::string request_id{};
    std::optional<model::WriteKey> write_key{};  // of a write of documents, when the client named one
    tracing::Begun traced{};

    /// Null: not recorded.
    tracing::Trace* trace() const { return traced.trace.get(); }
};

/// `[A-Za-z0-9._-]{1,64}`: whether a client may name its request so; the name stands in answers and in lines
/// of the log.
inline bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= model::kRequestIdBytesMax &&
           std::all_of(text.begin(), text.end(), [](char letter) {
               return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
           });
}

}  // namespace akidb::service
