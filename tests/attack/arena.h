// Arena: what the cases of an attack share: a real server, those who live in it, and ways to speak to it that
// no client would take. A case says what the attacker gained; nothing is what it should be. Throws
// std::runtime_error when the arena itself does not work: then no case says anything. Not thread-safe, but
// for Target::ask, send and call.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "server_process.h"
#include "support/http_client.h"

namespace akidb::attack {

using Json = nlohmann::json;
using support::HttpReply;

inline constexpr const char* kPassword = "the owner's long password";

struct Ask {
    std::string method = "GET";
    std::string path;
    std::string body = "";
    std::string token = "";                 // as Authorization: Bearer
    std::vector<std::string> headers = {};  // more lines
};

struct RpcReply {
    grpc::Status status;
    std::string message;  // its bytes
};

/// A running server.
class Target {
  public:
    explicit Target(std::vector<std::string> flags);

    HttpReply ask(const Ask& ask) const;
    /// Throws unless the answer is 2xx.
    Json must(const Ask& ask) const;
    /// The bytes as they are; what is answered until the connection ends.
    std::vector<HttpReply> send(std::string_view bytes) const;
    /// `method` as "CollectionService/List"; `metadata` as pairs.
    RpcReply call(std::string_view method, const std::string& message,
                  const std::vector<std::pair<std::string, std::string>>& metadata) const;
    RpcReply call(std::string_view method, const std::string& message, const std::string& token) const;

    e2e::ServerProcess& process() const { return *process_; }
    support::Endpoint endpoint() const { return support::parse_url(process_->rest_url()); }
    std::string catalog() const { return files_.path() + "/akidb.db"; }
    void stop();
    void start();

  private:
    e2e::TemporaryDirectory files_;
    std::vector<std::string> flags_;
    std::unique_ptr<e2e::ServerProcess> process_;
    std::shared_ptr<grpc::Channel> channel_;
};

/// Two tenants, "default" and "acme", with collections "open" and "secret", and "theirs"; a proxy on loopback
/// is trusted, so a case can come from any address.
struct World {
    Target target;
    std::string root;       // session of the administrator of the server
    std::string viewer;     // session of a viewer of default
    std::string developer;  // session
    std::string acme;       // session of the administrator of acme

    World();
    /// `members` of the key as JSON without braces; asked by `maker`.
    std::string key(const std::string& members, const std::string& maker = {}) const;
    void add_user(const std::string& email, const std::string& role,
                  const std::string& tenant = "default") const;
    /// A session, from an address of its own each time.
    std::string log_in(const std::string& email, const std::string& tenant = "default");

  private:
    int logins_ = 0;
};

/// A login from an address, as a proxy would pass it on.
struct Guess {
    std::string email;
    std::string password = "not the owner's password";
    std::string source = "";  // nothing: none is told
    std::string tenant = "default";
    std::string proof = "";
    std::string device = "";
};
HttpReply log_in(const Target& target, const Guess& guess);
/// The password was looked at: what the attacker pays for with nothing is what counts.
bool was_hashed(const HttpReply& reply);
/// The challenge of an answer, as JSON text; empty when there is none.
std::string challenge_in(const HttpReply& reply);

/// What the attacker gained; empty: nothing.
using Gain = std::string;
struct Case {
    std::string name;
    std::function<Gain()> run;
};
using Cases = std::vector<Case>;

/// A gain unless the answer refuses (4xx, or `also`).
Gain unless_refused(const HttpReply& reply, int also = 0);
/// The same for an answer of gRPC that must have this code.
Gain unless(grpc::StatusCode code, const RpcReply& reply);
/// The error's text without what names the request.
std::string refusal_in(const HttpReply& reply);
std::string id_of_token(const std::string& token);

void add_framing_cases(World& world, Cases& cases);
void add_path_cases(World& world, Cases& cases);
void add_guess_cases(World& world, Cases& cases);
void add_login_cases(World& world, Cases& cases);
void add_cookie_cases(World& world, Cases& cases);
void add_proof_cases(World& world, Cases& cases);
void add_token_cases(World& world, Cases& cases);
void add_rights_cases(World& world, Cases& cases);
void add_document_cases(World& world, Cases& cases);

}  // namespace akidb::attack
