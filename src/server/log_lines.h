// log_lines: one event of the log as one line of text or JSON (RFC 8259), without the line's end. Whatever
// the fields hold, a line stays one line and JSON stays valid: control characters are escaped, broken UTF-8
// becomes U+FFFD. Pure, thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/logger.h"

namespace akidb::server {

struct LogEvent {
    uint64_t unix_ms = 0;
    LogLevel level = LogLevel::kInfo;
    std::string_view event;
    std::initializer_list<LogField> fields;
};

/// 2026-01-31T12:00:00.000Z INFO  the port is open port=8080 reason="two words"
std::string text_line(const LogEvent& event);
/// {"time":"2026-01-31T12:00:00.000Z","level":"info","event":"the port is open","port":"8080"}
std::string json_line(const LogEvent& event);

std::string_view name_of(LogLevel level);
/// kInfo for words that are none.
LogLevel log_level_from(std::string_view name);

}  // namespace akidb::server
