#include "objects/pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "io/http_client.h"
#include "objects/s3_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"

namespace akidb::objects {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr uint64_t kMiB = 1 << 20;

class PaceTest : public testing::Test {
  protected:
    uint64_t waited_us() const { return time_.monotonic_us() - began_us_; }

    PassingTime time_;
    const uint64_t began_us_ = time_.monotonic_us();
};

TEST_F(PaceTest, HoldsRequestsAndBytesToTheirRate) {
    Pace requests(time_, time_, {.requests_per_second = 10});
    for (int i = 0; i < 111; ++i) {
        ASSERT_TRUE(requests.wait(kMiB, Urgency::kBackground));
    }
    EXPECT_NEAR(static_cast<double>(waited_us()), 10e6, 1.1e6) << "the first second may be saved up";
    const uint64_t before_us = waited_us();
    Pace bytes(time_, time_, {.bytes_per_second = 1000});
    for (int i = 0; i < 11; ++i) {
        ASSERT_TRUE(bytes.wait(1000, Urgency::kBackground));
    }
    EXPECT_NEAR(static_cast<double>(waited_us() - before_us), 10e6, 1.1e6);
}

TEST_F(PaceTest, WithoutABudgetNothingWaits) {
    Pace pace(time_, time_, {});
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(pace.wait(kMiB, Urgency::kBackground));
        ASSERT_TRUE(pace.wait(kMiB, Urgency::kForeground));
        pace.count(kMiB, Urgency::kBackground);
    }
    EXPECT_EQ(waited_us(), 0u);
    EXPECT_EQ(pace.bytes_per_second(Urgency::kBackground), 0u);
}

TEST_F(PaceTest, TheForegroundStandsBehindNoUploadAndIsCounted) {
    Pace pace(time_, time_, {.requests_per_second = 100, .bytes_per_second = kMiB});
    ASSERT_TRUE(pace.wait(100 * kMiB, Urgency::kBackground));  // a hundred seconds' worth is on its way
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(pace.wait(kMiB / 10, Urgency::kForeground));
    }
    EXPECT_EQ(waited_us(), 0u);
    ASSERT_TRUE(pace.wait(1, Urgency::kBackground));
    EXPECT_NEAR(static_cast<double>(waited_us()), 100e6, 2e6) << "a second more, for the foreground";
    EXPECT_GT(waited_us(), 99 * kSecondUs);
}

TEST_F(PaceTest, TheForegroundKeepsToTheBudgetAsIfItWereAlone) {
    Pace pace(time_, time_, {.bytes_per_second = kMiB});
    for (int i = 0; i < 21; ++i) {
        ASSERT_TRUE(pace.wait(kMiB, Urgency::kForeground));
    }
    EXPECT_NEAR(static_cast<double>(waited_us()), 20e6, 1.1e6);
    EXPECT_EQ(pace.bytes_per_second(Urgency::kForeground), 0u);
    EXPECT_EQ(pace.bytes_per_second(Urgency::kBackground), kMiB);
}

TEST_F(PaceTest, WhatWasNotKnownBeforeIsPaidAfterwards) {
    Pace pace(time_, time_, {.bytes_per_second = kMiB});
    ASSERT_TRUE(pace.wait(0, Urgency::kBackground));
    pace.count(11 * kMiB, Urgency::kBackground);
    ASSERT_TRUE(pace.wait(0, Urgency::kBackground));
    EXPECT_NEAR(static_cast<double>(waited_us()), 10e6, 1.1e6);
}

TEST_F(PaceTest, WhoIsStoppedGetsNoTurn) {
    Pace pace(time_, time_, {.bytes_per_second = 1000});
    ASSERT_TRUE(pace.wait(10'000, Urgency::kBackground));
    time_.stop();
    EXPECT_EQ(pace.wait(1, Urgency::kBackground).error().code(), Code::kUnavailable);
}

/// What an S3 server would answer to who puts one object and reads from it; keeps when each request came.
class Bucket {
  public:
    struct Seen {
        std::string method;
        size_t bytes = 0;
        uint64_t at_us = 0;
        uint64_t bytes_per_second_max = 0;
        uint32_t timeout_ms = 0;
    };
    Bucket(const io::Clock& clock, std::string object)
        : clock_(clock), object_(std::move(object)), hash_(sha256_hex(object_)) {}

    std::unique_ptr<io::HttpClient> client() { return std::make_unique<Client>(*this); }
    const std::string& object() const { return object_; }
    const std::vector<Seen>& seen() const { return seen_; }

  private:
    class Client final : public io::HttpClient {
      public:
        explicit Client(Bucket& bucket) : bucket_(bucket) {}
        Result<io::HttpReply> send(const io::HttpRequest& request) override {
            return bucket_.answer(request);
        }

      private:
        Bucket& bucket_;
    };

    Result<io::HttpReply> answer(const io::HttpRequest& request) {
        const std::lock_guard lock(mutex_);
        seen_.push_back({request.method, request.body.size(), clock_.monotonic_us(),
                         request.bytes_per_second_max, request.timeout_ms});
        io::HttpReply reply{.status = 200, .headers = {{"etag", "\"tag\""}}};
        if (request.method == "HEAD") {
            reply.headers.emplace_back("content-length", std::to_string(object_.size()));
            reply.headers.emplace_back("x-amz-meta-akidb-sha256", hash_);
        } else if (request.url.ends_with("uploads=")) {
            reply.body =
                "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
        } else if (request.method == "POST") {
            reply.body = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
        } else if (request.method == "GET") {
            reply.status = 206;
            reply.body = object_.substr(0, kMiB);
            reply.headers.emplace_back("content-range", "bytes 0-" + std::to_string(kMiB - 1) + "/*");
        }
        return reply;
    }

    const io::Clock& clock_;
    const std::string object_;
    const std::string hash_;
    std::mutex mutex_;
    std::vector<Seen> seen_;
};

TEST_F(PaceTest, AnUploadInPartsFlowsEvenlyAndASearchMeanwhileDoesNotWait) {
    Pace pace(time_, time_, {.bytes_per_second = 4 * kMiB});
    Bucket bucket(time_, std::string(80 * kMiB, 'x'));
    const auto store = [&](Urgency urgency) {
        return make_s3_store({.endpoint = "http://127.0.0.1:1",
                              .bucket = "bucket",
                              .timeout_ms = 60'000,
                              .pace = &pace,
                              .urgency = urgency},
                             lasting({"key", Secret("secret")}), time_, [&] { return bucket.client(); })
            .value();
    };
    const auto uploads = store(Urgency::kBackground);
    const auto searches = store(Urgency::kForeground);
    const TextFile file(bucket.object());
    ASSERT_TRUE(uploads->put_file("large", {file, file.size(), sha256_hex(bucket.object())}));
    std::vector<uint64_t> begun_us;
    for (const Bucket::Seen& seen : bucket.seen()) {
        if (seen.method == "PUT") {
            begun_us.push_back(seen.at_us - began_us_);
            EXPECT_EQ(seen.bytes, 16 * kMiB);
            EXPECT_EQ(seen.bytes_per_second_max, 4 * kMiB);
            EXPECT_NEAR(seen.timeout_ms, 64'000, 100) << "its own time, and the four seconds that it flows";
        }
    }
    ASSERT_EQ(begun_us.size(), 5u);
    for (size_t i = 0; i + 1 < begun_us.size(); ++i) {
        EXPECT_NEAR(static_cast<double>(begun_us[i + 1] - begun_us[i]), 4e6, i == 0 ? 1.1e6 : 1e5);
    }
    ASSERT_TRUE(pace.wait(400 * kMiB, Urgency::kBackground));  // another upload has its turn
    const uint64_t before_us = time_.monotonic_us();
    ASSERT_TRUE(searches->get_range("large", {0, kMiB}));
    EXPECT_EQ(time_.monotonic_us(), before_us);
    EXPECT_EQ(bucket.seen().back().bytes_per_second_max, 0u);
    ASSERT_TRUE(uploads->get_range("large", {0, kMiB}));
    EXPECT_NEAR(static_cast<double>(time_.monotonic_us() - before_us), 100e6, 2e6);
}

}  // namespace
}  // namespace akidb::objects
