#include "rest/http_server.h"

#include <linux/filter.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <future>

#include "base/mutex.h"
#include "io/executor.h"
#include "rest/http_connection.h"
#include "rest/http_text.h"

namespace akidb::rest {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kAcceptBackoff{100};
constexpr milliseconds kLastTick{20};
constexpr int kBacklog = 1024;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

/// One answer straight into the empty socket buffer, then gone: a refusal must not cost what it refuses.
void refuse(Shared& shared, tcp::socket socket, std::string_view reason) {
    shared.book.count_refused(reason);
    if (shared.tls != nullptr) {
        return;  // a handshake would cost more than the request
    }
    std::string id = io::make_uuid(*shared.random, *shared.clock).to_string();
    HttpResponse response = shared.handler.error_response(503, "UNAVAILABLE", "too many connections", id);
    response.headers.emplace_back("Retry-After", "1");
    std::string text = response_head(response, {.request_id = id, .closes = true}) + response.body;
    ErrorCode ignored;
    socket.non_blocking(true, ignored);
    std::array<char, 4096> unread;
    socket.receive(asio::buffer(unread), 0, ignored);
    socket.send(asio::buffer(text), 0, ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void admit(Loop& loop, tcp::socket socket) {
    ErrorCode error;
    tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) {
        return;
    }
    auto [seat, reason] = loop.shared.book.take_seat(peer.address().to_string());
    if (!reason.empty()) {
        refuse(loop.shared, std::move(socket), reason);
        return;
    }
    socket.set_option(tcp::no_delay(true), error);
    if (loop.shared.tls != nullptr) {
        start_tls_connection(loop, std::move(socket), std::move(seat));
    } else {
        start_connection(loop, std::move(socket), std::move(seat));
    }
}

/// Closes the descriptor unless it was taken: a posted handler may be dropped with its loop.
class OwnedDescriptor {
  public:
    explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.take()) {}
    OwnedDescriptor& operator=(OwnedDescriptor&&) = delete;
    ~OwnedDescriptor() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    int take() { return std::exchange(descriptor_, -1); }

  private:
    int descriptor_;
};

/// Loops take turns. The kernel spreads connections over their listeners by hash, which puts four clients on
/// one core as often as not.
void hand_over(Loop& from, tcp::socket socket) {
    Shared& shared = from.shared;
    Loop& to = *shared.loops[shared.next_loop.fetch_add(1) % shared.loops.size()];
    if (&to == &from) {
        admit(from, std::move(socket));
        return;
    }
    ErrorCode error;
    const tcp protocol = socket.local_endpoint(error).protocol();
    OwnedDescriptor descriptor(error ? -1 : socket.release(error));
    if (error) {
        return;
    }
    asio::post(to.context, [&to, protocol, handed = std::move(descriptor)]() mutable {
        ErrorCode refused;
        tcp::socket moved(to.context);
        const int number = handed.take();
        moved.assign(protocol, number, refused);
        if (refused) {
            ::close(number);
            return;
        }
        admit(to, std::move(moved));
    });
}

asio::awaitable<void> accept_connections(Loop& loop) {
    asio::steady_timer backoff(loop.context);
    while (loop.acceptor.is_open()) {
        ErrorCode error;
        tcp::socket socket =
            co_await loop.acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            hand_over(loop, std::move(socket));
            continue;
        }
        if (error == asio::error::operation_aborted || error == asio::error::connection_aborted) {
            continue;
        }
        // Most often no descriptors are left (EMFILE); the connection stays in the queue and would fail again
        // at once.
        loop.shared.logger.log(LogLevel::kWarning, "a connection could not be accepted",
                               {{"why", error.message()}});
        backoff.expires_after(kAcceptBackoff);
        co_await backoff.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

asio::awaitable<void> expire_slow(Loop& loop) {
    const HttpServerOptions& options = loop.shared.options;
    uint32_t shortest = std::min({options.idle_timeout_ms, options.header_timeout_ms,
                                  options.write_timeout_ms, options.body_timeout_ms_per_64k});
    milliseconds tick(std::clamp(shortest / 4, 10U, 1'000U));
    while (true) {
        ErrorCode error;
        loop.ticker.expires_after(loop.shared.stopped_accepting ? std::min(tick, kLastTick) : tick);
        co_await loop.ticker.async_wait(asio::redirect_error(asio::use_awaitable, error));
        auto now = std::chrono::steady_clock::now();
        for (ConnectionHandle* connection : loop.connections) {
            connection->expire(now);
        }
    }
}

/// Between the last accept and closing the listener a connection could still be made, only to be reset; so
/// from here on the kernel drops new ones (TCP headers with SYN), which try again and then meet the closed
/// port.
void refuse_new_connections(Loop& loop) {
    std::array<sock_filter, 4> program{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),  // the flags of TCP
                                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0xffffffff)}};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (loop.acceptor.is_open()) {
        setsockopt(loop.acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
    }
}

void close_listener(Loop& loop) {
    if (loop.acceptor.is_open()) {
        // What waits in the kernel's queue may have sent its request already; closing the listener would
        // reset it.
        ErrorCode error;
        loop.acceptor.non_blocking(true, error);
        while (!error) {
            tcp::socket socket(loop.context);
            loop.acceptor.accept(socket, error);
            if (!error) {
                admit(loop, std::move(socket));
            }
        }
        loop.acceptor.close(error);
        loop.ticker.cancel();
    }
    for (ConnectionHandle* connection : loop.connections) {
        connection->sweep();
    }
}

Result<tcp::endpoint> resolve(const std::string& host, uint16_t port) {
    ErrorCode error;
    auto address = asio::ip::make_address(host, error);
    if (!error) {
        return tcp::endpoint(address, port);
    }
    asio::io_context context;
    auto found = tcp::resolver(context).resolve(host, std::to_string(port), error);
    if (error || found.empty()) {
        return invalid_argument(
            "host", "the host \"" + host + "\" is not an address of this machine: " + error.message());
    }
    return found.begin()->endpoint();
}

Error cannot_listen(const tcp::endpoint& endpoint, ErrorCode error) {
    std::string where = endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
    if (error == asio::error::address_in_use) {
        return Error(Code::kConflict, where + " is taken by another program").with_field("port");
    }
    bool is_port = error == asio::error::access_denied;
    return invalid_argument(is_port ? "port" : "host", "cannot listen on " + where + ": " + error.message());
}

Result<void> open_listener(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool shares_port) {
    ErrorCode error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error && shares_port) {
        acceptor.set_option(ReusePort(true), error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error && shares_port) {
        acceptor.listen(kBacklog, error);
    }
    if (error) {
        return cannot_listen(endpoint, error);
    }
    return {};
}

class Server final : public HttpServer {
  public:
    Server(HttpServerOptions options, HttpHandler& handler, telemetry::Metrics& metrics, Logger& logger)
        : shared_(std::move(options), handler, metrics, logger) {}
    ~Server() override { stop(); }

    Result<void> start() {
        const HttpServerOptions& options = shared_.options;
        if (options.tls != nullptr) {
            AKIDB_TRY(shared_.tls, make_tls_contexts(*options.tls));
        }
        AKIDB_TRY(tcp::endpoint endpoint, resolve(options.host, options.port));
        {
            // SO_REUSEPORT would let us move in beside another server of the same user; this bind would not.
            asio::io_context context;
            tcp::acceptor probe(context);
            AKIDB_TRY(open_listener(probe, endpoint, false));
        }
        size_t threads = std::max<size_t>(1, options.threads);
        for (size_t i = 0; i < threads; ++i) {
            loops_.push_back(std::make_unique<Loop>(shared_));
            AKIDB_TRY(open_listener(loops_.back()->acceptor, endpoint, true));
            endpoint.port(loops_.back()->acceptor.local_endpoint().port());
            shared_.loops.push_back(loops_.back().get());
        }
        port_ = endpoint.port();
        threads_ = std::make_unique<io::ThreadPool>(
            io::ThreadPoolOptions{.name = "akidb-http", .threads = threads, .queue_max = threads});
        for (auto& loop : loops_) {
            asio::co_spawn(loop->context, accept_connections(*loop), asio::detached);
            asio::co_spawn(loop->context, expire_slow(*loop), asio::detached);
            if (!threads_->submit("http", [&loop = *loop](std::stop_token) { run(loop); })) {
                return Error(Code::kInternal, "cannot start the HTTP threads");
            }
        }
        return {};
    }

    uint16_t port() const override { return port_; }
    void begin_draining() override { shared_.draining = true; }
    void stop_accepting() override AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        shared_.draining = true;
        shared_.stopped_accepting = true;
        for (auto& loop : loops_) {
            refuse_new_connections(*loop);
        }
        // Three times: what was accepted but not handed over during the first round is handed over before the
        // second ends, and seen in its new loop by the third.
        for (int round = 0; round < 3 && threads_ != nullptr; ++round) {
            for (auto& loop : loops_) {
                std::promise<void> done;
                asio::post(loop->context, [&] {
                    close_listener(*loop);
                    done.set_value();
                });
                done.get_future().wait();
            }
        }
    }
    size_t requests_in_flight() const override { return shared_.book.requests_in_flight(); }
    bool wait_until_idle(uint32_t timeout_ms) override { return shared_.book.wait_until_idle(timeout_ms); }
    void stop() override AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        for (auto& loop : loops_) {
            loop->context.stop();
        }
        threads_.reset();
        for (auto& loop : loops_) {
            for (ConnectionHandle* connection : loop->connections) {
                connection->close_mailbox();
            }
        }
        loops_.clear();
    }

  private:
    /// Waking a thread costs more than a small search, on an idle core about 100 µs; so after work a loop
    /// looks for more for a moment before it sleeps. It yields, as what it waits for may need this core.
    static void run_spinning(Loop& loop, std::chrono::microseconds spin) {
        auto sleeps_at = std::chrono::steady_clock::now();
        while (!loop.context.stopped()) {
            if (loop.context.poll() > 0) {
                sleeps_at = std::chrono::steady_clock::now() + spin;
            } else if (std::chrono::steady_clock::now() < sleeps_at) {
                ::sched_yield();
            } else if (loop.context.run_one() > 0) {
                sleeps_at = std::chrono::steady_clock::now() + spin;
            }
        }
    }

    static void run(Loop& loop) {
        const std::chrono::microseconds spin(loop.shared.options.spin_us);
        while (!loop.context.stopped()) {
            try {
                if (spin.count() > 0) {
                    run_spinning(loop, spin);
                } else {
                    loop.context.run();
                }
            } catch (const std::exception& fault) {
                loop.shared.logger.log(LogLevel::kError, "an HTTP connection ended by an exception",
                                       {{"what", fault.what()}});
            }
        }
    }

    Shared shared_;
    uint16_t port_ = 0;
    Mutex mutex_;  // of stop_accepting and stop
    std::vector<std::unique_ptr<Loop>> loops_;
    std::unique_ptr<io::ThreadPool> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(HttpServerOptions options, HttpHandler& handler,
                                                       telemetry::Metrics& metrics, Logger& logger) {
    auto server = std::make_unique<Server>(std::move(options), handler, metrics, logger);
    AKIDB_TRY(server->start());
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace akidb::rest
