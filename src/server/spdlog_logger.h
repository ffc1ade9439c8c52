// SpdlogLogger: the Logger of the running server: lines go through a bounded queue to standard error, written
// by a thread of its own. When the reader of standard error is slow and the queue is full the oldest lines
// are dropped, so a request never waits for a log line. What is queued is written in the destructor.
// Thread-safe.
#pragma once

#include <memory>
#include <string_view>

#include "base/logger.h"
#include "io/clock.h"

namespace akidb::server {

class AdjustableLogger : public Logger {
  public:
    virtual void set_level(LogLevel level) = 0;
};

struct LoggerOptions {
    LogLevel level = LogLevel::kInfo;
    bool json = false;
};

std::unique_ptr<AdjustableLogger> make_spdlog_logger(LoggerOptions options, const io::Clock& clock);

}  // namespace akidb::server
