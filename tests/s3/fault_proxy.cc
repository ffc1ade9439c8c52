#include "fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

namespace akidb::s3_test {
namespace {

constexpr auto kDelay = std::chrono::milliseconds(50);
constexpr auto kSilence = std::chrono::milliseconds(1200);

int connect_to(uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(socket);
        return -1;
    }
    return socket;
}

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
}

/// Closes so that the other side gets a reset.
void reset(int socket) {
    const linger at_once{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

std::optional<size_t> header_number(const std::string& head, std::string name) {
    std::string lower = head;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    const size_t at = lower.find("\r\n" + name + ":");
    return at == std::string::npos ? std::nullopt
                                   : std::optional(std::stoul(head.substr(at + name.size() + 3)));
}

/// One message; empty when the connection ended before it was whole. Replies to HEAD have no body.
std::string read_message(int socket, bool has_body) {
    std::string message;
    char buffer[65536];
    while (true) {
        const size_t end = message.find("\r\n\r\n");
        if (end != std::string::npos) {
            const std::string head = message.substr(0, end + 2);
            const bool is_chunked = head.find("chunked") != std::string::npos;
            const size_t body = has_body ? header_number(head, "content-length").value_or(0) : 0;
            if (is_chunked && has_body ? message.ends_with("0\r\n\r\n") : message.size() >= end + 4 + body) {
                return message;
            }
        }
        const ssize_t got = ::recv(socket, buffer, sizeof(buffer), 0);
        if (got <= 0) {
            return {};
        }
        message.append(buffer, static_cast<size_t>(got));
    }
}

std::string reply_of(int status, const std::string& reason, const std::string& code) {
    const std::string body = code.empty() ? ""
                                          : "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + code +
                                                "</Code><Message>by the proxy</Message></Error>";
    return "HTTP/1.1 " + std::to_string(status) + " " + reason +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

size_t body_of(const std::string& message) {
    return message.find("\r\n\r\n") + 4;
}

/// The proxy's own reply.
std::string invented(Fault fault, const std::string& request) {
    std::string reply;
    switch (fault) {
        case Fault::k503SlowDown:
        case Fault::k503After:
            reply = reply_of(503, "Slow Down", "SlowDown");
            break;
        case Fault::k403Skew:
        case Fault::k403SkewAfter:
            reply = reply_of(403, "Forbidden", "RequestTimeTooSkewed");
            break;
        case Fault::k200Error:
        case Fault::k200ErrorAfter:
            reply = reply_of(200, "OK", "InternalError");
            break;
        case Fault::kEmpty200:
            reply = reply_of(200, "OK", "");
            break;
        default:
            reply = reply_of(500, "Internal Server Error", "InternalError");
    }
    return request.starts_with("HEAD") ? reply.substr(0, body_of(reply)) : reply;
}

}  // namespace

FaultProxy::FaultProxy(uint16_t upstream_port, uint32_t percent, uint64_t seed)
    : upstream_port_(upstream_port), percent_(percent), state_(seed) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_, 64);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
}

FaultProxy::~FaultProxy() {
    is_stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    threads_.clear();
}

uint64_t FaultProxy::faults() const {
    uint64_t sum = 0;
    for (size_t i = 1; i < kFaultCount; ++i) {
        sum += counts_[i];
    }
    return sum;
}

size_t FaultProxy::kinds() const {
    return static_cast<size_t>(
        std::count_if(counts_.begin() + 1, counts_.end(), [](const auto& count) { return count > 0; }));
}

void FaultProxy::accept_all() {
    while (!is_stopping_) {
        const int client = ::accept(listener_, nullptr, nullptr);
        if (client < 0) {
            return;
        }
        threads_.emplace_back([this, client] { serve(client); });
    }
}

Fault FaultProxy::draw() {
    if (has_only_) {
        return only_;
    }
    uint64_t z = state_ += 0x9e3779b97f4a7c15ull;  // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return z % 100 < percent_ ? static_cast<Fault>(1 + (z >> 32) % (kFaultCount - 1)) : Fault::kNone;
}

void FaultProxy::serve(int client) {
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    while (!is_stopping_) {
        pollfd waiting{client, POLLIN, 0};
        if (::poll(&waiting, 1, 100) == 0) {
            continue;
        }
        const std::string request = read_message(client, true);
        if (request.empty()) {
            break;
        }
        const Fault fault = draw();
        ++counts_[static_cast<size_t>(fault)];
        if (!meet(fault, client, request)) {
            break;
        }
    }
    ::close(client);
}

std::string FaultProxy::exchange(const std::string& request) {
    const int server = connect_to(upstream_port_);
    if (server < 0) {
        return {};
    }
    std::string reply;
    if (send_all(server, request)) {
        reply = read_message(server, !request.starts_with("HEAD"));
    }
    ::close(server);
    return reply;
}

bool FaultProxy::meet(Fault fault, int client, const std::string& request) {
    if (const std::optional<bool> goes_on = meet_before(fault, client, request)) {
        return *goes_on;
    }
    std::string spoilt = request;
    const size_t body = body_of(request);
    if (fault == Fault::kFlippedRequest && body < spoilt.size()) {
        spoilt[body + (spoilt.size() - body) / 2] ^= 0x10;
    }
    if (fault == Fault::kDuplicate) {
        exchange(request);
    }
    std::string reply = exchange(spoilt);
    if (reply.empty()) {
        reset(client);
        return false;
    }
    if (request.starts_with("GET") && request.find("list-type=2") < request.find("\r\n")) {
        const std::lock_guard lock(mutex_);
        if (fault == Fault::kStaleList && !list_reply_.empty()) {
            return send_all(client, list_reply_);
        }
        if (list_reply_.empty() && reply.starts_with("HTTP/1.1 200")) {
            list_reply_ = reply;
        }
    }
    return meet_after(fault, client, request, std::move(reply));
}

std::optional<bool> FaultProxy::meet_before(Fault fault, int client, const std::string& request) {
    switch (fault) {
        case Fault::kDelay:
            std::this_thread::sleep_for(kDelay);
            return std::nullopt;
        case Fault::kSilence:
            std::this_thread::sleep_for(kSilence);
            return false;
        case Fault::k500:
        case Fault::k503SlowDown:
        case Fault::k403Skew:
        case Fault::k200Error:
        case Fault::kEmpty200:
            return send_all(client, invented(fault, request));
        case Fault::kGarbage:
            send_all(client, "\x16\x03\x01 this is not HTTP\r\n\r\n");
            return false;
        case Fault::kReset:
            reset(client);
            return false;
        case Fault::kResetMidRequest: {
            const int server = connect_to(upstream_port_);
            send_all(server, std::string_view(request).substr(0, request.size() / 2));
            reset(server);
            ::close(server);
            reset(client);
            return false;
        }
        default:
            return std::nullopt;
    }
}

bool FaultProxy::meet_after(Fault fault, int client, const std::string& request, std::string reply) {
    const size_t body = body_of(reply);
    const std::string_view half = std::string_view(reply).substr(0, body + (reply.size() - body) / 2);
    switch (fault) {
        case Fault::kSilenceAfter:
            std::this_thread::sleep_for(kSilence);
            return false;
        case Fault::k500After:
        case Fault::k503After:
        case Fault::k403SkewAfter:
        case Fault::k200ErrorAfter:
            return send_all(client, invented(fault, request));
        case Fault::kLostReply:
            return false;
        case Fault::kResetMidHead:
            send_all(client, std::string_view(reply).substr(0, body / 2));
            reset(client);
            return false;
        case Fault::kResetMidBody:
            send_all(client, half);
            reset(client);
            return false;
        case Fault::kTruncatedBody:
            send_all(client, half);
            return false;
        case Fault::kFlippedReply:
            if (body < reply.size()) {
                reply[body + (reply.size() - body) / 3] ^= 0x01;
            }
            break;
        case Fault::kFlippedHash:
            if (const size_t at = reply.find("akidb-sha256: "); at < body) {
                char& digit = reply[at + 20];
                digit = digit == 'a' ? 'b' : 'a';
            }
            break;
        default:
            break;
    }
    return send_all(client, reply);
}

}  // namespace akidb::s3_test
