// Proofs of work that were used before, made for somebody else, cut and joined anew, or made cheaper.
#include <openssl/evp.h>

#include <fstream>

#include "access/proofs_for_tests.h"
#include "arena.h"

namespace akidb::attack {
namespace {

constexpr const char* kVictim = "proofs@example.com";

/// One for each case: how many challenges an address may ask for is limited, too.
std::string next_prover() {
    static int number = 20;
    return "198.51.100." + std::to_string(number++);
}

/// Until a proof is asked for; it is what comes back.
std::string challenge_for(const Target& target, const std::string& email, const std::string& source) {
    for (int i = 0; i < 8; ++i) {
        const std::string challenge = challenge_in(log_in(target, {.email = email, .source = source}));
        if (!challenge.empty()) {
            return challenge;
        }
    }
    throw std::runtime_error("no proof is asked for");
}

/// The proof, with the right password: a gain when that is looked at.
Gain offer(const Target& target, const std::string& source, const std::string& proof) {
    const HttpReply reply =
        log_in(target, {.email = kVictim, .password = kPassword, .source = source, .proof = proof});
    return was_hashed(reply) ? "the password was looked at: " + reply.body : Gain();
}

/// An honest challenge, dishonestly changed.
void add_altered(World& world, Cases& cases) {
    using Change = std::function<void(Json & challenge, Json & solution)>;
    const auto altered = [&](const std::string& name, const Change& change) {
        cases.push_back(
            {"a proof " + name, [&world, change] {
                 const std::string source = next_prover();
                 Json challenge = Json::parse(challenge_for(world.target, kVictim, source));
                 Json solution = {{"counter", 1}, {"derivedKey", std::string(64, '0')}, {"time", 1}};
                 change(challenge, solution);
                 return offer(world.target, source, access::payload_of(challenge, solution));
             }});
    };
    altered("with a counter made up", [](Json&, Json&) {});
    altered("whose prefix is empty",
            [](Json& challenge, Json&) { challenge["parameters"]["keyPrefix"] = ""; });
    altered("whose cost is lowered to 1", [](Json& challenge, Json& solution) {
        challenge["parameters"]["cost"] = 1;
        challenge["parameters"]["keyPrefix"] = "0";
        solution = access::solution_of(challenge);
    });
    altered("whose moment is put off", [](Json& challenge, Json& solution) {
        solution = access::solution_of(challenge);
        challenge["parameters"]["expiresAt"] = 4'000'000'000;
    });
    altered("without its signature", [](Json& challenge, Json& solution) {
        solution = access::solution_of(challenge);
        challenge.erase("signature");
    });
    altered("with an empty signature", [](Json& challenge, Json& solution) {
        solution = access::solution_of(challenge);
        challenge["signature"] = "";
    });
    altered("of another algorithm", [](Json& challenge, Json& solution) {
        solution = access::solution_of(challenge);
        challenge["parameters"]["algorithm"] = "none";
    });
    altered("without parameters", [](Json& challenge, Json&) { challenge.erase("parameters"); });
    altered("with a solution of another kind", [](Json&, Json& solution) { solution = "solved"; });
    altered("with a member more", [](Json& challenge, Json& solution) {
        solution = access::solution_of(challenge);
        challenge["parameters"]["aa"] = 1;
    });
}

void add_misplaced(World& world, Cases& cases) {
    cases.push_back({"a challenge spliced from two", [&world]() -> Gain {
                         const std::string source = next_prover();
                         Json first = Json::parse(challenge_for(world.target, kVictim, source));
                         const Json second = Json::parse(challenge_for(world.target, kVictim, source));
                         const Json solution = access::solution_of(first);
                         first["signature"] = second["signature"];
                         if (Gain gain = offer(world.target, source, access::payload_of(first, solution));
                             !gain.empty()) {
                             return gain;
                         }
                         first["parameters"]["salt"] = second["parameters"]["salt"];
                         return offer(world.target, source, access::payload_of(first, solution));
                     }});
    cases.push_back(
        {"a proof of another account", [&world] {
             const std::string source = next_prover();
             return offer(world.target, source,
                          access::solved(challenge_for(world.target, "somebody.else@example.com", source)));
         }});
    cases.push_back({"a proof of another address", [&world] {
                         return offer(world.target, next_prover(),
                                      access::solved(challenge_for(world.target, kVictim, next_prover())));
                     }});
    cases.push_back({"proofs that are no proofs", [&world]() -> Gain {
                         for (const std::string proof : {"bm9uc2Vuc2U=", "e30=", "bnVsbA==", "%%%", "W10="}) {
                             if (Gain gain = offer(world.target, next_prover(), proof); !gain.empty()) {
                                 return gain;
                             }
                         }
                         return offer(world.target, next_prover(), std::string(8'000, 'A'));
                     }});
    cases.push_back(
        {"a proof is used twice", [&world]() -> Gain {
             const std::string source = next_prover();
             // The address has failed, the account has not: only the proof stands between.
             const std::string challenge = challenge_for(world.target, "unknown@example.com", source);
             const Guess guess{.email = "viewer@example.com", .password = kPassword, .source = source};
             Guess proved = guess;
             proved.proof = access::solved(challenge_in(log_in(world.target, guess)));
             if (const HttpReply first = log_in(world.target, proved); first.status != 200) {
                 return "an honest proof is not taken: " + first.body;
             }
             const HttpReply second = log_in(world.target, proved);
             return was_hashed(second) ? second.body : Gain();
         }});
}

void add_asked_beforehand(World& world, Cases& cases) {
    cases.push_back({"a challenge asked for beforehand tells a user from nobody", [&world]() -> Gain {
                         std::vector<std::string> told;
                         for (const char* email : {"developer@example.com", "nobody.at.all@example.com"}) {
                             Json body =
                                 world.target.must({.method = "POST",
                                                    .path = "/api/v1/auth/challenge",
                                                    .body = Json{{"email", email}}.dump(),
                                                    .headers = {"X-Forwarded-For: " + next_prover()}});
                             told.push_back(body.at("required").dump());
                         }
                         return told[0] == told[1] ? Gain() : "they differ";
                     }});
    cases.push_back({"one address asks for challenges without end", [&world]() -> Gain {
                         const std::string source = next_prover();
                         size_t made = 0;
                         for (int i = 0; i < 100; ++i) {
                             const HttpReply reply =
                                 world.target.ask({.method = "POST",
                                                   .path = "/api/v1/auth/challenge",
                                                   .body = R"({"email":"x@example.com"})",
                                                   .headers = {"X-Forwarded-For: " + source}});
                             made += reply.status == 200 ? 1 : 0;
                         }
                         // Thirty at once, and one more each two seconds that this takes.
                         return made < 60 ? Gain() : std::to_string(made) + " were made";
                     }});
    cases.push_back({"the command line is kept out after others failed", [&world]() -> Gain {
                         for (int i = 0; i < 3; ++i) {
                             log_in(world.target, {.email = kVictim, .source = next_prover()});
                         }
                         const e2e::TemporaryDirectory files;
                         const std::string password = files.path() + "/password";
                         std::ofstream(password) << kPassword << "\n";
                         const auto run = e2e::run_akidb({"login", kVictim, "--password-file", password,
                                                          "--url", world.target.process().rest_url()});
                         return run && run->exit_code == 0 && run->out.starts_with("as_")
                                    ? Gain()
                                    : (run ? run->err : run.error().message());
                     }});
}

}  // namespace

void add_proof_cases(World& world, Cases& cases) {
    world.add_user(kVictim, "viewer");
    add_altered(world, cases);
    add_misplaced(world, cases);
    add_asked_beforehand(world, cases);
}

}  // namespace akidb::attack
