// Tokens: made up, changed, ended, and carried from one protocol to the other. Each is shown to both, and to
// the Qdrant dialect: none may be worth more on one than on another.
#include "arena.h"
#include "catalog/sqlite.h"

namespace akidb::attack {
namespace {

/// A gain when any door opens for the token.
Gain unless_shut(const World& world, const std::string& token) {
    for (const char* path : {"/api/v1/auth/me", "/api/v1/collections", "/collections", "/metrics"}) {
        if (const HttpReply reply = world.target.ask({.path = path, .token = token}); reply.status != 401) {
            return std::string(path) + " answered " + std::to_string(reply.status) + " " + reply.body;
        }
        const HttpReply by_key = world.target.ask({.path = path, .headers = {"api-key: " + token}});
        if (by_key.status != 401) {
            return std::string(path) + ", by api-key, answered " + std::to_string(by_key.status);
        }
    }
    for (const char* header : {"authorization", "api-key"}) {
        const std::string value = (std::string(header) == "authorization" ? "Bearer " : "") + token;
        if (Gain gain = unless(grpc::StatusCode::UNAUTHENTICATED,
                               world.target.call("CollectionService/List", "", {{header, value}}));
            !gain.empty()) {
            return "gRPC " + gain;
        }
    }
    return {};
}

void change(const World& world, const std::string& method, const std::string& path,
            const Json& body = nullptr) {
    world.target.must(
        {.method = method, .path = path, .body = body.is_null() ? "" : body.dump(), .token = world.root});
}

void add_made_up(World& world, Cases& cases) {
    const std::string key = world.key(R"("role":"admin")");
    const std::string other = world.key(R"("role":"viewer")");
    std::string changed = key;
    changed.back() = changed.back() == 'a' ? 'b' : 'a';
    for (const auto& [name, token] : std::vector<std::pair<std::string, std::string>>{
             {"with a letter of its secret changed", changed},
             {"without its last letter", key.substr(0, key.size() - 1)},
             {"with a letter more", key + "a"},
             {"in capitals", "AK" + key.substr(2)},
             {"that says it is a session", "as" + key.substr(2)},
             {"with the secret of another", key.substr(0, 36) + other.substr(36)},
             {"with the id of another", other.substr(0, 36) + key.substr(36)},
             {"without a secret", key.substr(0, 36) + std::string(43, '0')},
             {"that is its id", key.substr(3, 32)},
             {"of zeros", "ak_" + std::string(32, '0') + "_" + std::string(43, '0')},
             {"that is a hash", std::string(64, 'a')},
             {"of 7,000 letters", std::string(7'000, 'a')},
             {"of a JSON Web Token without a signature",
              "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290QGV4YW1wbGUuY29tIn0."}}) {
        cases.push_back({"a key " + name, [&world, token = token] { return unless_shut(world, token); }});
    }
    cases.push_back({"a session that says it is a key",
                     [&world] { return unless_shut(world, "ak" + world.root.substr(2)); }});
    cases.push_back(
        {"ids of keys are told apart by what a wrong secret is answered", [&world, key]() -> Gain {
             const HttpReply known = world.target.ask(
                 {.path = "/api/v1/auth/me", .token = key.substr(0, 36) + std::string(43, '0')});
             const HttpReply unknown =
                 world.target.ask({.path = "/api/v1/auth/me",
                                   .token = "ak_" + std::string(32, 'f') + "_" + std::string(43, '0')});
             return refusal_in(known) == refusal_in(unknown) ? Gain() : refusal_in(known);
         }});
    cases.push_back({"what is revoked is told by a wrong secret", [&world]() -> Gain {
                         const std::string gone = world.key(R"("role":"viewer")");
                         change(world, "PATCH", "/api/v1/keys/" + id_of_token(gone), {{"revoked", true}});
                         const HttpReply known = world.target.ask(
                             {.path = "/api/v1/auth/me", .token = gone.substr(0, 36) + std::string(43, '0')});
                         return known.body.find("revoked") == std::string::npos ? Gain() : known.body;
                     }});
    cases.push_back({"an answer repeats a token", [&world, changed]() -> Gain {
                         for (const std::string path : {"/api/v1/auth/me", "/metrics"}) {
                             const HttpReply reply = world.target.ask({.path = path, .token = changed});
                             if (reply.body.find(changed) != std::string::npos) {
                                 return reply.body;
                             }
                         }
                         return {};
                     }});
    cases.push_back({"the log has a token", [&world, key]() -> Gain {
                         world.target.must({.path = "/api/v1/auth/me", .token = key});
                         const std::string log = world.target.process().log();
                         for (const std::string& secret : {key, world.root, std::string(kPassword)}) {
                             if (log.find(secret) != std::string::npos) {
                                 return "it does";
                             }
                         }
                         return {};
                     }});
}

void add_ended(World& world, Cases& cases) {
    const auto ended = [&](const std::string& name, const std::function<std::string()>& end) {
        cases.push_back({name, [&world, end]() -> Gain { return unless_shut(world, end()); }});
    };
    ended("a revoked key", [&world] {
        const std::string key = world.key(R"("role":"admin")");
        world.target.must({.path = "/api/v1/auth/me", .token = key});
        change(world, "PATCH", "/api/v1/keys/" + id_of_token(key), {{"revoked", true}});
        return key;
    });
    ended("a deleted key", [&world] {
        const std::string key = world.key(R"("role":"admin")");
        change(world, "DELETE", "/api/v1/keys/" + id_of_token(key));
        return key;
    });
    ended("a session that was logged out", [&world] {
        const std::string session = world.log_in("viewer@example.com");
        world.target.must({.method = "POST", .path = "/api/v1/auth/logout", .token = session});
        return session;
    });
    for (const std::string status : {"suspended", "deactivated"}) {
        ended("a session of a user who is " + status, [&world, status] {
            const std::string email = status + ".user@example.com";
            world.add_user(email, "developer");
            const std::string session = world.log_in(email);
            change(world, "PATCH", "/api/v1/users/" + email, {{"status", status}});
            return session;
        });
    }
    ended("a session of a user who was deleted", [&world] {
        world.add_user("deleted@example.com", "developer");
        const std::string session = world.log_in("deleted@example.com");
        change(world, "DELETE", "/api/v1/users/deleted@example.com");
        return session;
    });
    ended("a session from before the password was changed", [&world] {
        world.add_user("changed@example.com", "developer");
        const std::string session = world.log_in("changed@example.com");
        change(world, "PATCH", "/api/v1/users/changed@example.com", {{"password", "a new long password"}});
        return session;
    });
    for (const std::string kind : {"key", "session"}) {
        ended("a " + kind + " of a tenant that was suspended", [&world, kind] {
            const std::string tenant = "suspended-" + kind;
            change(world, "POST", "/api/v1/tenants", {{"name", tenant}});
            world.add_user("x@example.com", "admin", tenant);
            const std::string token = kind == "key"
                                          ? world.key(R"("role":"admin","tenant":")" + tenant + "\"")
                                          : world.log_in("x@example.com", tenant);
            change(world, "PATCH", "/api/v1/tenants/" + tenant, {{"suspended", true}});
            return token;
        });
    }
    ended("a key of a tenant that was deleted", [&world] {
        change(world, "POST", "/api/v1/tenants", {{"name", "deleted"}});
        const std::string key = world.key(R"("role":"admin","tenant":"deleted")");
        change(world, "DELETE", "/api/v1/tenants/deleted");
        return key;
    });
}

void add_past_their_end(World& world, Cases& cases) {
    cases.push_back(
        {"a key and a session past their end, over a restart", [&world]() -> Gain {
             const std::string key = world.key(R"("role":"admin","expires_at":"2100-01-01T00:00:00Z")");
             const std::string session = world.log_in("viewer@example.com");
             world.target.stop();
             {  // nobody waits for the year 2100
                 auto catalog = catalog::Connection::open(world.target.catalog());
                 if (!catalog ||
                     !catalog->execute("UPDATE api_keys SET expires_at_ms = 1 WHERE expires_at_ms > 0; "
                                       "UPDATE sessions SET expires_at_ms = 1 WHERE created_at_ms = "
                                       "(SELECT max(created_at_ms) FROM sessions);") ||
                     !catalog->close()) {
                     throw std::runtime_error("the catalog cannot be changed");
                 }
             }
             world.target.start();
             world.target.must({.path = "/api/v1/auth/me", .token = world.root});
             Gain gain = unless_shut(world, key);
             return gain.empty() ? unless_shut(world, session) : gain;
         }});
    cases.push_back({"a key that ended before it began", [&world] {
                         return unless_refused(world.target.ask(
                             {.method = "POST",
                              .path = "/api/v1/keys",
                              .body = R"({"name":"k","role":"viewer","expires_at":"2001-01-01T00:00:00Z"})",
                              .token = world.root}));
                     }});
}

}  // namespace

void add_token_cases(World& world, Cases& cases) {
    add_made_up(world, cases);
    add_ended(world, cases);
    add_past_their_end(world, cases);
}

}  // namespace akidb::attack
