// Sessions by cookie, which a browser sends along with whatever any page asks for: what another site's page
// can do with that, and what a script of our own could read.
#include "arena.h"

namespace akidb::attack {
namespace {

constexpr const char* kName = "akidb_session";
// Whom no other case fails to be.
constexpr const char* kReader = "page.reader@example.com";
constexpr const char* kWriter = "page.writer@example.com";

/// What a browser has after a login by our page.
struct Browser {
    std::string token;  // in the cookie
    std::string csrf;   // told to the page
    std::string set_cookie;
    std::string body;
};

Browser browser_of(const World& world, const std::string& email) {
    static int number = 0;
    const HttpReply reply =
        world.target.ask({.method = "POST",
                          .path = "/api/v1/auth/login",
                          .body = Json{{"email", email}, {"password", kPassword}, {"cookie", true}}.dump(),
                          .headers = {"X-Forwarded-For: 198.19.0." + std::to_string(++number)}});
    Browser browser;
    browser.body = reply.body;
    const std::string line = "\r\nSet-Cookie: ";
    const size_t from = reply.head.find(line);
    if (reply.status != 200 || from == std::string::npos) {
        throw std::runtime_error("no login by cookie: " + reply.head + reply.body);
    }
    browser.set_cookie =
        reply.head.substr(from + line.size(), reply.head.find("\r\n", from + 2) - from - line.size());
    browser.token = browser.set_cookie.substr(sizeof("akidb_session"),
                                              browser.set_cookie.find(';') - sizeof("akidb_session"));
    browser.csrf = Json::parse(reply.body).at("csrf_token").get<std::string>();
    return browser;
}

Ask with_cookie(const std::string& token, std::vector<std::string> headers) {
    headers.push_back("Cookie: theme=dark; " + std::string(kName) + "=" + token);
    return {.method = "POST",
            .path = "/api/v1/collections",
            .body = R"({"name":"forged","dimension":16})",
            .headers = std::move(headers)};
}

void add_forgeries(World& world, Cases& cases) {
    const Browser developer = browser_of(world, kWriter);
    const Browser other = browser_of(world, kReader);
    const auto forged = [&](const std::string& name, std::vector<std::string> headers) {
        cases.push_back({name, [&world, ask = with_cookie(developer.token, std::move(headers))] {
                             return unless_refused(world.target.ask(ask));
                         }});
    };
    forged("another site's page asks with the cookie", {"Origin: https://evil.example"});
    forged("another site's page makes up a CSRF token", {"X-CSRF-Token: " + std::string(64, 'a')});
    forged("another site's page sends an empty CSRF token", {"X-CSRF-Token: "});
    forged("another site's page sends the CSRF token of its own session", {"X-CSRF-Token: " + other.csrf});
    forged("another site's page sends the CSRF token as a cookie",
           {"Cookie: X-CSRF-Token=" + developer.csrf});
    forged("a CSRF token and a second session",
           {"X-CSRF-Token: " + developer.csrf, "Cookie: " + std::string(kName) + "=" + other.token});
    forged("a cookie beside Authorization",
           {"X-CSRF-Token: " + developer.csrf, "Authorization: Bearer " + developer.token});
    for (const std::string method : {"PUT", "PATCH", "DELETE"}) {
        cases.push_back({"another site's page asks by " + method, [&world, developer, method] {
                             return unless_refused(world.target.ask(
                                 {.method = method,
                                  .path = "/api/v1/collections/open",
                                  .headers = {std::string("Cookie: ") + kName + "=" + developer.token}}));
                         }});
    }
    cases.push_back({"our own page is kept from working", [&world, developer]() -> Gain {
                         const std::string cookie = std::string("Cookie: ") + kName + "=" + developer.token;
                         world.target.must({.path = "/api/v1/collections", .headers = {cookie}});
                         const Json me = world.target.must({.path = "/api/v1/auth/me", .headers = {cookie}});
                         world.target.must({.method = "POST",
                                            .path = "/api/v1/collections/open/count",
                                            .body = "{}",
                                            .headers = {cookie, "X-CSRF-Token: " + developer.csrf}});
                         return me.at("csrf_token") == developer.csrf ? Gain() : me.dump();
                     }});
}

void add_readings(World& world, Cases& cases) {
    cases.push_back({"a script reads the session", [&world]() -> Gain {
                         const Browser browser = browser_of(world, kReader);
                         if (browser.body.find(browser.token) != std::string::npos) {
                             return browser.body;
                         }
                         for (const char* attribute : {"; HttpOnly", "; SameSite=Strict", "; Path=/"}) {
                             if (browser.set_cookie.find(attribute) == std::string::npos) {
                                 return browser.set_cookie;
                             }
                         }
                         return browser.set_cookie.find("Domain") == std::string::npos ? Gain()
                                                                                       : browser.set_cookie;
                     }});
    cases.push_back({"a CSRF token opens something", [&world] {
                         const Browser browser = browser_of(world, kReader);
                         return unless_refused(
                             world.target.ask({.path = "/api/v1/auth/me",
                                               .token = browser.csrf,
                                               .headers = {"X-CSRF-Token: " + browser.csrf}}));
                     }});
    cases.push_back(
        {"a cookie named as under TLS counts without", [&world] {
             const Browser browser = browser_of(world, kReader);
             return unless_refused(world.target.ask(
                 {.path = "/api/v1/auth/me", .headers = {"Cookie: __Host-akidb=" + browser.token}}));
         }});
    cases.push_back(
        {"an API key as a cookie", [&world] {
             const std::string key = world.key(R"("role":"viewer")");
             return unless_refused(world.target.ask(
                 {.path = "/api/v1/auth/me", .headers = {std::string("Cookie: ") + kName + "=" + key}}));
         }});
    cases.push_back(
        {"a cookie goes on after a logout", [&world]() -> Gain {
             const Browser browser = browser_of(world, kReader);
             const std::string cookie = std::string("Cookie: ") + kName + "=" + browser.token;
             if (Gain gain = unless_refused(world.target.ask(
                     {.method = "POST", .path = "/api/v1/auth/logout", .headers = {cookie}}));
                 !gain.empty()) {
                 return "another site's page logs out: " + gain;
             }
             const HttpReply out = world.target.ask({.method = "POST",
                                                     .path = "/api/v1/auth/logout",
                                                     .headers = {cookie, "X-CSRF-Token: " + browser.csrf}});
             if (out.status != 200 || out.head.find("Max-Age=0") == std::string::npos) {
                 return "the browser keeps it: " + out.head;
             }
             return unless_refused(world.target.ask({.path = "/api/v1/auth/me", .headers = {cookie}}));
         }});
    cases.push_back(
        {"a login takes over the session in the cookie that the attacker set", [&world]() -> Gain {
             const Browser attacker = browser_of(world, kReader);
             const HttpReply reply = world.target.ask(
                 {.method = "POST",
                  .path = "/api/v1/auth/login",
                  .body = Json{{"email", kWriter}, {"password", kPassword}, {"cookie", true}}.dump(),
                  .headers = {"X-Forwarded-For: 198.19.1.1",
                              std::string("Cookie: ") + kName + "=" + attacker.token}});
             if (reply.status != 200) {
                 return {};
             }
             const Json me =
                 world.target.must({.path = "/api/v1/auth/me",
                                    .headers = {std::string("Cookie: ") + kName + "=" + attacker.token}});
             return reply.head.find(attacker.token) != std::string::npos || me.at("role") != "viewer"
                        ? me.dump()
                        : Gain();
         }});
}

}  // namespace

void add_cookie_cases(World& world, Cases& cases) {
    world.add_user(kReader, "viewer");
    world.add_user(kWriter, "developer");
    add_forgeries(world, cases);
    add_readings(world, cases);
}

}  // namespace akidb::attack
