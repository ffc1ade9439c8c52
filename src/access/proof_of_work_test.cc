#include "access/proof_of_work.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "access/proofs_for_tests.h"
#include "io/clock_for_tests.h"

namespace akidb::access {
namespace {

using Json = nlohmann::json;

constexpr ProofCost kCheapProof{.iterations = 1, .counter_min = 3, .counter_max = 20};
constexpr ProofPurpose kPurpose{.route = "login", .account = "acme/ada@example.com", .source = "192.0.2.1"};

class ProofOfWorkTest : public ::testing::Test {
  protected:
    Json challenge() { return Json::parse(proofs_.make_challenge(kPurpose)); }
    std::string why_refused(const std::string& payload, const ProofPurpose& purpose = kPurpose) {
        const Result<void> outcome = proofs_.accept(payload, purpose);
        if (outcome) {
            return "";
        }
        EXPECT_EQ(outcome.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(outcome.error().field(), "proof");
        return outcome.error().message();
    }

    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    ProofOfWork proofs_{clock_, *random_, kCheapProof};
};

TEST_F(ProofOfWorkTest, AcceptsASolutionOnce) {
    const std::string payload = solved(proofs_.make_challenge(kPurpose));
    EXPECT_EQ(why_refused(payload), "");
    EXPECT_EQ(why_refused(payload), "the proof of work was used before");
    const std::string another = solved(proofs_.make_challenge(kPurpose));
    EXPECT_EQ(why_refused(another), "");
}

TEST_F(ProofOfWorkTest, OffersWhatTheProtocolSays) {
    const Json made = challenge();
    const Json& parameters = made.at("parameters");
    EXPECT_EQ(parameters.at("algorithm"), "PBKDF2/SHA-256");
    EXPECT_EQ(parameters.at("keyLength"), 32);
    EXPECT_EQ(parameters.at("keyPrefix").get<std::string>().size(), 32u) << "half of the key in hex";
    EXPECT_EQ(parameters.at("expiresAt"), clock_.unix_ms() / 1000 + 300);
    const uint32_t counter = solution_of(made).at("counter");
    EXPECT_GE(counter, kCheapProof.counter_min);
    EXPECT_LE(counter, kCheapProof.counter_max);
    EXPECT_EQ(made.dump().find("ada"), std::string::npos) << "it does not tell whom it is for";
}

TEST_F(ProofOfWorkTest, IsBoundToRouteAccountAndSource) {
    for (ProofPurpose other : {ProofPurpose{"register", kPurpose.account, kPurpose.source},
                               ProofPurpose{kPurpose.route, "acme/bob@example.com", kPurpose.source},
                               ProofPurpose{kPurpose.route, kPurpose.account, "192.0.2.2"},
                               ProofPurpose{"loginacme", "/ada@example.com", kPurpose.source}}) {
        EXPECT_NE(why_refused(solved(proofs_.make_challenge(kPurpose)), other), "");
    }
}

TEST_F(ProofOfWorkTest, ExpiresAfterFiveMinutes) {
    const std::string in_time = solved(proofs_.make_challenge(kPurpose));
    const std::string late = solved(proofs_.make_challenge(kPurpose));
    clock_.advance_s(299);
    EXPECT_EQ(why_refused(in_time), "");
    clock_.advance_s(1);
    EXPECT_EQ(why_refused(late), "the proof of work is too late");
}

TEST_F(ProofOfWorkTest, RefusesEveryChangeOfTheChallenge) {
    const Json made = challenge();
    const Json solution = solution_of(made);
    for (const auto& [name, value] : made.at("parameters").items()) {
        Json changed = made;
        Json& field = changed["parameters"][name];
        if (value.is_number()) {
            field = value.get<uint64_t>() + 1;
        } else if (value.is_string()) {
            std::string text = value;
            text.back() = text.back() == '0' ? '1' : '0';
            field = text;
        } else {
            field = Json::object();
        }
        EXPECT_NE(why_refused(payload_of(changed, solution)), "") << name;
        changed = made;
        changed["parameters"].erase(name);
        EXPECT_NE(why_refused(payload_of(changed, solution)), "") << "without " << name;
    }
    Json more = made;
    more["parameters"]["zzz"] = 1;
    EXPECT_NE(why_refused(payload_of(more, solution)), "");
    Json cheaper = made;  // with another's signature
    cheaper["signature"] = challenge().at("signature");
    EXPECT_NE(why_refused(payload_of(cheaper, solution)), "");
    EXPECT_EQ(why_refused(payload_of(made, solution)), "") << "the refusals did not use it up";
}

TEST_F(ProofOfWorkTest, RefusesWrongAndMalformedSolutions) {
    const Json made = challenge();
    const Json right = solution_of(made);
    for (const char* name : {"counter", "derivedKey"}) {
        for (const Json& wrong : {Json(-1), Json(1.5), Json(0), Json(uint64_t{1} << 32), Json("x"), Json(),
                                  Json::array(), Json(std::string(64, '0')), Json(std::string(64, 'A'))}) {
            Json solution = right;
            solution[name] = wrong;
            EXPECT_NE(why_refused(payload_of(made, solution)), "") << name << " " << wrong;
        }
    }
    for (const char* junk : {"", "e30=", "bnVsbA==", "W10=", "not base64", "eyJjaGFsbGVuZ2UiOjF9", "////"}) {
        EXPECT_NE(why_refused(junk), "") << junk;
    }
    EXPECT_NE(why_refused(std::string(4097, 'A')), "");
    const std::string deep(3000, '[');
    EXPECT_NE(why_refused(to_base64({reinterpret_cast<const uint8_t*>(deep.data()), deep.size()})), "");
}

TEST_F(ProofOfWorkTest, IsVoidAfterARestart) {
    const std::string payload = solved(proofs_.make_challenge(kPurpose));
    ProofOfWork restarted(clock_, *random_, kCheapProof);
    EXPECT_FALSE(restarted.accept(payload, kPurpose).has_value());
}

TEST_F(ProofOfWorkTest, RemembersABoundedNumberAndForgetsTheExpired) {
    ProofOfWork small(clock_, *random_, kCheapProof, 4);
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(small.accept(solved(small.make_challenge(kPurpose)), kPurpose).has_value());
    }
    const Result<void> full = small.accept(solved(small.make_challenge(kPurpose)), kPurpose);
    ASSERT_FALSE(full.has_value());
    EXPECT_EQ(full.error().code(), Code::kUnavailable);
    clock_.advance_s(301);
    EXPECT_TRUE(small.accept(solved(small.make_challenge(kPurpose)), kPurpose).has_value());
}

}  // namespace
}  // namespace akidb::access
