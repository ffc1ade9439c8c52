// HttpConnection: the smallest HTTP/1.1 client that can measure and attack a server: a blocking socket, one
// request at a time, keep-alive, Content-Length bodies. It exists apart from io::HttpClient (libcurl) because
// the bench programs must add as little as possible to what they time, and the stress programs must be able
// to send what no client would. Errors are exceptions of type HttpFault: these are programs, and the first
// fault ends their work. Not thread-safe.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace akidb::support {

struct HttpFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// "http://host:port", nothing behind it; host is a name or an address.
struct Endpoint {
    std::string host;
    uint16_t port = 0;
};
Endpoint parse_url(std::string_view url);

struct HttpReply {
    int status = 0;
    std::string headers;  // lower-cased
    std::string head;     // as received
    std::string body;
    bool closes = false;  // the server ends the connection after this answer
};

class HttpConnection {
  public:
    /// Connects at the first request. `timeout_ms` bounds each read and write.
    explicit HttpConnection(Endpoint endpoint, uint32_t timeout_ms = 30'000);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    /// Sends and waits for the whole answer. Reconnects once when a kept connection turns out to be closed.
    HttpReply request(std::string_view method, std::string_view path, std::string_view body = {});

    /// For programs that write their own bytes: connects anew, sends as they are.
    void open();
    bool is_open() const { return socket_ >= 0; }
    /// False when the server closed or reset the connection meanwhile.
    bool send_bytes(std::string_view bytes);
    /// Half close: no more will be sent.
    void finish_sending();
    /// Reads one answer; status 0 when the connection ended without one.
    HttpReply read_reply();
    void close();

  private:
    bool fill();

    Endpoint endpoint_;
    uint32_t timeout_ms_;
    int socket_ = -1;
    std::string buffer_;  // received, not yet consumed
};

}  // namespace akidb::support
