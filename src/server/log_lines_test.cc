#include "server/log_lines.h"

#include <gtest/gtest.h>

namespace akidb::server {
namespace {

TEST(LogLines, WriteTextWithQuotesOnlyWhereNeeded) {
    EXPECT_EQ(
        text_line(
            {1769860800123, LogLevel::kWarning, "a thing happened", {{"port", "8080"}, {"why", "no room"}}}),
        "2026-01-31T12:00:00.123Z WARN  a thing happened port=8080 why=\"no room\"");
}

TEST(LogLines, StayOneLineWhateverTheFieldHolds) {
    const LogEvent event{0, LogLevel::kInfo, "x", {{"name", "a\nb\x1b[31m\"\\"}}};
    EXPECT_EQ(text_line(event), "1970-01-01T00:00:00.000Z INFO  x name=\"a\\u000ab\\u001b[31m\\\"\\\\\"");
    EXPECT_EQ(json_line(event),
              "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"x\","
              "\"name\":\"a\\u000ab\\u001b[31m\\\"\\\\\"}");
}

TEST(LogLines, ReplaceBrokenUtf8AndKeepTheRest) {
    // A lone continuation byte, an overlong slash, a surrogate, a cut sequence; then valid letters of 2, 3
    // and 4 bytes.
    const std::string broken = "\x80|\xc0\xaf|\xed\xa0\x80|\xe2\x82";
    const std::string replacement = "\xef\xbf\xbd";
    const std::string expected = replacement + "|" + replacement + replacement + "|" + replacement +
                                 replacement + replacement + "|" + replacement + replacement;
    EXPECT_NE(json_line({0, LogLevel::kError, "x", {{"f", broken}}}).find("\"" + expected + "\""),
              std::string::npos);
    const std::string valid = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    EXPECT_NE(json_line({0, LogLevel::kError, "x", {{"f", valid}}}).find(valid), std::string::npos);
}

TEST(LogLines, LevelsSurviveTheirNames) {
    for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
        EXPECT_EQ(log_level_from(name_of(level)), level);
    }
}

}  // namespace
}  // namespace akidb::server
