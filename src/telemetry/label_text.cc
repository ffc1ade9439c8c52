#include "telemetry/label_text.h"

#include <cstdint>

namespace akidb::telemetry {
namespace {

constexpr size_t kMaxBytes = 128;

// Length of the UTF-8 character at the front (Unicode 15, table 3-7), or 0 when the bytes are not one.
size_t character_length(std::string_view text) {
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

}  // namespace

std::string label_text(std::string_view value) {
    std::string text;
    while (!value.empty()) {
        const size_t length = character_length(value);
        // NUL is UTF-8, but ends the line for tools that read C strings.
        const bool is_kept = length > 0 && value.front() != '\0';
        const std::string_view character = is_kept ? value.substr(0, length) : "?";
        if (text.size() + character.size() > kMaxBytes) {
            break;
        }
        text += character;
        value.remove_prefix(is_kept ? length : 1);
    }
    return text;
}

std::vector<std::string> split_labels(std::string_view labels) {
    std::vector<std::string> names;
    while (!labels.empty()) {
        const size_t comma = labels.find(',');
        names.emplace_back(labels.substr(0, comma));
        labels.remove_prefix(comma == std::string_view::npos ? labels.size() : comma + 1);
    }
    return names;
}

}  // namespace akidb::telemetry
