// A jump of the wall clock is told once, with its size, and counted.
#include "server/clock_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/clock_for_tests.h"

namespace akidb::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KeptLines final : public Logger {
  public:
    void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
        std::string line(event);
        for (const LogField& field : fields) {
            line += " " + std::string(field.key) + "=" + std::string(field.value);
        }
        levels.push_back(level);
        lines.push_back(std::move(line));
    }
    std::vector<LogLevel> levels;
    std::vector<std::string> lines;
};

TEST(ClockWatch, TellsAJumpOnceWithItsSizeAndCountsIt) {
    io::HandClock clock;
    KeptLines logger;
    telemetry::Metrics metrics;
    ClockWatch watch(clock, logger, metrics);
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_clock_jumps_total{direction=\"back\"} 0"));
    clock.pass_ms(3'600'000);
    watch.tick();
    clock.wall_ms += io::kClockJumpMs - 1;
    watch.tick();
    EXPECT_TRUE(logger.lines.empty()) << "time that passes is no jump, nor is a step of a clock kept right";
    clock.wall_ms += 7'200'000;
    watch.tick();
    watch.tick();
    clock.pass_ms(1000);
    clock.wall_ms -= 3'600'000;
    watch.tick();
    EXPECT_THAT(logger.levels, ElementsAre(LogLevel::kWarning, LogLevel::kWarning));
    EXPECT_THAT(logger.lines, ElementsAre(HasSubstr("direction=forward milliseconds=7200000"),
                                          HasSubstr("direction=back milliseconds=3600000")));
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_clock_jumps_total{direction=\"forward\"} 1"));
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_clock_jumps_total{direction=\"back\"} 1"));
}

}  // namespace
}  // namespace akidb::server
