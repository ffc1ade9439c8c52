// attack: what an attacker tries on access, against the built server over real sockets: guesses from one
// address and from ten thousand, tokens that are not his, proofs of work that he did not make, requests that
// two readers read differently. Each case says what it gained; the last line tells how many there were. Exit
// code 0 when none gained anything.
#include <cstdio>
#include <set>

#include "arena.h"

namespace akidb::attack {
namespace {

/// The least that reliability asks for.
constexpr size_t kCasesMin = 60;

/// What was tried shows in the figures that an operator watches.
void expect_counted(const World& world) {
    const std::string metrics = world.target.ask({.path = "/metrics", .token = world.root}).body;
    for (const std::string series :
         {R"(akidb_login_challenges_total{outcome="issued"} )",
          R"(akidb_login_challenges_total{outcome="solved"} )",
          R"(akidb_login_challenges_total{outcome="refused"} )",
          R"(akidb_auth_failures_total{reason="password"} )",
          R"(akidb_auth_denied_total{action="user::create"} )", R"(akidb_auth_denied_total{action="scope"} )",
          R"(akidb_password_hash_duration_seconds_count )", R"(akidb_api_keys{state="active"} )",
          "akidb_sessions "}) {
        const size_t at = metrics.find("\n" + series);
        if (at == std::string::npos || metrics[at + 1 + series.size()] == '0') {
            throw std::runtime_error("the metrics do not tell of " + series);
        }
    }
}

int run() {
    World world;
    Cases cases;
    for (const auto add :
         {&add_framing_cases, &add_path_cases, &add_token_cases, &add_rights_cases, &add_document_cases,
          &add_login_cases, &add_cookie_cases, &add_proof_cases, &add_guess_cases}) {
        add(world, cases);
    }
    std::set<std::string> names;
    size_t succeeded = 0;
    for (const Case& one : cases) {
        if (!names.insert(one.name).second) {
            throw std::runtime_error("two cases are called \"" + one.name + "\"");
        }
        try {
            if (const Gain gain = one.run(); !gain.empty()) {
                ++succeeded;
                std::printf("SUCCEEDED: %s: %s\n", one.name.c_str(), gain.c_str());
            }
        } catch (const std::exception& fault) {
            throw std::runtime_error("\"" + one.name + "\": " + fault.what());
        }
    }
    // Whatever was tried, the server goes on for those who may.
    world.target.must({.path = "/api/v1/collections/open", .token = world.root});
    expect_counted(world);
    std::printf("attack: %zu cases, %zu succeeded\n", cases.size(), succeeded);
    return succeeded == 0 && cases.size() >= kCasesMin ? 0 : 1;
}

}  // namespace
}  // namespace akidb::attack

int main() {
    try {
        return akidb::attack::run();
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "attack: the arena does not work: %s\n", fault.what());
        return 70;
    }
}
