// Logger: the door to the log of events (not the write-ahead log). The server gives one that writes text or
// JSON lines; tests and the simulator give NullLogger. Implementations are thread-safe and never block on a
// slow reader for long.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace akidb {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
    std::string_view key;
    std::string value;
};

class Logger {
  public:
    virtual ~Logger() = default;
    /// One event: a short constant sentence and its facts as fields. Never secrets, vectors or metadata.
    virtual void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) = 0;
    /// Whether events of this level are kept: for who would have to gather their facts first.
    virtual bool keeps(LogLevel) const { return true; }
};

class NullLogger final : public Logger {
  public:
    void log(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
    bool keeps(LogLevel) const override { return false; }
};

}  // namespace akidb
