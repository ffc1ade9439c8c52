// W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/): to which trace a request belongs, as
// its headers `traceparent` and `tracestate` say. Anybody may have written them: what is malformed is as if
// it had not been sent, so the trace begins here, and no request fails for it. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::tracing {

template <size_t kBytes>
struct Id {
    std::array<uint8_t, kBytes> bytes{};

    /// All zeros: no id.
    bool is_none() const {
        return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
    }
    /// Lower-case hex.
    std::string to_string() const {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string text;
        for (const uint8_t byte : bytes) {
            text.append({kDigits[byte >> 4], kDigits[byte & 15]});
        }
        return text;
    }
    auto operator<=>(const Id&) const = default;
};
using TraceId = Id<16>;
using SpanId = Id<8>;

/// As they came, each that was sent.
struct TraceHeaders {
    std::vector<std::string> parents{};
    std::vector<std::string> states{};
};

struct ParentContext {
    TraceId trace;
    SpanId span;
    bool is_sampled = false;
    std::string state{};  // of other tracing systems, to be handed on; empty when none or malformed
};

/// None unless there is exactly one parent and it is well-formed.
std::optional<ParentContext> parse_parent(const TraceHeaders& headers);

}  // namespace akidb::tracing
