// Bodies of logins that say one thing to one reader and another to the next, what answers tell about who is
// there, sessions that an attacker chose, pages of other origins, and the first start.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "arena.h"

namespace akidb::attack {
namespace {

/// One for each case, so that none meets the failures of another.
std::string next_source() {
    static int number = 0;
    ++number;
    return "198.18." + std::to_string(number / 250) + "." + std::to_string(1 + number % 250);
}

HttpReply post(const Target& target, const std::string& path, const std::string& body,
               std::vector<std::string> headers = {}) {
    headers.push_back("X-Forwarded-For: " + next_source());
    return target.ask({.method = "POST", .path = path, .body = body, .headers = std::move(headers)});
}

Gain unless_not_in(const HttpReply& reply) {
    return reply.status == 200 || reply.status >= 500
               ? "answered " + std::to_string(reply.status) + " " + reply.body
               : Gain();
}

/// Passwords and e-mails near the right ones, and bodies near a login.
void add_bodies(World& world, Cases& cases) {
    using std::string_literals::operator""s;
    const std::string right = kPassword;
    for (const auto& [name, password] : std::vector<std::pair<std::string, std::string>>{
             {"an empty password", ""},
             {"a password of 1,025 bytes", std::string(1025, 'x')},
             {"a password of 900 KiB", std::string(900 << 10, 'x')},
             {"the right password and a NUL", right + "\0"s},
             {"the right password, a NUL and more", right + "\0x"s},
             {"the right password and a space", right + " "},
             {"the right password in capitals", "THE OWNER'S LONG PASSWORD"},
             {"the right password without its end", right.substr(0, right.size() - 1)},
             {"the right password with letters that look the same", "th\xd0\xb5 owner's long password"},
             {"the right password with a soft hyphen", "the\xc2\xad owner's long password"},
             {"a pattern for a password", "%"},
             {"SQL for a password", "' OR '1'='1"},
             {"the hash for a password", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"}}) {
        cases.push_back({name, [&world, password = password] {
                             return unless_not_in(log_in(world.target, {.email = "viewer@example.com",
                                                                        .password = password,
                                                                        .source = next_source()}));
                         }});
    }
    for (const auto& [name, email] : std::vector<std::pair<std::string, std::string>>{
             {"an e-mail with a NUL and more", "viewer@example.com\0.evil"s},
             {"an e-mail with a space", " viewer@example.com"},
             {"an e-mail with a line feed", "viewer@example.com\n"},
             {"a list of e-mails", "viewer@example.com,root@example.com"},
             {"an e-mail with a letter that looks the same", "vi\xd0\xb5wer@example.com"},
             {"a pattern for an e-mail", "%@example.com"},
             {"an e-mail with its tenant before it", "default/viewer@example.com"},
             {"SQL for an e-mail", "' OR 1=1 --@x"}}) {
        cases.push_back(
            {name, [&world, email = email] {
                 return unless_not_in(
                     log_in(world.target, {.email = email, .password = kPassword, .source = next_source()}));
             }});
    }
    for (const std::string tenant : {"acme", "", "DEFAULT", "default/", "*", "default\n"}) {
        cases.push_back({"a user of default in the tenant \"" + tenant + "\"", [&world, tenant] {
                             return unless_not_in(log_in(world.target, {.email = "viewer@example.com",
                                                                        .password = kPassword,
                                                                        .source = next_source(),
                                                                        .tenant = tenant}));
                         }});
    }
    const std::string mine = R"("email":"viewer@example.com","password":")" + right + R"(")";
    for (const auto& [name, body] : std::vector<std::pair<std::string, std::string>>{
             {"an e-mail twice", "{" + mine + R"(,"email":"root@example.com"})"},
             {"a role that one gives oneself", "{" + mine + R"(,"role":"admin"})"},
             {"a session that one chose oneself", "{" + mine + R"(,"token":"as_mine"})"},
             {"a list of logins", "[{" + mine + "}]"},
             {"a password that is a list", R"({"email":"viewer@example.com","password":["x"]})"},
             {"a password that is an object", R"({"email":"viewer@example.com","password":{"$ne":""}})"},
             {"a password that is true", R"({"email":"viewer@example.com","password":true})"},
             {"a password that is nothing", R"({"email":"viewer@example.com","password":null})"},
             {"a password that is no UTF-8", "{\"email\":\"viewer@example.com\",\"password\":\"\xff\xfe\"}"},
             {"two bodies", "{" + mine + "}{" + mine + "}"},
             {"nesting of 100,000", std::string(100'000, '[')},
             {"no body that is JSON", "email=viewer@example.com&password=x"}}) {
        cases.push_back({name, [&world, body = body] {
                             return unless_not_in(post(world.target, "/api/v1/auth/login", body));
                         }});
    }
}

/// Two answers to who should learn nothing from them.
Gain unless_same(const HttpReply& one, const HttpReply& other) {
    return refusal_in(one) == refusal_in(other) ? Gain() : refusal_in(one) + " and " + refusal_in(other);
}

void add_enumeration(World& world, Cases& cases) {
    const auto compare = [&](const std::string& name, Guess one, Guess other) {
        cases.push_back({"an answer tells " + name, [&world, one, other]() mutable {
                             one.source = next_source();
                             other.source = next_source();
                             return unless_same(log_in(world.target, one), log_in(world.target, other));
                         }});
    };
    compare("a user from nobody", {.email = "developer@example.com"}, {.email = "nobody@example.com"});
    compare("a tenant from none", {.email = "x@example.com", .tenant = "acme"},
            {.email = "x@example.com", .tenant = "nowhere"});
    compare("an e-mail from what is none", {.email = "x@example.com"}, {.email = "no e-mail"});
    cases.push_back({"an answer tells a suspended user from nobody", [&world] {
                         world.add_user("asleep@example.com", "viewer");
                         world.target.must({.method = "PATCH",
                                            .path = "/api/v1/users/asleep@example.com",
                                            .body = R"({"status":"suspended"})",
                                            .token = world.root});
                         return unless_same(
                             log_in(world.target, {.email = "asleep@example.com", .source = next_source()}),
                             log_in(world.target, {.email = "awake@example.com", .source = next_source()}));
                     }});
    cases.push_back({"a demanded proof tells a user from nobody", [&world]() -> Gain {
                         world.add_user("asked@example.com", "viewer");
                         for (const std::string email : {"asked@example.com", "notthere@example.com"}) {
                             HttpReply reply;
                             for (int i = 0; i < 4; ++i) {
                                 reply = log_in(world.target, {.email = email, .source = next_source()});
                             }
                             if (challenge_in(reply).empty()) {
                                 return email + " is asked for none";
                             }
                         }
                         return {};
                     }});
    cases.push_back(
        {"another spelling of an account has guesses of its own", [&world]() -> Gain {
             size_t hashed = 0;
             for (const std::string email : {"spelt@example.com", "SPELT@example.com", "Spelt@Example.com",
                                             "spelt@EXAMPLE.com", "sPelt@example.com", "spElt@example.com"}) {
                 hashed +=
                     was_hashed(log_in(world.target, {.email = email, .source = next_source()})) ? 1 : 0;
             }
             return hashed > 3 ? std::to_string(hashed) + " passwords were looked at" : Gain();
         }});
}

void add_sessions(World& world, Cases& cases) {
    cases.push_back({"a login goes on with a session that the attacker knows", [&world]() -> Gain {
                         const HttpReply reply = post(
                             world.target, "/api/v1/auth/login",
                             Json{{"email", "developer@example.com"}, {"password", kPassword}}.dump(),
                             {"Authorization: Bearer " + world.viewer, "Cookie: session=" + world.viewer});
                         if (reply.status != 200) {
                             return {};
                         }
                         const std::string made = Json::parse(reply.body).at("token").get<std::string>();
                         const Json me =
                             world.target.must({.path = "/api/v1/auth/me", .token = world.viewer});
                         return made == world.viewer || me.at("role") != "viewer" ? me.dump() : Gain();
                     }});
    cases.push_back({"two logins share a session", [&world]() -> Gain {
                         const std::string one = world.log_in("developer@example.com");
                         return one == world.log_in("developer@example.com") ? one : Gain();
                     }});
    cases.push_back({"a login answers what a page may keep", [&world]() -> Gain {
                         const HttpReply reply =
                             post(world.target, "/api/v1/auth/login",
                                  Json{{"email", "developer@example.com"}, {"password", kPassword}}.dump());
                         return reply.headers.find("cache-control: no-store") == std::string::npos
                                    ? reply.headers
                                    : Gain();
                     }});
}

/// A browser that is logged in somewhere visits a page of somebody else.
void add_other_origins(World& world, Cases& cases) {
    for (const std::string type :
         {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
        cases.push_back({"a form of another origin, as " + type, [&world, type] {
                             const std::string body = R"({"name":"forged","dimension":16})";
                             const auto replies = world.target.send(
                                 "POST /api/v1/collections HTTP/1.1\r\nHost: db.example\r\n"
                                 "Origin: https://evil.example\r\nCookie: session=" +
                                 world.root + "\r\nContent-Type: " + type +
                                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
                             return replies.size() == 1 ? unless_refused(replies[0]) : "no answer";
                         }});
    }
    for (const std::string origin : {"https://evil.example", "null", "http://127.0.0.1"}) {
        cases.push_back(
            {"a page of " + origin + " reads an answer", [&world, origin]() -> Gain {
                 const HttpReply read = world.target.ask(
                     {.path = "/api/v1/auth/me", .token = world.viewer, .headers = {"Origin: " + origin}});
                 const HttpReply asked =
                     world.target.ask({.method = "OPTIONS",
                                       .path = "/api/v1/collections",
                                       .headers = {"Origin: " + origin, "Access-Control-Request-Method: POST",
                                                   "Access-Control-Request-Headers: authorization"}});
                 const std::string told = read.headers + asked.headers;
                 return told.find("access-control-allow") == std::string::npos ? Gain() : told;
             }});
    }
}

void add_first_start(World& world, Cases& cases) {
    cases.push_back(
        {"a set-up while there are users", [&world]() -> Gain {
             for (const char* token : {"", "setup_", "setup_0000"}) {
                 const HttpReply reply = post(
                     world.target, "/api/v1/auth/setup",
                     Json{{"token", token}, {"email", "evil@example.com"}, {"password", kPassword}}.dump());
                 if (Gain gain = unless_refused(reply); !gain.empty()) {
                     return gain;
                 }
             }
             return {};
         }});
    cases.push_back(
        {"a set-up token is used twice, and one of an earlier start", []() -> Gain {
             Target fresh({"--auth.enabled", "true"});
             const auto token_of = [&] {
                 std::string log;
                 do {  // it is told right behind the moment at which the server is ready
                     log = fresh.process().log();
                 } while (log.find("setup_") == std::string::npos);
                 return log.substr(log.rfind("setup_"), 49);
             };
             const auto set_up = [&](const std::string& token, const std::string& email) {
                 return fresh
                     .ask({.method = "POST",
                           .path = "/api/v1/auth/setup",
                           .body = Json{{"token", token}, {"email", email}, {"password", kPassword}}.dump()})
                     .status;
             };
             const std::string old = token_of();
             fresh.stop();
             fresh.start();
             const std::string token = token_of();
             if (set_up(old, "evil@example.com") < 400) {
                 return "that of an earlier start is taken";
             }
             if (fresh.ask({.path = "/api/v1/users"}).status != 401) {
                 return "users are told before there is one";
             }
             if (set_up(token, "first@example.com") != 200) {
                 return "the honest one is not taken";
             }
             return set_up(token, "evil@example.com") < 400 ? "it is taken twice" : Gain();
         }});
}

}  // namespace

void add_login_cases(World& world, Cases& cases) {
    add_bodies(world, cases);
    add_enumeration(world, cases);
    add_sessions(world, cases);
    add_other_origins(world, cases);
    add_first_start(world, cases);
}

}  // namespace akidb::attack
