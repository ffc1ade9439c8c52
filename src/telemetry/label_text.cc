#include "telemetry/label_text.h"

#include "base/utf8.h"

namespace akidb::telemetry {
namespace {

constexpr size_t kMaxBytes = 128;

std::vector<std::string> split(std::string_view text, char between) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const size_t end = text.find(between);
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return parts;
}

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
    return split(labels.substr(0, labels.find('=')), ',');
}

std::vector<std::string> first_values(std::string_view labels) {
    const size_t equals = labels.find('=');
    return equals == std::string_view::npos ? std::vector<std::string>()
                                            : split(labels.substr(equals + 1), '/');
}

}  // namespace akidb::telemetry
