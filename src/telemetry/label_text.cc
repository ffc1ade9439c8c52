#include "telemetry/label_text.h"

#include "base/utf8.h"

namespace akidb::telemetry {
namespace {

constexpr size_t kMaxBytes = 128;

}  // namespace

std::string label_text(std::string_view value) {
    std::string text;
    while (!value.empty()) {
        const size_t length = utf8_front_length(value);
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
