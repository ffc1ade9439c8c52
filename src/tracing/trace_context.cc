#include "tracing/trace_context.h"

#include <set>

namespace akidb::tracing {
namespace {

constexpr size_t kVersion00Bytes = 55;  // "00-<32>-<16>-<2>"
// Who passes a state on must manage this much of it, and may leave out what is longer.
constexpr size_t kStateBytesMax = 512;
constexpr size_t kStateMembersMax = 32;
constexpr size_t kStateTextBytesMax = 256;  // of a key, and of a value

/// Capitals are malformed here.
std::optional<uint8_t> digit_of(char letter) {
    if (letter >= '0' && letter <= '9') {
        return static_cast<uint8_t>(letter - '0');
    }
    if (letter >= 'a' && letter <= 'f') {
        return static_cast<uint8_t>(letter - 'a' + 10);
    }
    return std::nullopt;
}

template <size_t kBytes>
bool read_hex(std::string_view text, std::array<uint8_t, kBytes>& bytes) {
    for (size_t i = 0; i < kBytes; ++i) {
        const std::optional<uint8_t> high = digit_of(text[2 * i]);
        const std::optional<uint8_t> low = digit_of(text[2 * i + 1]);
        if (!high || !low) {
            return false;
        }
        bytes[i] = static_cast<uint8_t>(*high << 4 | *low);
    }
    return true;
}

/// A version that is not known yet may have more behind these four parts, and begins with them.
std::optional<ParentContext> read_parent(std::string_view text) {
    std::array<uint8_t, 1> version{};
    std::array<uint8_t, 1> flags{};
    ParentContext found;
    if (text.size() < kVersion00Bytes || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        !read_hex(text.substr(0, 2), version) || !read_hex(text.substr(3, 32), found.trace.bytes) ||
        !read_hex(text.substr(36, 16), found.span.bytes) || !read_hex(text.substr(53, 2), flags)) {
        return std::nullopt;
    }
    const bool has_more = text.size() > kVersion00Bytes;
    if (version[0] == 0xff || (has_more && (version[0] == 0 || text[kVersion00Bytes] != '-')) ||
        found.trace.is_none() || found.span.is_none()) {
        return std::nullopt;
    }
    found.is_sampled = (flags[0] & 1) != 0;
    return found;
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_key(std::string_view text) {
    constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::string_view kAny = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@";
    return !text.empty() && text.size() <= kStateTextBytesMax &&
           kFirst.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(kAny) == std::string_view::npos;
}

bool is_value(std::string_view text) {
    return !text.empty() && text.size() <= kStateTextBytesMax && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [](char letter) {
               return letter >= ' ' && letter <= '~' && letter != ',' && letter != '=';
           });
}

/// Empty when anything about it is wrong: a state is kept whole or not at all.
std::string read_state(const std::vector<std::string>& headers) {
    std::set<std::string_view> keys;
    std::string state;
    for (const std::string& header : headers) {
        for (std::string_view rest = header; !rest.empty();) {
            const size_t comma = std::min(rest.find(','), rest.size());
            const std::string_view member = trimmed(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            if (member.empty()) {
                continue;
            }
            const size_t equals = member.find('=');
            if (equals == std::string_view::npos || !is_key(member.substr(0, equals)) ||
                !is_value(member.substr(equals + 1)) || !keys.insert(member.substr(0, equals)).second ||
                keys.size() > kStateMembersMax || state.size() + member.size() + 1 > kStateBytesMax) {
                return {};
            }
            state.append(state.empty() ? "" : ",").append(member);
        }
    }
    return state;
}

}  // namespace

std::optional<ParentContext> parse_parent(const TraceHeaders& headers) {
    if (headers.parents.size() != 1) {
        return std::nullopt;
    }
    std::optional<ParentContext> found = read_parent(headers.parents.front());
    if (found) {
        found->state = read_state(headers.states);
    }
    return found;
}

}  // namespace akidb::tracing
