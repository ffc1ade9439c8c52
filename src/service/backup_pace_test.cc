#include "service/backup_pace.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace akidb::service {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kSlice = BackupPace::kSliceBytes;

/// Time that passes when somebody waits, with what happens meanwhile.
class PassingTime final : public io::Clock, public io::Pause {
  public:
    uint64_t monotonic_us() const override { return now_us_; }
    uint64_t unix_ms() const override { return now_us_ / 1000; }
    bool wait_us(uint64_t duration_us) override {
        if (is_stopped_) {
            return false;
        }
        now_us_ += duration_us;
        if (meanwhile) {
            meanwhile(now_us_);
        }
        return true;
    }
    void stop() override { is_stopped_ = true; }
    void pass_us(uint64_t duration_us) { now_us_ += duration_us; }

    std::function<void(uint64_t now_us)> meanwhile;

  private:
    uint64_t now_us_ = kSecondUs;
    bool is_stopped_ = false;
};

class Letters final : public io::ReadFile {
  public:
    explicit Letters(std::string text) : text_(std::move(text)) {}
    uint64_t size() const override { return text_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        if (offset > text_.size() || count > text_.size() - offset) {
            return Error(Code::kDataLoss, "it ends before");
        }
        reads.push_back(count);
        out = text_.substr(offset, count);
        return {};
    }
    mutable std::vector<size_t> reads;

  private:
    const std::string text_;
};

class BackupPaceTest : public testing::Test {
  protected:
    /// What reading so much takes.
    uint64_t read(BackupPace& pace, uint64_t bytes) {
        const uint64_t began_us = time_.monotonic_us();
        for (uint64_t at = 0; at < bytes; at += kSlice) {
            pace.wait(kSlice);
        }
        return time_.monotonic_us() - began_us;
    }
    BackupPace paced(uint64_t rate = 32 * kMiB) { return BackupPace({time_, time_, &load_, rate}); }

    PassingTime time_;
    SearchLoad load_;
};

TEST_F(BackupPaceTest, NothingIsWaitedForWhereNobodySearches) {
    BackupPace pace = paced();
    EXPECT_EQ(read(pace, 1024 * kMiB), 0u);
    BackupPace without({time_, time_, nullptr, 32 * kMiB});
    EXPECT_EQ(read(without, 1024 * kMiB), 0u);
    const SearchLoad::Running search(load_);
    BackupPace unbounded = paced(0);
    EXPECT_EQ(read(unbounded, 1024 * kMiB), 0u);
}

TEST_F(BackupPaceTest, AfterASearchItKeepsToItsRateForASecond) {
    BackupPace pace = paced();
    { const SearchLoad::Running search(load_); }
    EXPECT_NEAR(static_cast<double>(read(pace, 24 * kMiB)), 0.75e6, 5e3);
    time_.pass_us(kSecondUs);
    EXPECT_EQ(read(pace, 1024 * kMiB), 0u);
    { const SearchLoad::Running search(load_); }
    EXPECT_NEAR(static_cast<double>(read(pace, 16 * kMiB)), 0.5e6, 5e3) << "and again with the next";
}

TEST_F(BackupPaceTest, WhatWasNotReadInTimeIsNotMadeUpFor) {
    BackupPace pace = paced();
    { const SearchLoad::Running search(load_); }
    pace.wait(kSlice);
    time_.pass_us(500'000);
    EXPECT_NEAR(static_cast<double>(read(pace, 8 * kMiB)), 0.25e6, 5e3);
}

TEST_F(BackupPaceTest, ASliceMakesWayForASearchThatRuns) {
    BackupPace pace = paced();
    auto search = std::make_unique<SearchLoad::Running>(load_);
    const uint64_t ends_us = time_.monotonic_us() + 2'000;
    time_.meanwhile = [&](uint64_t now_us) {
        if (now_us >= ends_us) {
            search.reset();
        }
    };
    pace.wait(kSlice);
    EXPECT_EQ(search, nullptr);
    EXPECT_NEAR(static_cast<double>(time_.monotonic_us()), static_cast<double>(ends_us), 500);
}

TEST_F(BackupPaceTest, UnderEndlessSearchesItGoesAtHalfItsRate) {
    BackupPace pace = paced();
    const SearchLoad::Running search(load_);
    EXPECT_NEAR(static_cast<double>(read(pace, 320 * kMiB)), 20e6, 0.1e6);
}

TEST_F(BackupPaceTest, WhoeverEndsTheServerIsNotWaitedFor) {
    BackupPace pace = paced();
    const SearchLoad::Running search(load_);
    time_.stop();
    EXPECT_EQ(read(pace, 1024 * kMiB), 0u);
}

TEST_F(BackupPaceTest, AFileIsReadInSlicesAndIsTheSame) {
    std::string text(3 * kSlice + 17, '\0');
    for (size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<char>('a' + i % 23);
    }
    const Letters file(text);
    BackupPace pace = paced();
    std::stop_source stopping;
    const std::stop_token stop = stopping.get_token();
    const PacedFile slow(file, pace, stop);
    EXPECT_EQ(slow.size(), text.size());
    std::string out = "before";
    ASSERT_TRUE(slow.read_at(0, text.size(), out));
    EXPECT_EQ(out, text);
    EXPECT_EQ(file.reads, (std::vector<size_t>{kSlice, kSlice, kSlice, 17}));
    for (const size_t count : {kSlice - 1, kSlice, kSlice + 1}) {
        ASSERT_TRUE(slow.read_at(1, count, out));
        EXPECT_EQ(out, text.substr(1, count));
    }
    ASSERT_TRUE(slow.read_at(text.size(), 0, out));
    EXPECT_EQ(out, "");
    EXPECT_EQ(slow.read_at(1, text.size(), out).error().code(), Code::kDataLoss);
    stopping.request_stop();
    EXPECT_EQ(slow.read_at(0, 1, out).error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::service
