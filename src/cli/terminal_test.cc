#include "cli/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace akidb::cli {
namespace {

/// A terminal, and the person before it.
class TerminalTest : public testing::Test {
  protected:
    void SetUp() override {
        person_ = ::posix_openpt(O_RDWR | O_NOCTTY);
        ASSERT_GE(person_, 0);
        ASSERT_EQ(::grantpt(person_), 0);
        ASSERT_EQ(::unlockpt(person_), 0);
        terminal_ = ::open(::ptsname(person_), O_RDWR | O_NOCTTY);
        ASSERT_GE(terminal_, 0);
    }
    void TearDown() override {
        ::close(terminal_);
        ::close(person_);
    }
    bool is_shown() const {
        termios now{};
        EXPECT_EQ(::tcgetattr(terminal_, &now), 0);
        return (now.c_lflag & ECHO) != 0;
    }
    std::string see_until(char last) const {
        std::string seen;
        for (char letter = 0; seen.empty() || seen.back() != last; seen.push_back(letter)) {
            EXPECT_EQ(::read(person_, &letter, 1), 1);
        }
        return seen;
    }
    void type(const std::string& letters) const {
        EXPECT_EQ(::write(person_, letters.data(), letters.size()), static_cast<ssize_t>(letters.size()));
    }
    /// What was read, and all that the person saw.
    std::pair<Result<std::string>, std::string> answer(const std::string& letters, size_t bytes_max = 64) {
        Result<std::string> line = Error(Code::kInternal, "not asked");
        std::jthread reader([&] { line = read_hidden_line(terminal_, "Password: ", bytes_max); });
        std::string seen = see_until(' ');
        EXPECT_FALSE(is_shown());
        type(letters);
        seen += see_until('\n');
        reader.join();
        EXPECT_TRUE(is_shown()) << "as it was before";
        return {std::move(line), seen};
    }

    int person_ = -1;
    int terminal_ = -1;
};

TEST_F(TerminalTest, ASecretIsTypedAndNotShown) {
    const auto [line, seen] = answer("s3cret word\n");
    ASSERT_TRUE(line);
    EXPECT_EQ(*line, "s3cret word");
    EXPECT_EQ(seen, "Password: \r\n");
}

TEST_F(TerminalTest, TypingMistakesCanBeTakenBack) {
    EXPECT_EQ(*answer("wrong\x15right\n").first, "right");
    EXPECT_EQ(*answer("sex\x7f\bcret\n").first, "scret");
    EXPECT_EQ(*answer("\x7f\x7f\xc3\xa9\x7fok\n").first, "ok") << "a letter of two bytes is one";
}

TEST_F(TerminalTest, ItEnds) {
    EXPECT_EQ(answer("\x04").first.error().code(), Code::kCancelled);
    EXPECT_EQ(*answer("all\x04").first, "all");
    EXPECT_EQ(answer(std::string(1'000, 'x') + "\n", 100).first->size(), 101u)
        << "one more tells that it is too long";
    EXPECT_EQ(*answer("\n").first, "");
}

TEST(Terminal, WhatIsNoneIsNotAskedAt) {
    const int nothing = ::open("/dev/null", O_RDWR);
    EXPECT_FALSE(read_hidden_line(nothing, "Password: ", 64));
    ::close(nothing);
}

}  // namespace
}  // namespace akidb::cli
