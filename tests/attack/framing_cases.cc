// Requests that a proxy in front and the server could read differently, and credentials sent in other ways
// than one. Nothing of it may be answered as if all were well.
#include "arena.h"

namespace akidb::attack {
namespace {

constexpr const char* kHost = "Host: db.example\r\n";

/// What is hidden behind or in a request: answered with 200 only to who shows a token, and none is shown.
const std::string kHidden = "GET /api/v1/users HTTP/1.1\r\nHost: db.example\r\n\r\n";

/// A gain when anything was answered as done, or more was answered than `replies_max`.
Gain judge(const std::vector<HttpReply>& replies, size_t replies_max) {
    for (const HttpReply& reply : replies) {
        if (reply.status < 400) {
            return "answered " + std::to_string(reply.status) + " " + reply.body.substr(0, 200);
        }
        if (reply.status >= 500 && reply.status != 501 && reply.status != 505) {
            return "a fault of the server: " + std::to_string(reply.status);
        }
    }
    return replies.size() > replies_max ? std::to_string(replies.size()) + " answers" : Gain();
}

class Framing {
  public:
    Framing(World& world, Cases& cases) : world_(world), cases_(cases) {}

    /// `bytes` must be refused, whoever asks.
    void refused(const std::string& name, const std::string& bytes, size_t replies_max = 1) {
        cases_.push_back({name, [this_world = &world_, bytes, replies_max] {
                              return judge(this_world->target.send(bytes), replies_max);
                          }});
    }
    /// `lines` in a request of the administrator, who may do this but not so.
    void refused_lines(const std::string& name, const std::string& lines) {
        refused(name, "GET /api/v1/users HTTP/1.1\r\n" + std::string(kHost) + lines + "\r\n");
    }
    /// A body whose length is told by `lines`, with a request hidden in it.
    void refused_length(const std::string& name, const std::string& lines, const std::string& body) {
        refused(name, "POST /api/v1/auth/login HTTP/1.1\r\n" + std::string(kHost) +
                          "Content-Type: application/json\r\n" + lines + "\r\n" + body);
    }

  private:
    World& world_;
    Cases& cases_;
};

void add_lengths(Framing& framing) {
    const std::string length = "Content-Length: " + std::to_string(kHidden.size()) + "\r\n";
    framing.refused_length("two Content-Lengths that differ", "Content-Length: 2\r\n" + length, kHidden);
    framing.refused_length("Content-Length beside Transfer-Encoding",
                           length + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + kHidden);
    framing.refused_length("Transfer-Encoding beside Content-Length",
                           "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" + kHidden);
    for (const char* encoding : {"xchunked", "chunked, identity", "identity, chunked, x", "\tchunked\v",
                                 "chunked\r\nTransfer-Encoding: x", "gzip, chunked"}) {
        framing.refused_length(std::string("Transfer-Encoding of ") + encoding,
                               std::string("Transfer-Encoding: ") + encoding + "\r\n", "0\r\n\r\n" + kHidden);
    }
    framing.refused_length("a space before the colon of Transfer-Encoding",
                           length + "Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + kHidden);
    for (const char* value : {"+5", "-1", "0x5", "5,5", "5 5", "99999999999999999999", ""}) {
        framing.refused_length(std::string("a Content-Length of \"") + value + "\"",
                               std::string("Content-Length: ") + value + "\r\n", kHidden);
    }
    framing.refused_length("a chunk longer than 64 bits", "Transfer-Encoding: chunked\r\n",
                           "FFFFFFFFFFFFFFFFF\r\n" + kHidden);
    framing.refused_length("a chunk of a negative length", "Transfer-Encoding: chunked\r\n",
                           "-1\r\n" + kHidden);
    framing.refused_length("a chunk that does not end where it says", "Transfer-Encoding: chunked\r\n",
                           "2\r\n{}" + kHidden);
    framing.refused(
        "a request behind a body that ended is asked who it is",
        "POST /api/v1/auth/login HTTP/1.1\r\n" + std::string(kHost) + "Content-Length: 2\r\n\r\n{}" + kHidden,
        2);
}

void add_heads(Framing& framing) {
    using std::string_literals::operator""s;
    framing.refused_lines("a NUL in a header", "X-A: a\0b\r\n"s);
    framing.refused_lines("a NUL in a header's name", "X\0A: b\r\n"s);
    framing.refused_lines("a header's name with a space", "X A: b\r\n");
    framing.refused_lines("a header without a colon", "X-A\r\n");
    framing.refused_lines("a header that begins with a space", " X-A: b\r\n");
    framing.refused_lines("a carriage return in a header", "X-A: a\rX-B: b\r\n");
    framing.refused_lines("a head of 20 KiB", "X-A: " + std::string(20 << 10, 'a') + "\r\n");
    std::string many;
    for (int i = 0; i < 10'000; ++i) {
        many.append("A:b\r\n");
    }
    framing.refused_lines("ten thousand headers", many);
    framing.refused_lines("a second Host", "Host: other.example\r\n");
    framing.refused("no Host", "GET /api/v1/users HTTP/1.1\r\n\r\n");
    framing.refused("lines that end with a line feed alone",
                    "GET /api/v1/users HTTP/1.1\nHost: db.example\n\n");
    framing.refused("a NUL in the path", "GET /health\0/api/v1/users HTTP/1.1\r\nHost: a\r\n\r\n"s);
    framing.refused("HTTP/0.9", "GET /api/v1/users\r\n\r\n");
    framing.refused("HTTP/2.0 by name", "GET /api/v1/users HTTP/2.0\r\nHost: a\r\n\r\n");
    framing.refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    framing.refused("a version of HTTP/1.1 with more behind it",
                    "GET /api/v1/users HTTP/1.1 \r\nHost: a\r\n\r\n");
    framing.refused("an upgrade to HTTP/2 in the clear",
                    "GET /api/v1/users HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    framing.refused("a URL of 10 KiB", "GET /" + std::string(10 << 10, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

void add_credentials(World& world, Framing& framing, Cases& cases) {
    const std::string bearer = "Authorization: Bearer " + world.root + "\r\n";
    const std::string key = world.key(R"("role":"admin")");
    framing.refused_lines("two Authorization headers", bearer + bearer);
    framing.refused_lines("another's token beside one's own",
                          "Authorization: Bearer " + world.viewer + "\r\n" + bearer);
    framing.refused_lines("Authorization beside api-key", bearer + "api-key: " + key + "\r\n");
    framing.refused_lines("two api-keys", "api-key: " + key + "\r\nAPI-Key: " + key + "\r\n");
    framing.refused_lines("two tokens in one Authorization",
                          "Authorization: Bearer " + world.viewer + ", Bearer " + world.root + "\r\n");
    framing.refused_lines("a token as the password of Basic", "Authorization: Basic cm9vdDpyb290\r\n");
    framing.refused_lines("a token without its kind", "Authorization: " + world.root + "\r\n");
    framing.refused_lines("an Authorization folded over two lines, hidden in another header",
                          "X-A: a\r\n Authorization: Bearer " + world.root + "\r\n");
    framing.refused_lines("a token in a cookie that nobody set", "Cookie: session=" + world.root + "\r\n");
    framing.refused_lines("a token in Proxy-Authorization", "Proxy-" + bearer);
    framing.refused_lines("a token in a trailer's announcement", "Trailer: Authorization\r\n");
    framing.refused("a token in a trailer",
                    "POST /api/v1/aliases HTTP/1.1\r\n" + std::string(kHost) +
                        "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
                        "e\r\n{\"actions\":[]}\r\n0\r\n" +
                        bearer + "\r\n");
    framing.refused("a token in the query", "GET /api/v1/users?api_key=" + key + "&access_token=" +
                                                world.root + " HTTP/1.1\r\nHost: a\r\n\r\n");
    for (const char* line :
         {"X-Forwarded-User: root@example.com", "X-Remote-User: root@example.com", "Remote-User: root",
          "X-Forwarded-Email: root@example.com", "X-Auth-Request-Role: admin", "X-Tenant: default",
          "X-Forwarded-Client-Cert: Subject=\"CN=root\"", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1",
          "X-Forwarded-For: 127.0.0.1", "Connection: authorization"}) {
        framing.refused_lines(std::string("identity by ") + line, std::string(line) + "\r\n");
    }
    cases.push_back(
        {"the rights of the request before on the same connection", [&world, bearer]() -> Gain {
             const auto replies = world.target.send("GET /api/v1/users HTTP/1.1\r\n" + std::string(kHost) +
                                                    bearer + "\r\n" + kHidden);
             return replies.size() == 2 && replies[0].status == 200 && replies[1].status == 401
                        ? Gain()
                        : "the second was answered " + (replies.size() == 2 ? replies[1].body : "?");
         }});
}

}  // namespace

void add_framing_cases(World& world, Cases& cases) {
    Framing framing(world, cases);
    add_lengths(framing);
    add_heads(framing);
    add_credentials(world, framing, cases);
}

}  // namespace akidb::attack
