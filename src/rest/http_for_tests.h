// What tests of the HTTP server share: a raw client that can send anything, a handler that echoes, and the
// server between them. For tests only; each class says what its threads may do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "io/executor.h"
#include "rest/http_server.h"

namespace akidb::rest {

class Client {
  public:
    explicit Client(uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { close(descriptor_); }

    bool connected() const { return connected_; }
    void send(std::string_view text) {
        while (!text.empty()) {
            ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return;
            }
            text.remove_prefix(static_cast<size_t>(sent));
        }
    }
    void finish_sending() { shutdown(descriptor_, SHUT_WR); }
    /// Until `marker` was read `times` times, or the end, or ten seconds of silence.
    std::string read_until(std::string_view marker, size_t times = 1) {
        while (count(marker) < times) {
            pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
            char bytes[4096];
            if (poll(&ready, 1, 10'000) <= 0) {
                break;
            }
            ssize_t got = recv(descriptor_, bytes, sizeof(bytes), 0);
            if (got <= 0) {
                closed_ = true;
                break;
            }
            read_.append(bytes, static_cast<size_t>(got));
        }
        return read_;
    }
    std::string read_all() { return read_until("\x01never"); }
    bool closed() const { return closed_; }

  private:
    size_t count(std::string_view marker) const {
        size_t found = 0;
        for (size_t at = read_.find(marker); at != std::string::npos;
             at = read_.find(marker, at + marker.size())) {
            ++found;
        }
        return found;
    }

    int descriptor_;
    bool connected_ = false;
    bool closed_ = false;
    std::string read_;
};

/// Echoes "<method path?query#body>"; "/park" waits until the test lets it go; "/drop" forgets; "/throw"
/// throws.
class EchoHandler final : public HttpHandler {
  public:
    uint64_t body_bytes_max(std::string_view, std::string_view path) const override {
        return path == "/small" ? 10 : 1 << 20;
    }
    void handle(HttpRequest request, Respond respond) override {
        EXPECT_GE(request.body.capacity(), request.body.size() + 64);
        if (request.path == "/park") {
            MutexLock lock(mutex_);
            parked_.push_back(std::move(respond));
            arrived_.notify_all();
        } else if (request.path == "/pool") {
            pool_.submit("answer", [respond](std::stop_token) { respond({.body = "<pooled>"}); });
        } else if (request.path == "/throw") {
            throw std::runtime_error("on purpose");
        } else if (request.path == "/large") {
            respond({.body = std::string(32 << 20, 'x') + ">"});
        } else if (request.path != "/drop") {
            std::string text = "<" + request.method + " " + request.path;
            respond({.content_type = "text/plain",
                     .body = text + (request.query.empty() ? "" : "?" + request.query) + "#" + request.body +
                             ">"});
        }
    }
    HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                std::string_view request_id) const override {
        return {.status = status,
                .body = std::string(code).append(":").append(message).append(":").append(request_id)};
    }
    void wait_for_parked(size_t count) {
        MutexLock lock(mutex_);
        while (parked_.size() < count) {
            arrived_.wait(mutex_);
        }
    }
    void let_go() {
        std::vector<Respond> going;
        {
            MutexLock lock(mutex_);
            going.swap(parked_);
        }
        for (Respond& respond : going) {
            respond({.body = "<late>"});
        }
    }

  private:
    Mutex mutex_;
    CondVar arrived_;
    std::vector<Respond> parked_;
    io::ThreadPool pool_{{.name = "answers", .threads = 4}};
};

class HttpServerTest : public testing::Test {
  protected:
    void start() {
        auto listening = HttpServer::listen(options_, handler_, metrics_, logger_);
        ASSERT_TRUE(listening) << listening.error().message();
        server_ = std::move(listening).value();
    }
    std::string ask(std::string_view text) {
        Client client(server_->port());
        client.send(text);
        return client.read_all();
    }

    HttpServerOptions options_;
    EchoHandler handler_;
    telemetry::Metrics metrics_;
    NullLogger logger_;
    std::unique_ptr<HttpServer> server_;
};

}  // namespace akidb::rest
