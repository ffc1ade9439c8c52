#include "server/log_lines.h"

#include <array>
#include <cstdio>

#include "model/moment.h"

namespace akidb::server {
namespace {

// Bytes of the well-formed UTF-8 sequence that `text` begins with (Unicode 15, table 3-7), 0 when there is
// none.
size_t utf8_sequence(std::string_view text) {
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < count) {
        return 0;
    }
    const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < low || byte(1) > high) {
        return 0;
    }
    for (size_t at = 2; at < count; ++at) {
        if ((byte(at) & 0xc0) != 0x80) {
            return 0;
        }
    }
    return count;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const size_t count = utf8_sequence(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (count == 0) {
            out += "\xef\xbf\xbd";
        } else if (first == '"' || first == '\\') {
            out += '\\';
            out += text.front();
        } else if (first < 0x20 || first == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(first));
            out += escape.data();
        } else {
            out += text.substr(0, count);
        }
        text.remove_prefix(count == 0 ? 1 : count);
    }
    out += '"';
}

bool needs_quotes(std::string_view text) {
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte <= 0x20 || byte >= 0x7f || letter == '"' || letter == '\\' || letter == '=') {
            return true;
        }
    }
    return text.empty();
}

}  // namespace

std::string text_line(const LogEvent& event) {
    constexpr std::array<std::string_view, 4> kNames{" DEBUG ", " INFO  ", " WARN  ", " ERROR "};
    std::string line = model::rfc3339(event.unix_ms);
    line += kNames[static_cast<size_t>(event.level)];
    line += event.event;
    for (const LogField& field : event.fields) {
        line.append(" ").append(field.key).append("=");
        if (needs_quotes(field.value)) {
            append_quoted(line, field.value);
        } else {
            line += field.value;
        }
    }
    return line;
}

std::string json_line(const LogEvent& event) {
    std::string line = "{\"time\":\"" + model::rfc3339(event.unix_ms) + "\",\"level\":\"";
    line.append(name_of(event.level)).append("\",\"event\":");
    append_quoted(line, event.event);
    for (const LogField& field : event.fields) {
        line += ',';
        append_quoted(line, field.key);
        line += ':';
        append_quoted(line, field.value);
    }
    line += '}';
    return line;
}

std::string_view name_of(LogLevel level) {
    constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
    return kNames[static_cast<size_t>(level)];
}

LogLevel log_level_from(std::string_view name) {
    for (const LogLevel level : {LogLevel::kDebug, LogLevel::kWarning, LogLevel::kError}) {
        if (name_of(level) == name) {
            return level;
        }
    }
    return LogLevel::kInfo;
}

}  // namespace akidb::server
