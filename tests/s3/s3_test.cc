// S3Store against a real server (s3_test.sh starts one): the suite that every object store passes, and then
// through a proxy that spoils requests and replies in over twenty ways: nothing is told to be there that is
// not, no wrong bytes are handed out, and the breaker opens and closes by its figures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

#include "fault_proxy.h"
#include "gateway.h"
#include "objects/breaker.h"
#include "objects/conformance.h"
#include "objects/retrying_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"

namespace akidb::s3_test {
namespace {

using objects::Breaker;
using objects::BreakerState;
using objects::Finding;
using objects::kObjectBytesMax;
using objects::kSinglePutBytesMax;
using objects::ObjectPage;
using objects::ObjectStore;
using objects::PassingTime;
using objects::PutMode;

class S3 : public testing::Test {
  protected:
    io::ThreadPool part_senders_{{.name = "parts", .threads = 2}};
    Gateway gateway_{.part_senders = &part_senders_};
    std::unique_ptr<io::Random> random_ = io::make_system_random();
};

TEST_F(S3, Conforms) {
    const auto s3 = gateway_.store(gateway_.port(), "backups/of-a.b_c");
    size_t promises = 0;
    EXPECT_TRUE(objects::probe_store(*s3, *random_, [&](const Finding& finding) {
        ++promises;
        EXPECT_EQ(finding.fault, "") << finding.promise;
    }));
    EXPECT_EQ(promises, 9u);
}

TEST_F(S3, NamesWhatIsWrongWithTheCredentialsAndTheBucket) {
    gateway_.secret = "wrong";
    const Result<ObjectPage> refused = gateway_.store(gateway_.port(), "")->list({});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("the secret key is wrong"));
    gateway_.secret = variable("AWS_SECRET_ACCESS_KEY");
    gateway_.bucket = "no-such-bucket";
    const Result<ObjectPage> missing = gateway_.store(gateway_.port(), "")->list({});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("there is no such bucket"));
    EXPECT_EQ(gateway_.store(gateway_.port(), "")->put("a", "b", PutMode::kOverwrite).error().code(),
              Code::kInvalidArgument);
}

TEST_F(S3, ABreakerOpensInFrontOfAServerThatFailsAndClosesAgain) {
    FaultProxy proxy(gateway_.port(), 0, 1);
    const auto s3 = gateway_.store(proxy.port(), "breaker");
    PassingTime time;
    Breaker breaker(time, {});
    const auto guarded = objects::make_breaking_store(*s3, breaker);
    proxy.set_only(Fault::k503SlowDown);
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(guarded->put("a", "b", PutMode::kOverwrite));
    }
    EXPECT_EQ(breaker.state(), BreakerState::kOpen);
    EXPECT_EQ(proxy.count(Fault::k503SlowDown), 10u) << "the server is left alone from the tenth on";
    proxy.set_only(Fault::kNone);
    time.pass_us(300'000'000);
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(guarded->put("a", "b", PutMode::kOverwrite));
    }
    EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

/// What one thread does through the proxy; its names are its own.
class Storm {
  public:
    Storm(ObjectStore& spoilt, ObjectStore& clean, uint64_t seed)
        : spoilt_(spoilt),
          clean_(clean),
          random_(io::make_seeded_random(seed)),
          name_(std::to_string(seed)) {}

    void step() {
        const std::string key = name_ + "/" + std::to_string(random_->next_u64() % 8);
        switch (random_->next_u64() % 6) {
            case 0:
            case 1:
                return put(key);
            case 2:
                return create(name_ + "/new/" + std::to_string(random_->next_u64()));
            case 3:
                return get(key);
            case 4:
                return head(key);
            default:
                return remove_or_list(key);
        }
    }

    void put_parts() {
        const std::string key = name_ + "/large";
        const std::string content = make(kSinglePutBytesMax + 1 + random_->next_u64() % 1000);
        class Whole final : public io::ReadFile {
          public:
            explicit Whole(const std::string& bytes) : bytes_(bytes) {}
            uint64_t size() const override { return bytes_.size(); }
            Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
                out = bytes_.substr(offset, count);
                return {};
            }

          private:
            const std::string& bytes_;
        } file(content);
        settle(key, content, spoilt_.put_file(key, {file, content.size(), objects::sha256_hex(content)}));
    }

  private:
    std::string make(uint64_t bytes) {
        std::string content;
        while (content.size() < bytes) {
            content += std::to_string(random_->next_u64());
        }
        content.resize(bytes);
        return content;
    }

    /// A put that succeeded is there, whole; one that did not may be.
    void settle(const std::string& key, const std::string& content, const Result<void>& done) {
        if (!done) {
            possible_[key].insert(content);
            return;
        }
        const auto there = clean_.get(key, kObjectBytesMax);
        ASSERT_TRUE(there) << "told to be put, and not there: " << there.error().message();
        ASSERT_TRUE(*there == content) << "told to be put, and something else is there";
        possible_[key] = {content};
        certain_.insert(key);
    }

    void put(const std::string& key) {
        const std::string content = make(random_->next_u64() % 3000);
        settle(key, content, spoilt_.put(key, content, PutMode::kOverwrite));
    }

    void create(const std::string& key) {
        const std::string content = make(200);
        const Result<void> done = spoilt_.put(key, content, PutMode::kCreateOnly);
        settle(key, content, done);
        // Nobody else writes this name.
        EXPECT_TRUE(done || done.error().code() != Code::kAlreadyExists);
        EXPECT_FALSE(done && clean_.put(key, "other", PutMode::kCreateOnly));
    }

    void get(const std::string& key) {
        const auto got = spoilt_.get(key, 10'000);
        if (got) {
            EXPECT_TRUE(possible_[key].contains(*got)) << "bytes that nobody put";
        } else if (got.error().code() == Code::kNotFound) {
            EXPECT_FALSE(certain_.contains(key)) << "told to be put, and told not to be there";
        }
    }

    void head(const std::string& key) {
        const auto facts = spoilt_.head(key);
        if (facts && !facts->sha256.empty()) {
            const auto has_size = [&](const std::string& content) { return content.size() == facts->bytes; };
            const auto& possible = possible_[key];
            EXPECT_TRUE(std::any_of(possible.begin(), possible.end(), has_size));
        }
    }

    void remove_or_list(const std::string& key) {
        if (random_->next_u64() % 2 == 0) {
            static_cast<void>(spoilt_.list({.prefix = name_ + "/"}).has_value());
            return;
        }
        certain_.erase(key);
        if (spoilt_.remove(key)) {
            const auto there = clean_.get(key, 10'000);
            // A duplicate of an earlier put cannot come late here: the proxy sends both before it answers.
            if (!there) {
                possible_[key].clear();
            }
        }
    }

    ObjectStore& spoilt_;
    ObjectStore& clean_;
    std::unique_ptr<io::Random> random_;
    const std::string name_;
    std::map<std::string, std::set<std::string>> possible_;  // also what was not told to be put, and may be
    std::set<std::string> certain_;                          // there
};

TEST_F(S3, NothingFalseIsToldThroughFaults) {
    const uint64_t faults_min = number_of("AKIDB_S3_FAULTS", 300);
    const uint64_t seed = s3_test::seed();
    FaultProxy proxy(gateway_.port(), 45, seed);
    const auto clean = gateway_.store(gateway_.port(), "storm");
    std::atomic<uint64_t> steps{0};
    {
        std::vector<std::jthread> threads;
        for (uint64_t i = 0; i < 6; ++i) {
            threads.emplace_back([&, i] {
                PassingTime time;
                const auto random = io::make_seeded_random(seed + i);
                const auto spoilt = gateway_.store(proxy.port(), "storm", 400);
                const auto retrying = objects::make_retrying_store(*spoilt, *random, time);
                Storm storm(i % 2 == 0 ? *retrying : *spoilt, *clean, seed % 1'000'000 + i);
                for (uint64_t step = 0; proxy.faults() < faults_min && !HasFatalFailure(); ++step, ++steps) {
                    storm.step();
                    if (step % 100 == 50) {
                        storm.put_parts();
                    }
                }
            });
        }
    }
    std::printf("%llu steps, %llu faults of %zu kinds\n", static_cast<unsigned long long>(steps),
                static_cast<unsigned long long>(proxy.faults()), proxy.kinds());
    EXPECT_GE(proxy.faults(), faults_min);
    EXPECT_GE(proxy.kinds(), 20u);
}

}  // namespace
}  // namespace akidb::s3_test
