// Methods and paths written in other ways than the table of routes has them: none may lead around what a
// route asks for, nor out of the collections that a key may see.
#include "arena.h"

namespace akidb::attack {
namespace {

/// Nobody asks; what lies behind takes an administrator.
void add_strangers_paths(World& world, Cases& cases) {
    for (const char* path : {"/health/../api/v1/users",
                             "/health/..%2fapi/v1/users",
                             "/api/v1/../v1/users",
                             "//api/v1/users",
                             "/api//v1/users",
                             "/api/v1/users/",
                             "/api/v1/users/.",
                             "/API/V1/USERS",
                             "/api/v1/%75sers",
                             "/%61pi/v1/users",
                             "/api%2fv1%2fusers",
                             "/health;/api/v1/users",
                             "/health#/api/v1/users",
                             "/health%00/api/v1/users",
                             "/api/v1/users%20",
                             "/api/v1/users?x=/health",
                             "/api/v1/users;a=b",
                             "/./api/v1/users",
                             "/api/v1/users%2f..%2fusers",
                             "/%2e%2e/api/v1/users",
                             "\\api\\v1\\users",
                             "/health/%2e%2e/api/v1/users"}) {
        cases.push_back({std::string("a stranger's way to users by ") + path,
                         [&world, path] { return unless_refused(world.target.ask({.path = path})); }});
    }
    for (const char* target : {"http://db.example/api/v1/users", "http://127.0.0.1/health", "db.example:443",
                               "*", "api/v1/users", "https://evil.example/"}) {
        cases.push_back({std::string("a target that is no path: ") + target, [&world, target] {
                             return unless_refused(world.target.ask({.path = target, .token = world.root}));
                         }});
    }
}

void add_methods(World& world, Cases& cases) {
    for (const char* method : {"get", "Get", "GETX", "TRACE", "CONNECT", "OPTIONS", "PROPFIND"}) {
        cases.push_back({std::string("a stranger's method ") + method, [&world, method]() -> Gain {
                             const auto replies = world.target.send(std::string(method) +
                                                                    " /api/v1/users HTTP/1.1\r\nHost: a\r\n"
                                                                    "Connection: close\r\n\r\n");
                             return replies.empty() ? Gain() : unless_refused(replies[0], 501);
                         }});
    }
    cases.push_back(
        {"TRACE does not repeat a token", [&world]() -> Gain {
             const HttpReply reply =
                 world.target.ask({.method = "TRACE", .path = "/api/v1/users", .token = world.root});
             return reply.body.find(world.root) != std::string::npos ? "it does" : unless_refused(reply, 501);
         }});
    for (const char* line :
         {"X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE"}) {
        cases.push_back({std::string("a viewer deletes by ") + line, [&world, line]() -> Gain {
                             world.target.ask({.method = "POST",
                                               .path = "/api/v1/collections/secret",
                                               .token = world.viewer,
                                               .headers = {line}});
                             world.target.ask({.path = "/api/v1/collections/secret?_method=DELETE",
                                               .token = world.viewer,
                                               .headers = {line}});
                             const HttpReply left = world.target.ask(
                                 {.path = "/api/v1/collections/secret", .token = world.root});
                             return left.status == 200 ? Gain() : "it is gone";
                         }});
    }
    for (const char* line : {"X-Original-URL: /api/v1/users", "X-Rewrite-URL: /api/v1/users",
                             "X-Forwarded-Prefix: /api/v1/users", "X-Forwarded-Path: /api/v1/users"}) {
        cases.push_back({std::string("another path by ") + line, [&world, line]() -> Gain {
                             const HttpReply reply = world.target.ask({.path = "/health", .headers = {line}});
                             return reply.body.find("@") == std::string::npos ? Gain() : reply.body;
                         }});
    }
}

/// A key for collections "open*" that wants to read "secret", over both dialects.
void add_patterns(World& world, Cases& cases) {
    const std::string key = world.key(R"("role":"developer","collections":["open*"])");
    for (const char* name : {"secret", "open%2f..%2fsecret", "open/../secret", "open%00secret", "%73ecret",
                             "SECRET", "secret%20", "open*", "secret?x=open", "..%2fsecret", "open;secret",
                             "secret%2fopen", "open%252f..%252fsecret"}) {
        cases.push_back(
            {std::string("a key for open* reads ") + name, [&world, key, name]() -> Gain {
                 for (const std::string prefix : {"/api/v1/collections/", "/collections/"}) {
                     const HttpReply reply = world.target.ask({.path = prefix + name, .token = key});
                     if (reply.status == 200) {
                         return reply.body;
                     }
                     const HttpReply count = world.target.ask(
                         {.method = "POST", .path = prefix + name + "/count", .body = "{}", .token = key});
                     if (count.status == 200) {
                         return count.body;
                     }
                 }
                 return {};
             }});
    }
    cases.push_back({"a key for open* makes itself an alias of what it may not see", [&world, key]() -> Gain {
                         const HttpReply made = world.target.ask(
                             {.method = "POST",
                              .path = "/api/v1/aliases",
                              .body = R"({"actions":[{"create":{"alias":"open-2","collection":"secret"}}]})",
                              .token = key});
                         const HttpReply read =
                             world.target.ask({.path = "/api/v1/collections/open-2", .token = key});
                         return made.status >= 400 && read.status >= 400 ? Gain() : made.body + read.body;
                     }});
    cases.push_back({"a key for open* lists what else there is", [&world, key]() -> Gain {
                         for (const char* path : {"/api/v1/collections", "/collections", "/api/v1/aliases"}) {
                             const HttpReply reply = world.target.ask({.path = path, .token = key});
                             if (reply.body.find("secret") != std::string::npos) {
                                 return reply.body;
                             }
                         }
                         return {};
                     }});
}

}  // namespace

void add_path_cases(World& world, Cases& cases) {
    add_strangers_paths(world, cases);
    add_methods(world, cases);
    add_patterns(world, cases);
}

}  // namespace akidb::attack
