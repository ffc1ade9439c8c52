#include "access/login_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "access/proofs_for_tests.h"
#include "io/clock_for_tests.h"

namespace akidb::access {
namespace {

constexpr ProofCost kCheap{.iterations = 1, .counter_min = 1, .counter_max = 2};
constexpr std::string_view kOwner = "acme/ada@example.com";

IpAddress source_number(uint32_t number) {
    return {.bytes = {10, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8),
                      static_cast<uint8_t>(number)},
            .is_ipv4 = true};
}

class LoginGuardTest : public ::testing::Test {
  protected:
    /// As an honest client: solves the proof when one is wanted.
    LoginDecision try_login(LoginAttempt attempt) {
        LoginDecision decision = guard_.decide(attempt);
        if (decision.step == LoginStep::kProve) {
            const std::string proof = solved(decision.challenge);
            attempt.proof = proof;
            decision = guard_.decide(attempt);
        }
        return decision;
    }

    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    ProofOfWork proofs_{clock_, *random_, kCheap};
    std::array<uint8_t, 32> device_key_{1, 2, 3};
    LoginGuard guard_{clock_, *random_, proofs_, device_key_};
};

TEST_F(LoginGuardTest, LetsOneSourceTryTwentyTimesThenTenAMinute) {
    int admitted = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string account = "acme/u" + std::to_string(i);
        admitted += guard_.decide({source_number(1), account, "", ""}).step == LoginStep::kGoOn ? 1 : 0;
    }
    EXPECT_EQ(admitted, 20);
    const LoginDecision refused = guard_.decide({source_number(1), "acme/other", "", ""});
    EXPECT_EQ(refused.step, LoginStep::kWait);
    EXPECT_EQ(refused.retry_after_s, 6u);
    clock_.advance_s(60);
    admitted = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string account = "acme/v" + std::to_string(i);
        admitted += guard_.decide({source_number(1), account, "", ""}).step == LoginStep::kGoOn ? 1 : 0;
    }
    EXPECT_EQ(admitted, 10);
}

TEST_F(LoginGuardTest, CountsASubnetOfIpv6AsOneSource) {
    int admitted = 0;
    for (uint8_t i = 0; i < 100; ++i) {
        IpAddress source = *IpAddress::parse("2001:db8:1:2::");
        source.bytes[15] = i;  // within one /64
        const std::string account = "u" + std::to_string(i);
        admitted += guard_.decide({source, account, "", ""}).step == LoginStep::kGoOn ? 1 : 0;
    }
    EXPECT_EQ(admitted, 20);
    admitted = 0;
    for (uint8_t i = 0; i < 200; ++i) {
        IpAddress source = *IpAddress::parse("2001:db8:9::");
        source.bytes[7] = i;  // another /64 each time, of one /48
        const std::string account = "w" + std::to_string(i);
        admitted += guard_.decide({source, account, "", ""}).step == LoginStep::kGoOn ? 1 : 0;
    }
    EXPECT_EQ(admitted, 80);
}

TEST_F(LoginGuardTest, WantsAProofAfterThreeFailuresOfAnAccount) {
    for (uint32_t i = 0; i < 3; ++i) {
        const LoginAttempt attempt{source_number(i), kOwner, "", ""};
        ASSERT_EQ(guard_.decide(attempt).step, LoginStep::kGoOn) << i;
        guard_.failed(attempt);
    }
    const LoginAttempt bare{source_number(9), kOwner, "", ""};
    const LoginDecision decision = guard_.decide(bare);
    ASSERT_EQ(decision.step, LoginStep::kProve);
    LoginAttempt proved = bare;
    const std::string proof = solved(decision.challenge);
    proved.proof = proof;
    EXPECT_EQ(guard_.decide(proved).step, LoginStep::kGoOn);
    EXPECT_EQ(guard_.decide(proved).step, LoginStep::kProve) << "a proof counts once";
    const LoginAttempt elsewhere{source_number(9), "acme/bob@example.com", "", ""};
    EXPECT_EQ(guard_.decide(elsewhere).step, LoginStep::kGoOn) << "others are left alone";
    clock_.advance_s(901);
    EXPECT_EQ(guard_.decide(bare).step, LoginStep::kGoOn) << "after 15 minutes all is forgotten";
}

TEST_F(LoginGuardTest, WantsAProofFromASourceThatSpraysAccounts) {
    for (int i = 0; i < 3; ++i) {
        const std::string account = "acme/u" + std::to_string(i);
        const LoginAttempt attempt{source_number(1), account, "", ""};
        ASSERT_EQ(guard_.decide(attempt).step, LoginStep::kGoOn);
        guard_.failed(attempt);
    }
    const LoginAttempt next{source_number(1), "acme/u9", "", ""};
    EXPECT_EQ(guard_.decide(next).step, LoginStep::kProve);
    // A login to an account of his own does not wash it off.
    const LoginAttempt own{source_number(1), "evil/mallory", "", ""};
    ASSERT_EQ(try_login(own).step, LoginStep::kGoOn);
    guard_.succeeded(own);
    EXPECT_EQ(guard_.decide(next).step, LoginStep::kProve);
}

TEST_F(LoginGuardTest, DelaysAnAccountByDoublingUpToAMinuteAndNeverLocksIt) {
    const uint32_t wanted[] = {0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60};
    uint32_t source = 0;
    for (const uint32_t delay : wanted) {
        const LoginAttempt attempt{source_number(++source), kOwner, "", ""};
        ASSERT_EQ(try_login(attempt).step, LoginStep::kGoOn) << source;
        guard_.failed(attempt);
        if (delay > 0) {
            const LoginDecision refused = guard_.decide({source_number(++source), kOwner, "", ""});
            EXPECT_EQ(refused.step, LoginStep::kWait) << source;
            EXPECT_GE(refused.retry_after_s, delay);
            clock_.advance_s(delay - 1);
            EXPECT_EQ(guard_.decide({source_number(++source), kOwner, "", ""}).step, LoginStep::kWait);
            clock_.advance_s(1);
        }
    }
}

TEST_F(LoginGuardTest, LetsTheOwnerOfAnAttackedAccountInFromAKnownDevice) {
    const LoginAttempt first{source_number(0), kOwner, "", ""};
    ASSERT_EQ(guard_.decide(first).step, LoginStep::kGoOn);
    const std::string device = guard_.succeeded(first);
    uint64_t guesses = 0;
    uint32_t source = 1;
    for (int second = 0; second < 3600; ++second) {
        for (int i = 0; i < 3; ++i) {
            const LoginAttempt guess{source_number(++source), kOwner, "", ""};
            if (try_login(guess).step == LoginStep::kGoOn) {
                ++guesses;
                guard_.failed(guess);
            }
        }
        if (second % 600 == 300) {
            const LoginAttempt owner{source_number(0), kOwner, device, ""};
            const LoginDecision decision = guard_.decide(owner);
            ASSERT_EQ(decision.step, LoginStep::kGoOn) << second;
            EXPECT_TRUE(decision.is_known_device);
            EXPECT_EQ(guard_.succeeded(owner), device);
        }
        clock_.advance_s(1);
    }
    EXPECT_LE(guesses, 80u) << "10,800 sources guessed for an hour";
}

TEST_F(LoginGuardTest, KnowsADeviceByATokenOfThisAccountOnly) {
    const LoginAttempt first{source_number(0), kOwner, "", ""};
    const std::string device = guard_.succeeded(first);
    EXPECT_TRUE(guard_.decide({source_number(0), kOwner, device, ""}).is_known_device);
    EXPECT_FALSE(guard_.decide({source_number(0), "acme/bob", device, ""}).is_known_device);
    for (size_t i = 0; i < device.size(); ++i) {
        std::string forged = device;
        forged[i] = forged[i] == '0' ? '1' : '0';
        EXPECT_FALSE(guard_.decide({source_number(static_cast<uint32_t>(i) + 10), kOwner, forged, ""})
                         .is_known_device);
        clock_.advance_s(60);
    }
    EXPECT_FALSE(guard_.decide({source_number(0), kOwner, device + "0", ""}).is_known_device);
    LoginGuard restarted(clock_, *random_, proofs_, device_key_);
    EXPECT_TRUE(restarted.decide({source_number(0), kOwner, device, ""}).is_known_device);
    clock_.advance_s(90 * 86'400);
    EXPECT_FALSE(guard_.decide({source_number(0), kOwner, device, ""}).is_known_device);
}

TEST_F(LoginGuardTest, CountsAKnownDeviceToo) {
    const std::string device = guard_.succeeded({source_number(0), kOwner, "", ""});
    int admitted = 0;
    for (int i = 0; i < 30; ++i) {
        const LoginAttempt attempt{source_number(0), kOwner, device, ""};
        if (try_login(attempt).step == LoginStep::kGoOn) {
            ++admitted;
            guard_.failed(attempt);
        }
    }
    EXPECT_LE(admitted, 5) << "three, then proofs and delays";
}

TEST_F(LoginGuardTest, BoundsHowManyChallengesASourceMayAskFor) {
    for (int i = 0; i < 3; ++i) {
        guard_.failed({source_number(1), kOwner, "", ""});
    }
    int challenges = 0;
    for (int i = 0; i < 100; ++i) {
        challenges += guard_.decide({source_number(1), kOwner, "", ""}).step == LoginStep::kProve ? 1 : 0;
    }
    EXPECT_EQ(challenges, 30);
}

}  // namespace
}  // namespace akidb::access
