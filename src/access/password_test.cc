#include "access/password.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "base/mutex.h"
#include "io/clock_for_tests.h"

namespace akidb::access {
namespace {

constexpr PasswordCost kCheapPassword{.memory_bytes = 64 << 10, .passes = 1};

/// Holds jobs until the test runs them, as a pool whose threads are all busy.
class HeldPool final : public io::Executor {
  public:
    explicit HeldPool(size_t queue_max) : queue_max_(queue_max) {}
    bool submit(std::string, Job job) override {
        if (jobs_.size() >= queue_max_) {
            return false;
        }
        jobs_.push_back(std::move(job));
        return true;
    }
    void run_all() {
        while (!jobs_.empty()) {
            Job job = std::move(jobs_.front());
            jobs_.pop_front();
            job({});
        }
    }
    void drop_all() { jobs_.clear(); }

  private:
    const size_t queue_max_;
    std::deque<Job> jobs_;
};

class PasswordHasherTest : public ::testing::Test {
  protected:
    PasswordCheck check(PasswordHasher& hasher, std::string password, std::optional<std::string> stored) {
        std::optional<Result<PasswordCheck>> outcome;
        hasher.check(std::move(password), std::move(stored),
                     [&](Result<PasswordCheck> got) { outcome = std::move(got); });
        pool_.run_all();
        EXPECT_TRUE(outcome.has_value() && outcome->has_value());
        return outcome->value();
    }

    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    HeldPool pool_{16};
};

TEST_F(PasswordHasherTest, AcceptsThePasswordAndNoOther) {
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword);
    const std::string stored = hasher.hash_now("correct horse").value();
    EXPECT_TRUE(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << stored;
    EXPECT_TRUE(is_password_hash(stored));
    EXPECT_TRUE(check(hasher, "correct horse", stored).matches);
    EXPECT_FALSE(check(hasher, "correct horse ", stored).matches);
    EXPECT_FALSE(check(hasher, "", stored).matches);
    EXPECT_NE(hasher.hash_now("correct horse").value(), stored) << "every hash has a salt of its own";
}

TEST_F(PasswordHasherTest, VerifiesWhatTheReferenceProgramHashed) {
    // printf password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 (the test vectors of phc-winner-argon2)
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword);
    EXPECT_TRUE(
        check(hasher, "password",
              "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
            .matches);
}

TEST_F(PasswordHasherTest, HasAtLeastTheFloorByDefault) {
    EXPECT_GE(PasswordCost{}.memory_bytes, uint64_t{19} << 20);
    EXPECT_GE(PasswordCost{}.passes, 2u);
    PasswordHasher hasher(*random_, clock_, pool_);
    EXPECT_TRUE(hasher.hash_now("x").value().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

TEST_F(PasswordHasherTest, AsksForARehashWhenTheCostWasRaised) {
    const std::string old =
        PasswordHasher(*random_, clock_, pool_, kCheapPassword).hash_now("secret").value();
    PasswordHasher same(*random_, clock_, pool_, kCheapPassword);
    PasswordHasher dearer(*random_, clock_, pool_, {.memory_bytes = 128 << 10, .passes = 1});
    PasswordHasher slower(*random_, clock_, pool_, {.memory_bytes = 64 << 10, .passes = 2});
    EXPECT_FALSE(check(same, "secret", old).needs_rehash);
    EXPECT_TRUE(check(dearer, "secret", old).needs_rehash);
    EXPECT_TRUE(check(slower, "secret", old).needs_rehash);
    EXPECT_FALSE(check(dearer, "wrong", old).needs_rehash);
}

TEST_F(PasswordHasherTest, HashesForAnUnknownUserToo) {
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword);
    EXPECT_FALSE(check(hasher, "anything", std::nullopt).matches);
    EXPECT_FALSE(check(hasher, "anything", "").matches);
    EXPECT_FALSE(check(hasher, "anything", "$argon2id$v=19$m=99999999,t=1,p=1$a$b").matches)
        << "of no bounded cost";
    EXPECT_EQ(hasher.figures().done, 3u);
}

TEST_F(PasswordHasherTest, RefusesPasswordsBeyondTheCapBeforeAnyWork) {
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword);
    const std::string stored = hasher.hash_now(std::string(kPasswordBytesMax, 'x')).value();
    EXPECT_TRUE(check(hasher, std::string(kPasswordBytesMax, 'x'), stored).matches);
    std::optional<Error> error;
    hasher.check(std::string(kPasswordBytesMax + 1, 'x'), stored,
                 [&](Result<PasswordCheck> got) { error = std::move(got).error(); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), Code::kInvalidArgument);
    EXPECT_EQ(error->field(), "password");
    EXPECT_EQ(hasher.hash_now(std::string(kPasswordBytesMax + 1, 'x')).error().code(),
              Code::kInvalidArgument);
}

TEST_F(PasswordHasherTest, TurnsAwayWhatTheQueueHasNoPlaceForAndKeepsFourForTheKnown) {
    int waiting = 0;
    int hashed = 0;
    int told_refused = 0;
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword,
                          {.on_waiting = [&](int change) { waiting += change; },
                           .on_hashed = [&](uint64_t) { ++hashed; },
                           .on_refused = [&] { ++told_refused; }});
    const std::string stored = hasher.hash_now("secret").value();
    int answered = 0;
    int refused = 0;
    const auto count = [&](Result<PasswordCheck> got) {
        ++answered;
        if (!got) {
            ++refused;
            EXPECT_EQ(got.error().code(), Code::kUnavailable);
            EXPECT_GT(got.error().retry_after_s(), 0u);
        }
    };
    for (int i = 0; i < 20; ++i) {
        hasher.check("secret", stored, count);
    }
    EXPECT_EQ(refused, 8);
    for (int i = 0; i < 6; ++i) {
        hasher.check("secret", stored, count, PasswordCaller::kKnown);
    }
    EXPECT_EQ(refused, 10);
    EXPECT_EQ(hasher.figures().queued, 16u);
    EXPECT_EQ(waiting, 16);
    EXPECT_EQ(hasher.figures().refused, 10u);
    pool_.run_all();
    EXPECT_EQ(answered, 26);
    EXPECT_EQ(hasher.figures().queued, 0u);
    EXPECT_EQ(hasher.figures().done, 16u);
    EXPECT_EQ(waiting, 0);
    EXPECT_EQ(hashed, 16);
    EXPECT_EQ(told_refused, 10);
}

TEST_F(PasswordHasherTest, AnswersWhenAStoppingPoolDropsTheJob) {
    PasswordHasher hasher(*random_, clock_, pool_, kCheapPassword);
    std::optional<Code> code;
    hasher.check("secret", std::nullopt, [&](Result<PasswordCheck> got) { code = got.error().code(); });
    pool_.drop_all();
    EXPECT_EQ(code, Code::kUnavailable);
}

TEST(PasswordPool, HasHalfTheCoresAndAQueueOf16) {
    EXPECT_EQ(password_pool_options(16).threads, 8u);
    EXPECT_EQ(password_pool_options(1).threads, 1u);
    EXPECT_EQ(password_pool_options(0).threads, 1u);
    EXPECT_EQ(password_pool_options(4).queue_max, 16u);
}

TEST(PasswordPool, ChecksManyAtOnceOnItsOwnThreads) {
    const auto clock = io::make_system_clock();
    const auto random = io::make_system_random();
    Mutex mutex;
    CondVar changed;
    int answered = 0;
    io::ThreadPool pool(password_pool_options(4));
    PasswordHasher hasher(*random, *clock, pool, kCheapPassword);
    const std::string stored = hasher.hash_now("secret").value();
    for (int i = 0; i < 200; ++i) {
        hasher.check(i % 2 == 0 ? "secret" : "wrong", stored, [&, i](Result<PasswordCheck> got) {
            EXPECT_TRUE(got ? got->matches == (i % 2 == 0) : got.error().code() == Code::kUnavailable);
            MutexLock lock(mutex);
            ++answered;
            changed.notify_all();
        });
    }
    MutexLock lock(mutex);
    while (answered < 200) {
        changed.wait(mutex);
    }
}

}  // namespace
}  // namespace akidb::access
