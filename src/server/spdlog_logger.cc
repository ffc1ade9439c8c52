#include "server/spdlog_logger.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "server/log_lines.h"

namespace akidb::server {
namespace {

constexpr size_t kQueueLines = 8192;

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return spdlog::level::debug;
        case LogLevel::kInfo:
            return spdlog::level::info;
        case LogLevel::kWarning:
            return spdlog::level::warn;
        case LogLevel::kError:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

class SpdlogLogger final : public AdjustableLogger {
  public:
    SpdlogLogger(LoggerOptions options, const io::Clock& clock)
        : json_(options.json),
          clock_(clock),
          thread_(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
          logger_(std::make_shared<spdlog::async_logger>(
              "akidb", std::make_shared<spdlog::sinks::stderr_sink_mt>(), thread_,
              spdlog::async_overflow_policy::overrun_oldest)) {
        logger_->set_pattern("%v");
        // A log that cannot be written must not end the server or fill the log.
        logger_->set_error_handler([](const std::string&) {});
        logger_->set_level(level_of(options.level));
    }

    void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
        if (!logger_->should_log(level_of(level))) {
            return;
        }
        const LogEvent line{clock_.unix_ms(), level, event, fields};
        logger_->log(level_of(level), spdlog::string_view_t(json_ ? json_line(line) : text_line(line)));
    }

    bool keeps(LogLevel level) const override { return logger_->should_log(level_of(level)); }
    void set_level(LogLevel level) override { logger_->set_level(level_of(level)); }

  private:
    bool json_;
    const io::Clock& clock_;
    std::shared_ptr<spdlog::details::thread_pool> thread_;
    std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

std::unique_ptr<AdjustableLogger> make_spdlog_logger(LoggerOptions options, const io::Clock& clock) {
    return std::make_unique<SpdlogLogger>(options, clock);
}

}  // namespace akidb::server
