#include "settings/text.h"

#include <algorithm>

#include "base/utf8.h"

namespace akidb::settings {
namespace {

constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxShownBytes = 80;

std::string_view last_word(std::string_view key) {
    const size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> two_ago(b.size() + 1);
    std::vector<size_t> previous(b.size() + 1);
    std::vector<size_t> current(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        current[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        two_ago.swap(previous);
        previous.swap(current);
        current[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], two_ago[j - 2] + 1);
            }
        }
    }
    return current[b.size()];
}

std::string nearest_of(std::string_view name, const std::vector<std::string>& candidates) {
    if (name.size() > kMaxNameBytes) {
        return {};
    }
    std::string best;
    size_t best_distance = SIZE_MAX;
    for (const std::string& candidate : candidates) {
        const size_t distance = edit_distance(name, candidate);
        const size_t allowed = std::max<size_t>(2, std::max(name.size(), candidate.size()) / 3);
        if (distance <= allowed && distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    if (!best.empty()) {
        return best;
    }
    for (const std::string& candidate : candidates) {
        if (last_word(candidate) == last_word(name)) {
            if (!best.empty()) {
                return {};
            }
            best = candidate;
        }
    }
    return best;
}

std::string quoted(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    while (!text.empty()) {
        const size_t length = utf8_front_length(text);
        const auto front = static_cast<uint8_t>(text.front());
        if (length == 0) {
            out += "\xef\xbf\xbd";
        } else if (front == '"' || front == '\\') {
            out += '\\';
            out += text.front();
        } else if (front == '\n') {
            out += "\\n";
        } else if (front < 0x20 || front == 0x7f) {
            out += "\\u00";
            out += kHex[front >> 4];
            out += kHex[front & 15];
        } else if (length == 2 && front == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0) {  // C1 controls
            out += "\\u00";
            out += kHex[static_cast<uint8_t>(text[1]) >> 4];
            out += kHex[static_cast<uint8_t>(text[1]) & 15];
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    return out + '"';
}

std::string quoted_short(std::string_view text) {
    if (text.size() <= kMaxShownBytes) {
        return quoted(text);
    }
    size_t cut = 0;
    for (size_t length = 1; cut < text.size(); cut += length) {
        length = std::max<size_t>(utf8_front_length(text.substr(cut)), 1);
        if (cut + length > kMaxShownBytes) {
            break;
        }
    }
    return quoted(text.substr(0, cut)) + "…";
}

}  // namespace akidb::settings
