#include "arena.h"

#include <grpcpp/generic/generic_stub.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace akidb::attack {
namespace {

std::string bytes_of(const Ask& ask) {
    std::string bytes = ask.method + " " + ask.path + " HTTP/1.1\r\nHost: db.example\r\n";
    if (!ask.token.empty()) {
        bytes.append("Authorization: Bearer ").append(ask.token).append("\r\n");
    }
    for (const std::string& line : ask.headers) {
        bytes.append(line).append("\r\n");
    }
    if (!ask.body.empty()) {
        bytes.append("Content-Type: application/json\r\nContent-Length: ");
        bytes.append(std::to_string(ask.body.size())).append("\r\n");
    }
    return bytes.append("\r\n").append(ask.body);
}

std::string vector_of(int first) {
    std::string text = "[" + std::to_string(first);
    for (int i = 1; i < 16; ++i) {
        text.append(",0.5");
    }
    return text + "]";
}

}  // namespace

// ---- a server --------------------------------------------------------------------------------------------

Target::Target(std::vector<std::string> flags) : flags_(std::move(flags)) {
    flags_.insert(flags_.end(), {"--drain.min_ms", "0"});
    start();
}

void Target::start() {
    auto started = e2e::ServerProcess::start({.data_directory = files_.path(), .flags = flags_});
    if (!started) {
        throw std::runtime_error(started.error().message());
    }
    process_ = std::move(*started);
    if (const Result<void> ready = process_->wait_until_ready(); !ready) {
        throw std::runtime_error(ready.error().message());
    }
    channel_ = grpc::CreateChannel(process_->grpc_address(), grpc::InsecureChannelCredentials());
}

void Target::stop() {
    process_->send_signal(SIGTERM);
    if (const Result<int> code = process_->wait_for_exit(30'000); !code) {
        throw std::runtime_error(code.error().message());
    }
}

std::vector<HttpReply> Target::send(std::string_view bytes) const {
    support::HttpConnection connection(endpoint());
    connection.open();
    std::vector<HttpReply> replies;
    if (!connection.send_bytes(bytes)) {
        return replies;
    }
    connection.finish_sending();
    for (HttpReply reply = connection.read_reply(); reply.status != 0; reply = connection.read_reply()) {
        replies.push_back(std::move(reply));
    }
    return replies;
}

HttpReply Target::ask(const Ask& ask) const {
    std::vector<HttpReply> replies = send(bytes_of(ask));
    if (replies.size() != 1) {
        throw std::runtime_error(std::to_string(replies.size()) + " answers to " + ask.method + " " +
                                 ask.path);
    }
    return std::move(replies.front());
}

Json Target::must(const Ask& ask) const {
    const HttpReply reply = this->ask(ask);
    if (reply.status / 100 != 2) {
        throw std::runtime_error(ask.method + " " + ask.path + ": " + std::to_string(reply.status) + " " +
                                 reply.body);
    }
    return Json::parse(reply.body);
}

RpcReply Target::call(std::string_view method, const std::string& message,
                      const std::vector<std::pair<std::string, std::string>>& metadata) const {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) {
        context.AddMetadata(name, value);
    }
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(message);
    const grpc::ByteBuffer request(&slice, 1);
    auto reader = stub.PrepareUnaryCall(&context, "/akidb.v1." + std::string(method), request, &queue);
    reader->StartCall();
    RpcReply reply;
    grpc::ByteBuffer bytes;
    reader->Finish(&bytes, &reply.status, nullptr);
    void* tag = nullptr;
    bool is_well = false;
    queue.Next(&tag, &is_well);
    std::vector<grpc::Slice> slices;
    if (reply.status.ok() && bytes.Dump(&slices).ok()) {
        for (const grpc::Slice& part : slices) {
            reply.message.append(reinterpret_cast<const char*>(part.begin()), part.size());
        }
    }
    return reply;
}

RpcReply Target::call(std::string_view method, const std::string& message, const std::string& token) const {
    return call(method, message, {{"authorization", "Bearer " + token}});
}

// ---- who lives in it -------------------------------------------------------------------------------------

World::World() : target({"--auth.trusted_proxies", "127.0.0.1"}) {
    // The first user is made while nobody is asked; from then on everybody is.
    add_user("root@example.com", "admin");
    root = log_in("root@example.com");
    add_user("viewer@example.com", "viewer");
    viewer = log_in("viewer@example.com");
    add_user("developer@example.com", "developer");
    developer = log_in("developer@example.com");
    target.must({.method = "POST", .path = "/api/v1/tenants", .body = R"({"name":"acme"})", .token = root});
    add_user("boss@acme.example", "admin", "acme");
    acme = log_in("boss@acme.example", "acme");
    const auto make = [&](const std::string& name, const std::string& token) {
        target.must({.method = "POST",
                     .path = "/api/v1/collections",
                     .body = R"({"name":")" + name + R"(","dimension":16,"metric":"l2"})",
                     .token = token});
        std::string documents;
        for (int id = 1; id <= 4; ++id) {
            documents.append(id == 1 ? "" : ",")
                .append(R"({"id":)" + std::to_string(id) + R"(,"vector":)" + vector_of(id) +
                        R"(,"metadata":{"owner":")" + (id % 2 == 0 ? "ann" : "bob") + R"(","canary":"of )" +
                        name + R"("}})");
        }
        target.must({.method = "PUT",
                     .path = "/api/v1/collections/" + name + "/documents",
                     .body = R"({"documents":[)" + documents + "]}",
                     .token = token});
    };
    make("open", root);
    make("secret", root);
    make("theirs", acme);
}

std::string World::key(const std::string& members, const std::string& maker) const {
    return target
        .must({.method = "POST",
               .path = "/api/v1/keys",
               .body = R"({"name":"a key",)" + members + "}",
               .token = maker.empty() ? root : maker})
        .at("key")
        .get<std::string>();
}

void World::add_user(const std::string& email, const std::string& role, const std::string& tenant) const {
    target.must(
        {.method = "POST",
         .path = "/api/v1/users",
         .body = Json{{"email", email}, {"password", kPassword}, {"role", role}, {"tenant", tenant}}.dump(),
         .token = root});
}

std::string World::log_in(const std::string& email, const std::string& tenant) {
    const HttpReply reply = attack::log_in(target, {.email = email,
                                                    .password = kPassword,
                                                    .source = "192.0.2." + std::to_string(++logins_),
                                                    .tenant = tenant});
    if (reply.status != 200) {
        throw std::runtime_error("cannot log in " + email + ": " + reply.body);
    }
    return Json::parse(reply.body).at("token").get<std::string>();
}

HttpReply log_in(const Target& target, const Guess& guess) {
    Json body{{"email", guess.email}, {"password", guess.password}, {"tenant", guess.tenant}};
    if (!guess.proof.empty()) {
        body["proof"] = guess.proof;
    }
    if (!guess.device.empty()) {
        body["device_token"] = guess.device;
    }
    Ask ask{.method = "POST", .path = "/api/v1/auth/login", .body = body.dump()};
    if (!guess.source.empty()) {
        ask.headers.push_back("X-Forwarded-For: " + guess.source);
    }
    return target.ask(ask);
}

std::string challenge_in(const HttpReply& reply) {
    const Json body = Json::parse(reply.body, nullptr, false);
    return body.is_object() && body.contains("challenge") ? body.at("challenge").dump() : std::string();
}

bool was_hashed(const HttpReply& reply) {
    return reply.status == 200 || (reply.status == 401 && challenge_in(reply).empty());
}

Gain unless_refused(const HttpReply& reply, int also) {
    if ((reply.status >= 400 && reply.status < 500) || reply.status == also) {
        return {};
    }
    return "answered " + std::to_string(reply.status) + " " + reply.body.substr(0, 200);
}

Gain unless(grpc::StatusCode code, const RpcReply& reply) {
    return reply.status.error_code() == code
               ? Gain()
               : "answered " + std::to_string(reply.status.error_code()) + " " + reply.status.error_message();
}

std::string refusal_in(const HttpReply& reply) {
    Json body = Json::parse(reply.body, nullptr, false);
    if (body.is_object() && body.contains("error") && body["error"].is_object()) {
        body["error"].erase("request_id");
    }
    return std::to_string(reply.status) + " " + (body.is_discarded() ? reply.body : body.dump());
}

std::string id_of_token(const std::string& token) {
    std::string id = token.substr(3, 32);
    for (const size_t at : {size_t{8}, size_t{13}, size_t{18}, size_t{23}}) {
        id.insert(at, "-");
    }
    return id;
}

}  // namespace akidb::attack
