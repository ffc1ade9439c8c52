#include "support/http_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace akidb::support {
namespace {

constexpr size_t kReadBytes = 64 << 10;

/// The value of a header in a lower-cased block, or empty.
std::string_view header_of(std::string_view headers, std::string_view name) {
    std::string key = "\r\n" + std::string(name) + ":";
    size_t at = headers.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    size_t from = headers.find_first_not_of(' ', at + key.size());
    size_t to = headers.find("\r\n", from);
    return headers.substr(from, to - from);
}

template <class Number>
Number parse_number(std::string_view text, const char* what) {
    Number value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw HttpFault(std::string(what) + " is not a number: \"" + std::string(text) + "\"");
    }
    return value;
}

}  // namespace

Endpoint parse_url(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (url.substr(0, kScheme.size()) != kScheme) {
        throw HttpFault("a URL must be http://host:port, not \"" + std::string(url) + "\"");
    }
    url.remove_prefix(kScheme.size());
    if (!url.empty() && url.back() == '/') {
        url.remove_suffix(1);
    }
    size_t colon = url.rfind(':');
    if (colon == std::string_view::npos) {
        return {std::string(url), 80};
    }
    return {std::string(url.substr(0, colon)), parse_number<uint16_t>(url.substr(colon + 1), "the port")};
}

HttpConnection::HttpConnection(Endpoint endpoint, uint32_t timeout_ms)
    : endpoint_(std::move(endpoint)), timeout_ms_(timeout_ms) {}

HttpConnection::~HttpConnection() {
    close();
}

void HttpConnection::close() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
    socket_ = -1;
    buffer_.clear();
}

void HttpConnection::open() {
    close();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::string port = std::to_string(endpoint_.port);
    if (int error = getaddrinfo(endpoint_.host.c_str(), port.c_str(), &hints, &found); error != 0) {
        throw HttpFault("cannot resolve " + endpoint_.host + ": " + gai_strerror(error));
    }
    int last_error = 0;
    for (addrinfo* address = found; address != nullptr && socket_ < 0; address = address->ai_next) {
        int candidate =
            ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
        if (candidate >= 0 && ::connect(candidate, address->ai_addr, address->ai_addrlen) == 0) {
            socket_ = candidate;
        } else {
            last_error = errno;
            if (candidate >= 0) {
                ::close(candidate);
            }
        }
    }
    freeaddrinfo(found);
    if (socket_ < 0) {
        throw HttpFault("cannot connect to " + endpoint_.host + ":" + port + ": " +
                        std::strerror(last_error));
    }
    int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    timeval limit{static_cast<time_t>(timeout_ms_ / 1000),
                  static_cast<suseconds_t>(timeout_ms_ % 1000) * 1000};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool HttpConnection::send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
}

void HttpConnection::finish_sending() {
    ::shutdown(socket_, SHUT_WR);
}

bool HttpConnection::fill() {
    size_t old = buffer_.size();
    buffer_.resize(old + kReadBytes);
    ssize_t got = 0;
    do {
        got = ::recv(socket_, buffer_.data() + old, kReadBytes, 0);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(old + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        throw HttpFault("no answer within " + std::to_string(timeout_ms_) + " ms");
    }
    return got > 0;
}

HttpReply HttpConnection::read_reply() {
    HttpReply reply;
    size_t headers_end = 0;
    while ((headers_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) {
            return reply;
        }
    }
    reply.headers = buffer_.substr(0, headers_end + 2);
    reply.head = reply.headers;
    std::transform(reply.headers.begin(), reply.headers.end(), reply.headers.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    if (reply.headers.size() < 12 || reply.headers.compare(0, 7, "http/1.") != 0) {
        throw HttpFault("not an HTTP answer: " + reply.headers.substr(0, 60));
    }
    int status = parse_number<int>(std::string_view(reply.headers).substr(9, 3), "the status");
    std::string_view length_text = header_of(reply.headers, "content-length");
    size_t length = length_text.empty() ? 0 : parse_number<size_t>(length_text, "Content-Length");
    buffer_.erase(0, headers_end + 4);
    if (status == 100) {
        return read_reply();
    }
    while (buffer_.size() < length) {
        if (!fill()) {
            throw HttpFault("the connection ended within an answer");
        }
    }
    reply.status = status;
    reply.body = buffer_.substr(0, length);
    reply.closes = header_of(reply.headers, "connection") == "close";
    buffer_.erase(0, length);
    return reply;
}

HttpReply HttpConnection::request(std::string_view method, std::string_view path, std::string_view body) {
    std::string message;
    message.reserve(body.size() + path.size() + 160);
    message.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(endpoint_.host);
    if (!body.empty()) {
        message.append("\r\nContent-Type: application/json");
    }
    message.append("\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n\r\n")
        .append(body);
    bool was_open = is_open();
    if (!was_open) {
        open();
    }
    HttpReply reply;
    if (send_bytes(message)) {
        reply = read_reply();
    }
    if (reply.status == 0 && was_open) {
        open();
        if (send_bytes(message)) {
            reply = read_reply();
        }
    }
    if (reply.status == 0) {
        close();
        throw HttpFault("the server closed the connection without an answer");
    }
    if (reply.closes) {
        close();
    }
    return reply;
}

}  // namespace akidb::support
