#include "base/printable.h"

#include "base/utf8.h"

namespace akidb {
namespace {

constexpr size_t kPrintedBytesMax = 64;

}  // namespace

std::string join_names(std::span<const std::string_view> names) {
    std::string joined;
    for (std::string_view name : names) {
        joined.append(joined.empty() ? "" : ", ").append(name);
    }
    return joined;
}

std::string counted(uint64_t count, std::string_view singular) {
    return std::to_string(count) + " " + std::string(singular) + (count == 1 ? "" : "s");
}

std::string printable(std::string_view text) {
    bool cut = text.size() > kPrintedBytesMax;
    if (cut) {
        size_t end = kPrintedBytesMax;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            --end;
        }
        text = text.substr(0, end);
    }
    std::string shown(text);
    bool is_text = is_utf8(text);
    for (char& letter : shown) {
        auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x20 || byte == 0x7f || (!is_text && byte >= 0x80)) {
            letter = '?';
        }
    }
    if (cut) {
        shown.append("…");
    }
    return shown;
}

}  // namespace akidb
