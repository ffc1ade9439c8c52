// Guessing passwords: from one address and from ten thousand, of one account and of many, with addresses made
// up, and to keep an owner out. What an attacker gets is counted in passwords that were looked at: three an
// account or an address, and then it costs him.
#include <openssl/evp.h>

#include <atomic>
#include <set>
#include <thread>

#include "access/proofs_for_tests.h"
#include "arena.h"

namespace akidb::attack {
namespace {

constexpr size_t kFree = 3;

std::string guess_number(size_t i) {
    return "guess number " + std::to_string(i);
}

/// "10.x.y.z": an address for each number.
std::string address(uint32_t net, uint32_t i) {
    return "10." + std::to_string(net) + "." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
}

/// How many of these passwords were looked at; a gain beyond `hashed_max`, or when somebody got in.
Gain guess_all(const Target& target, const std::vector<Guess>& guesses, size_t hashed_max) {
    size_t hashed = 0;
    for (const Guess& guess : guesses) {
        const HttpReply reply = log_in(target, guess);
        if (reply.status == 200) {
            return "got in as " + guess.email + " by " + guess.password;
        }
        hashed += was_hashed(reply) ? 1 : 0;
    }
    return hashed > hashed_max ? std::to_string(hashed) + " passwords were looked at" : Gain();
}

/// The right one among wrong ones, where it comes too late to be looked at for nothing.
std::vector<Guess> guesses_of(const std::string& email, size_t count,
                              const std::function<std::string(size_t)>& source) {
    std::vector<Guess> guesses;
    for (size_t i = 0; i < count; ++i) {
        guesses.push_back(
            {.email = email, .password = i + 1 == count ? kPassword : guess_number(i), .source = source(i)});
    }
    return guesses;
}

void add_sources(World& world, Cases& cases) {
    cases.push_back({"one address guesses one password 200 times", [&world] {
                         world.add_user("one@example.com", "viewer");
                         return guess_all(
                             world.target,
                             guesses_of("one@example.com", 200, [](size_t) { return address(1, 0); }), kFree);
                     }});
    cases.push_back({"one address solves every proof and still has to wait", [&world]() -> Gain {
                         world.add_user("patient@example.com", "viewer");
                         Guess guess{.email = "patient@example.com", .source = address(2, 0)};
                         size_t hashed = 0;
                         for (size_t i = 0; i < 12; ++i) {
                             guess.password = guess_number(i);
                             const HttpReply reply = log_in(world.target, guess);
                             hashed += was_hashed(reply) ? 1 : 0;
                             const std::string challenge = challenge_in(reply);
                             guess.proof = challenge.empty() ? "" : access::solved(challenge);
                         }
                         // Ten fit into the account's minute, and after the third each waits for longer.
                         return hashed > 10 ? std::to_string(hashed) + " passwords were looked at" : Gain();
                     }});
}

void add_swarm(World& world, Cases& cases) {
    cases.push_back(
        {"ten thousand addresses guess one password", [&world]() -> Gain {
             world.add_user("swarm@example.com", "viewer");
             constexpr size_t kSources = 10'000;
             constexpr size_t kThreads = 8;
             std::atomic<size_t> hashed{0};
             std::atomic<size_t> let_in{0};
             {
                 std::vector<std::jthread> threads;
                 for (size_t thread = 0; thread < kThreads; ++thread) {
                     threads.emplace_back([&, thread] {
                         for (size_t i = thread; i < kSources; i += kThreads) {
                             const HttpReply reply =
                                 log_in(world.target,
                                        {.email = "swarm@example.com",
                                         .password = i + kThreads >= kSources ? kPassword : guess_number(i),
                                         .source = address(3, static_cast<uint32_t>(i))});
                             hashed += was_hashed(reply) ? 1 : 0;
                             let_in += reply.status == 200 ? 1 : 0;
                         }
                     });
                 }
             }
             // Eight at once may pass before the third failure is known; the account's burst holds
             // them.
             if (let_in > 0 || hashed > 10) {
                 return std::to_string(hashed) + " passwords were looked at, " + std::to_string(let_in) +
                        " right";
             }
             return {};
         }});
}

void add_sprays(World& world, Cases& cases) {
    cases.push_back({"one address sprays one password over 300 accounts", [&world] {
                         std::vector<Guess> guesses;
                         for (size_t i = 0; i < 300; ++i) {
                             guesses.push_back({.email = "user" + std::to_string(i) + "@example.com",
                                                .source = address(4, 0)});
                         }
                         return guess_all(world.target, guesses, kFree);
                     }});
    cases.push_back({"one /64 of IPv6 sprays from 300 addresses", [&world] {
                         std::vector<Guess> guesses;
                         for (size_t i = 0; i < 300; ++i) {
                             guesses.push_back({.email = "v6user" + std::to_string(i) + "@example.com",
                                                .source = "2001:db8:1:1::" + std::to_string(i + 1)});
                         }
                         return guess_all(world.target, guesses, kFree);
                     }});
    cases.push_back({"an IPv4 address writes itself as IPv6 to be another", [&world] {
                         std::vector<Guess> guesses;
                         for (size_t i = 0; i < 40; ++i) {
                             guesses.push_back({.email = "mapped" + std::to_string(i) + "@example.com",
                                                .source = i % 2 == 0 ? "10.5.0.1" : "::ffff:10.5.0.1"});
                         }
                         return guess_all(world.target, guesses, kFree);
                     }});
    cases.push_back(
        {"a success washes off the failures of its address", [&world]() -> Gain {
             const std::string source = address(6, 0);
             std::vector<Guess> guesses;
             for (size_t i = 0; i < kFree; ++i) {
                 guesses.push_back({.email = "wash" + std::to_string(i) + "@example.com", .source = source});
             }
             guess_all(world.target, guesses, kFree);
             HttpReply own = log_in(world.target,
                                    {.email = "viewer@example.com", .password = kPassword, .source = source});
             if (const std::string challenge = challenge_in(own); !challenge.empty()) {
                 own = log_in(world.target, {.email = "viewer@example.com",
                                             .password = kPassword,
                                             .source = source,
                                             .proof = access::solved(challenge)});
             }
             if (own.status != 200) {
                 return "the attacker's own account does not let him in: " + own.body;
             }
             return guess_all(world.target, {{.email = "washed@example.com", .source = source}}, 0);
         }});
}

/// Without a trusted proxy no header moves an address, and with one only what it added itself counts.
void add_forged_addresses(World& world, Cases& cases) {
    const auto plain = std::make_shared<std::unique_ptr<Target>>();
    for (const std::string header : {"X-Forwarded-For: ", "X-Real-IP: ", "Forwarded: for=",
                                     "True-Client-IP: ", "X-Client-IP: ", "CF-Connecting-IP: "}) {
        cases.push_back(
            {"addresses made up without a trusted proxy, by " + header, [plain, header]() -> Gain {
                 if (*plain == nullptr) {
                     *plain = std::make_unique<Target>(std::vector<std::string>{"--auth.enabled", "true"});
                 }
                 size_t hashed = 0;
                 for (uint32_t i = 0; i < 20; ++i) {
                     const Json body{{"email", "u" + std::to_string(i) + "@example.com"},
                                     {"password", "not the owner's password"}};
                     hashed += was_hashed((*plain)->ask({.method = "POST",
                                                         .path = "/api/v1/auth/login",
                                                         .body = body.dump(),
                                                         .headers = {header + address(7, i)}}))
                                   ? 1
                                   : 0;
                 }
                 return hashed > kFree ? std::to_string(hashed) + " passwords were looked at" : Gain();
             }});
    }
    const auto forged = [&world, &cases](const std::string& name, uint32_t net,
                                         const std::function<std::string(const std::string&)>& write) {
        cases.push_back({name, [&world, net, write] {
                             std::vector<Guess> guesses;
                             for (uint32_t i = 0; i < 40; ++i) {
                                 guesses.push_back({.email = "forged" + std::to_string(net) + "." +
                                                             std::to_string(i) + "@example.com",
                                                    .source = write(address(net, i))});
                             }
                             return guess_all(world.target, guesses, kFree);
                         }});
    };
    forged("addresses made up to the left of one's own", 8,
           [](const std::string& made_up) { return made_up + ", 198.51.100.8"; });
    forged("addresses made up in a header of their own", 9,
           [](const std::string& made_up) { return made_up + "\r\nX-Forwarded-For: 198.51.100.9"; });
    forged("addresses with junk behind them", 10,
           [](const std::string& made_up) { return made_up + ", not an address"; });
}

void add_owners(World& world, Cases& cases) {
    const auto device = std::make_shared<std::string>();
    cases.push_back({"an owner is locked out of a device that he used before", [&world, device]() -> Gain {
                         world.add_user("owner@example.com", "viewer");
                         const HttpReply first = log_in(
                             world.target,
                             {.email = "owner@example.com", .password = kPassword, .source = "203.0.113.1"});
                         *device = Json::parse(first.body).at("device_token").get<std::string>();
                         for (uint32_t i = 0; i < 100; ++i) {
                             log_in(world.target, {.email = "owner@example.com", .source = address(11, i)});
                         }
                         const HttpReply again = log_in(world.target, {.email = "owner@example.com",
                                                                       .password = kPassword,
                                                                       .source = "203.0.113.1",
                                                                       .device = *device});
                         return again.status == 200 ? Gain() : again.body;
                     }});
    cases.push_back({"a stolen device token guesses without a limit", [&world, device] {
                         std::vector<Guess> guesses = guesses_of("owner@example.com", 100, [](size_t i) {
                             return address(12, static_cast<uint32_t>(i));
                         });
                         for (Guess& guess : guesses) {
                             guess.device = *device;
                         }
                         return guess_all(world.target, guesses, kFree);
                     }});
    cases.push_back({"a device token alone opens something", [&world, device] {
                         return unless_refused(
                             world.target.ask({.path = "/api/v1/auth/me", .token = *device}));
                     }});
    for (const std::string how : {"of another account", "with a letter changed", "made of zeros"}) {
        cases.push_back({"a device token " + how + " frees from a proof", [&world, device, how]() -> Gain {
                             std::string token = *device;
                             if (how == "with a letter changed") {
                                 token.back() = token.back() == '0' ? '1' : '0';
                             } else if (how == "made of zeros") {
                                 token = std::string(token.size(), '0');
                             }
                             const std::string email =
                                 how == "of another account" ? "swarm@example.com" : "owner@example.com";
                             return guess_all(world.target,
                                              {{.email = email,
                                                .source = "203.0.113." + std::to_string(10 + how.size()),
                                                .device = token}},
                                              0);
                         }});
    }
}

}  // namespace

void add_guess_cases(World& world, Cases& cases) {
    add_sources(world, cases);
    add_swarm(world, cases);
    add_sprays(world, cases);
    add_forged_addresses(world, cases);
    add_owners(world, cases);
}

}  // namespace akidb::attack
