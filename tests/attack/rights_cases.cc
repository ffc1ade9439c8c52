// Who has few rights and wants more: by the other protocol, by making users and keys, and by the names of
// what belongs to another tenant.
#include <akidb/v1/access.pb.h>
#include <akidb/v1/collections.pb.h>
#include <akidb/v1/documents.pb.h>
#include <akidb/v1/search.pb.h>

#include "arena.h"

namespace akidb::attack {
namespace {

template <class Message>
std::string of(const std::string& collection, Message message = {}) {
    message.set_collection(collection);
    return message.SerializeAsString();
}

std::string search_of(const std::string& collection) {
    akidb::v1::SearchRequest message;
    for (int i = 0; i < 16; ++i) {
        message.add_vector(1);
    }
    return of(collection, message);
}

/// Tokens of one protocol on the other: the same rights, no more and no fewer.
void add_protocols(World& world, Cases& cases) {
    cases.push_back({"a viewer's session of REST deletes over gRPC", [&world] {
                         return unless(grpc::StatusCode::PERMISSION_DENIED,
                                       world.target.call("CollectionService/Delete",
                                                         of<akidb::v1::DeleteCollectionRequest>("secret"),
                                                         world.viewer));
                     }});
    cases.push_back({"a viewer's session of REST does not read over gRPC", [&world] {
                         return unless(
                             grpc::StatusCode::OK,
                             world.target.call("SearchService/Search", search_of("open"), world.viewer));
                     }});
    cases.push_back({"a key for open* searches elsewhere over gRPC", [&world] {
                         const std::string key = world.key(R"("role":"viewer","collections":["open*"])");
                         return unless(grpc::StatusCode::PERMISSION_DENIED,
                                       world.target.call("SearchService/Search", search_of("secret"), key));
                     }});
    cases.push_back({"credentials twice over gRPC", [&world] {
                         return unless(grpc::StatusCode::INVALID_ARGUMENT,
                                       world.target.call("CollectionService/List", "",
                                                         {{"authorization", "Bearer " + world.viewer},
                                                          {"authorization", "Bearer " + world.root}}));
                     }});
    cases.push_back({"a session logged out over REST goes on over gRPC", [&world]() -> Gain {
                         const std::string session = world.log_in("viewer@example.com");
                         if (!world.target.call("CollectionService/List", "", session).status.ok()) {
                             return "an honest session does not work over gRPC";
                         }
                         world.target.must(
                             {.method = "POST", .path = "/api/v1/auth/logout", .token = session});
                         return unless(grpc::StatusCode::UNAUTHENTICATED,
                                       world.target.call("CollectionService/List", "", session));
                     }});
    for (const char* header : {"x-forwarded-user", "x-tenant", "x-akidb-role", "grpc-internal-user"}) {
        cases.push_back({std::string("identity over gRPC by ") + header, [&world, header] {
                             return unless(grpc::StatusCode::UNAUTHENTICATED,
                                           world.target.call("CollectionService/List", "",
                                                             {{header, "root@example.com"}}));
                         }});
    }
}

void add_access_service(World& world, Cases& cases) {
    cases.push_back({"guesses over gRPC, from addresses made up in front of the proxy", [&world]() -> Gain {
                         size_t hashed = 0;
                         for (int i = 0; i < 20; ++i) {
                             akidb::v1::LogInRequest message;
                             message.set_email("grpc" + std::to_string(i) + "@example.com");
                             message.set_password("not the owner's password");
                             const RpcReply reply = world.target.call(
                                 "AccessService/LogIn", message.SerializeAsString(),
                                 {{"x-forwarded-for", "10.99.0." + std::to_string(i) + ", 198.51.100.200"}});
                             hashed +=
                                 reply.status.error_message().find("is wrong") != std::string::npos ? 1 : 0;
                         }
                         return hashed == 3 ? Gain() : std::to_string(hashed) + " passwords were looked at";
                     }});
    cases.push_back({"failures over REST are forgotten over gRPC", [&world]() -> Gain {
                         for (int i = 0; i < 3; ++i) {
                             log_in(world.target, {.email = "both@example.com",
                                                   .source = "198.51.101." + std::to_string(i + 1)});
                         }
                         akidb::v1::LogInRequest message;
                         message.set_email("both@example.com");
                         message.set_password("not the owner's password");
                         const RpcReply reply =
                             world.target.call("AccessService/LogIn", message.SerializeAsString(),
                                               {{"x-forwarded-for", "198.51.101.9"}});
                         return reply.status.error_message().find("proof of work") != std::string::npos
                                    ? Gain()
                                    : reply.status.error_message();
                     }});
    for (const char* method :
         {"CreateUser", "ListUsers", "CreateKey", "ListKeys", "CreateTenant", "QueryAudit"}) {
        cases.push_back({std::string("a viewer calls AccessService/") + method, [&world, method] {
                             return unless(
                                 grpc::StatusCode::PERMISSION_DENIED,
                                 world.target.call(std::string("AccessService/") + method, "", world.viewer));
                         }});
    }
    cases.push_back({"a method that is not there tells a stranger something", [&world] {
                         return unless(grpc::StatusCode::UNIMPLEMENTED,
                                       world.target.call("AdminService/DropAll", "", world.viewer));
                     }});
}

/// Refused, to this token.
void refused(World& world, Cases& cases, const std::string& name, const Ask& ask) {
    cases.push_back({name, [&world, ask] { return unless_refused(world.target.ask(ask)); }});
}

void add_climbing(World& world, Cases& cases) {
    const auto post = [](const std::string& path, const std::string& body, const std::string& token) {
        return Ask{.method = "POST", .path = "/api/v1/" + path, .body = body, .token = token};
    };
    const std::string admin_user =
        R"({"email":"new@example.com","password":"a very long password","role":"admin"})";
    refused(world, cases, "a viewer makes a key",
            post("keys", R"({"name":"k","role":"viewer"})", world.viewer));
    refused(world, cases, "a developer makes an administrator", post("users", admin_user, world.developer));
    refused(world, cases, "a developer makes a key of an administrator",
            post("keys", R"({"name":"k","role":"admin"})", world.developer));
    refused(world, cases, "a viewer gives himself a role",
            {.method = "PATCH",
             .path = "/api/v1/users/viewer@example.com",
             .body = R"({"role":"admin"})",
             .token = world.viewer});
    refused(world, cases, "a viewer reads the audit log", {.path = "/api/v1/audit", .token = world.viewer});
    refused(world, cases, "a viewer reads the metrics", {.path = "/metrics", .token = world.acme});
    const std::string maker = world.key(R"("actions":["key::create","user::create","user::update"])");
    refused(world, cases, "a maker of keys makes one that may more",
            post("keys", R"({"name":"k","actions":["document::search"]})", maker));
    refused(world, cases, "a maker of users makes one that may more", post("users", admin_user, maker));
    refused(world, cases, "a changer of users takes an administrator's password",
            {.method = "PATCH",
             .path = "/api/v1/users/root@example.com",
             .body = R"({"password":"a very long password"})",
             .token = maker});
    const std::string narrow = world.key(R"("role":"admin","collections":["open"])");
    refused(world, cases, "a key for one collection makes one for all",
            post("keys", R"({"name":"k","role":"viewer"})", narrow));
    refused(world, cases, "the last administrator is put out",
            {.method = "PATCH",
             .path = "/api/v1/users/root@example.com",
             .body = R"({"status":"deactivated"})",
             .token = world.root});
}

void add_tenants(World& world, Cases& cases) {
    const auto id_in = [&](const std::string& path) {
        return world.target.must({.path = path, .token = world.root}).at("id").get<std::string>();
    };
    const std::string user = id_in("/api/v1/users/viewer@example.com");
    const std::string key = id_of_token(world.key(R"("role":"viewer")"));
    for (const auto& [path, what] :
         std::vector<std::pair<std::string, std::string>>{{"users/" + user, "a user, by id"},
                                                          {"users/viewer@example.com", "a user, by e-mail"},
                                                          {"keys/" + key, "a key"}}) {
        for (const auto& [method, body] : std::vector<std::pair<std::string, std::string>>{
                 {"GET", ""},
                 {"PATCH", what == "a key" ? R"({"revoked":true})" : R"({"status":"suspended"})"},
                 {"DELETE", ""}}) {
            cases.push_back(
                {"another tenant's administrator asks " + method + " of " + what,
                 [&world, path = path, method = method, body = body]() -> Gain {
                     const HttpReply theirs = world.target.ask(
                         {.method = method, .path = "/api/v1/" + path, .body = body, .token = world.acme});
                     const std::string none = path.starts_with("users/") ? "users/none@example.com"
                                                                         : "keys/" + std::string(36, '0');
                     const HttpReply nothing = world.target.ask(
                         {.method = method, .path = "/api/v1/" + none, .body = body, .token = world.acme});
                     return refusal_in(theirs) == refusal_in(nothing) && theirs.status == 404
                                ? Gain()
                                : refusal_in(theirs);
                 }});
        }
    }
}

void add_tenants_belongings(World& world, Cases& cases) {
    for (const std::string path : {"tenants", "tenants/default", "tenants/acme"}) {
        refused(world, cases, "another tenant's administrator reads " + path,
                {.path = "/api/v1/" + path, .token = world.acme});
    }
    refused(
        world, cases, "another tenant's administrator makes a user in default",
        {.method = "POST",
         .path = "/api/v1/users",
         .body =
             R"({"email":"n@example.com","password":"a very long password","role":"viewer","tenant":"default"})",
         .token = world.acme});
    refused(world, cases, "another tenant's administrator makes a key in default",
            {.method = "POST",
             .path = "/api/v1/keys",
             .body = R"({"name":"k","role":"viewer","tenant":"default"})",
             .token = world.acme});
    cases.push_back({"another tenant's lists have what is not theirs", [&world]() -> Gain {
                         for (const char* path :
                              {"/api/v1/users", "/api/v1/keys", "/api/v1/collections", "/collections",
                               "/api/v1/aliases", "/api/v1/audit?tenant=default"}) {
                             const HttpReply reply = world.target.ask({.path = path, .token = world.acme});
                             for (const char* canary : {"secret", "root@example.com", "viewer@example.com"}) {
                                 if (reply.body.find(canary) != std::string::npos) {
                                     return std::string(path) + ": " + canary;
                                 }
                             }
                         }
                         return {};
                     }});
    for (const std::string path :
         {"/api/v1/collections/secret", "/collections/secret", "/api/v1/collections/secret/stats",
          "/api/v1/collections/secret/documents/1", "/collections/secret/points/1",
          "/api/v1/collections/default%2fsecret", "/api/v1/collections/default.secret"}) {
        refused(world, cases, "another tenant reads " + path, {.path = path, .token = world.acme});
    }
    cases.push_back({"another tenant searches over gRPC", [&world] {
                         return unless(
                             grpc::StatusCode::NOT_FOUND,
                             world.target.call("SearchService/Search", search_of("secret"), world.acme));
                     }});
    refused(world, cases, "an alias into another tenant",
            {.method = "POST",
             .path = "/collections/aliases",
             .body = R"({"actions":[{"create_alias":{"alias_name":"mine","collection_name":"secret"}}]})",
             .token = world.acme});
}

}  // namespace

void add_rights_cases(World& world, Cases& cases) {
    add_protocols(world, cases);
    add_access_service(world, cases);
    add_climbing(world, cases);
    add_tenants(world, cases);
    add_tenants_belongings(world, cases);
}

}  // namespace akidb::attack
