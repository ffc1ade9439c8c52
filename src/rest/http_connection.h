// One HTTP/1.1 connection, and the event loop that owns it: reading with limits and time-outs, handing the
// request to the handler, writing the answer, keep-alive, pipelining in order, the lingering close. Internal
// to the HTTP server. A Loop and its connections are touched by the loop's own thread only; a Mailbox by any
// thread. When a server goes away the loop's context is destroyed after its mailboxes were closed, so a late
// answer finds nobody and is dropped.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "io/clock.h"
#include "io/random.h"
#include "rest/connection_book.h"
#include "rest/http_server.h"
#include "service/memory_budget.h"

namespace akidb::rest {

struct Loop;
class TlsContexts;

/// What all threads of one server share; outlives every connection.
struct Shared {
    Shared(HttpServerOptions given, HttpHandler& routes, telemetry::Metrics& metrics, Logger& log)
        : options(std::move(given)),
          handler(routes),
          logger(log),
          book(options.connections_max, options.connections_per_address_max, metrics),
          own_memory(options.request_memory_bytes_max, metrics),
          memory(options.memory != nullptr ? *options.memory : own_memory),
          clock(io::make_system_clock()),
          random(io::make_system_random()) {}

    HttpServerOptions options;
    HttpHandler& handler;
    Logger& logger;
    ConnectionBook book;
    service::MemoryBudget own_memory;
    service::MemoryBudget& memory;
    std::unique_ptr<io::Clock> clock;
    std::unique_ptr<io::Random> random;
    std::shared_ptr<TlsContexts> tls;  // null: plain HTTP
    std::atomic<bool> draining{false};
    std::atomic<bool> stopped_accepting{false};
    std::vector<Loop*> loops;  // all of them, before the first thread starts
    std::atomic<size_t> next_loop{0};
};

/// Where an answer waits for its connection. The handler may answer from any thread, and before handle()
/// returns.
class Mailbox {
  public:
    Mailbox(boost::asio::io_context& context, boost::asio::steady_timer& wake)
        : context_(&context), wake_(&wake) {}

    /// The first answer counts.
    static void put(const std::shared_ptr<Mailbox>& box, HttpResponse response);
    /// On the loop's thread: true when the answer is there; else put() cancels the timer.
    bool ready_or_wait() AKIDB_EXCLUDES(mutex_);
    HttpResponse collect() AKIDB_EXCLUDES(mutex_);
    /// The connection is gone: nothing is posted to its loop any more.
    void close() AKIDB_EXCLUDES(mutex_);

  private:
    void ring() AKIDB_EXCLUDES(mutex_);

    Mutex mutex_;
    boost::asio::io_context* context_ AKIDB_GUARDED_BY(mutex_);
    boost::asio::steady_timer* wake_ AKIDB_GUARDED_BY(mutex_);
    std::optional<HttpResponse> response_ AKIDB_GUARDED_BY(mutex_);
    bool waiting_ AKIDB_GUARDED_BY(mutex_) = false;
};

/// What a loop may ask of a connection.
class ConnectionHandle {
  public:
    virtual ~ConnectionHandle() = default;
    /// Ends what it waits for when its time is up.
    virtual void expire(std::chrono::steady_clock::time_point now) = 0;
    /// After stop_accepting: closes it when it has been idle for a while; a request whose bytes are there
    /// already counts as in flight.
    virtual void sweep() = 0;
    virtual void close_mailbox() = 0;
};

struct Loop {
    explicit Loop(Shared& everybody) : shared(everybody), acceptor(context), ticker(context) {}

    Shared& shared;
    std::set<ConnectionHandle*> connections;  // before `context`: destroying that destroys them
    boost::asio::io_context context{1};
    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer ticker;
};

void start_connection(Loop& loop, boost::asio::ip::tcp::socket socket, ConnectionBook::Seat seat);
void start_tls_connection(Loop& loop, boost::asio::ip::tcp::socket socket, ConnectionBook::Seat seat);
/// Fails on an identity that OpenSSL cannot use. The source outlives what is made.
Result<std::shared_ptr<TlsContexts>> make_tls_contexts(const io::TlsSource& source);

}  // namespace akidb::rest
