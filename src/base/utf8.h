// UTF-8 by the letter (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF. For
// text that leaves the process through formats that demand UTF-8 (JSON, TOML, the metrics page). Pure,
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace akidb {

/// Bytes of the character at the front (1–4), or 0 when `text` is empty or the bytes there are not a
/// character.
inline size_t utf8_front_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) {
        return 0;
    }
    for (size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool is_surrogate = first == 0xed && byte(1) >= 0xa0;
    const bool is_beyond_unicode = first == 0xf4 && byte(1) >= 0x90;
    return is_overlong || is_surrogate || is_beyond_unicode ? 0 : length;
}

inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const size_t length = utf8_front_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace akidb
