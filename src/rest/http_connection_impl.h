// One connection, as a template over its stream: a socket, or TLS over one. Each is compiled in a source of
// its own (http_connection.cc, https_connection.cc), so what goes over a plain socket takes no step for TLS.
// For those sources only; threads as in http_connection.h.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <string>
#include <type_traits>

#include "model/limits.h"
#include "rest/http_connection.h"
#include "rest/http_fault.h"
#include "rest/http_text.h"
#include "service/context.h"

namespace akidb::rest {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

inline constexpr uint32_t kLingerMs = 2'000;
inline constexpr size_t kLingerBytesMax = model::kImportBodyBytesMax + (1 << 20);  // a refused upload whole
inline constexpr size_t kReadBytes = 16 << 10;
inline constexpr size_t kBodyStep = 64 << 10;
inline constexpr milliseconds kLastGrace{
    200};  // from the last answer, for a request after the listener closed
inline constexpr size_t kSpareBytes = 64;
inline constexpr int kForgotten =
    0;  // in place of a status: the handler let go of the request without answering it
inline constexpr int kReadsNowMax =
    4;  // reads of one request without giving the loop's other connections their turn

inline auto yielding(ErrorCode& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

/// Nothing when the peer is gone and an answer would reach nobody.
inline std::optional<HttpFault> fault_of(ErrorCode error, uint64_t body_limit) {
    if (error == beast::error::timeout) {
        return HttpFault{408, "DEADLINE_EXCEEDED", "the request did not arrive in time", "timeout"};
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return HttpFault{
            431, "INVALID_ARGUMENT",
            "the request's head is larger than " + std::to_string(model::kHeaderBytesMax) + " bytes",
            "header_too_large"};
    }
    if (error == http::error::body_limit) {
        return too_large(body_limit);
    }
    bool is_http = error.category() == http::make_error_code(http::error::bad_method).category();
    if (!is_http || error == http::error::end_of_stream || error == http::error::partial_message) {
        return std::nullopt;
    }
    return malformed("the request is not well-formed HTTP/1.1: " + error.message());
}

/// What Beast lets pass and we do not.
inline std::optional<HttpFault> check_head(const http::request_parser<http::empty_body>& parser,
                                           uint64_t body_limit) {
    const auto& head = parser.get();
    if (head.target().size() > model::kUrlBytesMax) {
        return HttpFault{414, "INVALID_ARGUMENT",
                         "the URL is longer than " + std::to_string(model::kUrlBytesMax) + " bytes",
                         "url_too_long"};
    }
    if (head.version() != 10 && head.version() != 11) {
        return malformed("only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    if (head.version() == 11 && head.count(http::field::host) != 1) {
        return malformed("exactly one Host header is needed");
    }
    if (head.target().empty() || head.target().front() != '/') {
        return malformed("the request target must be a path");
    }
    // Beast reads "5,5" as 5 and what is behind "gzip, chunked" as it stands; a proxy may not.
    const auto encoding = head.find(http::field::transfer_encoding);
    const auto length_line = head.find(http::field::content_length);
    if (encoding != head.end() &&
        (length_line != head.end() || !beast::iequals(encoding->value(), "chunked") ||
         head.count(http::field::transfer_encoding) != 1)) {
        return malformed("a body has either a Content-Length or the Transfer-Encoding chunked");
    }
    if (length_line != head.end() &&
        (head.count(http::field::content_length) != 1 ||
         length_line->value().find_first_not_of("0123456789") != beast::string_view::npos)) {
        return malformed("the Content-Length is one number");
    }
    if (auto length = parser.content_length(); length && *length > body_limit) {
        return too_large(body_limit);
    }
    if (auto expect = head.find(http::field::expect);
        expect != head.end() && !beast::iequals(expect->value(), "100-continue")) {
        return HttpFault{417, "INVALID_ARGUMENT", "the only expectation met here is 100-continue",
                         "malformed"};
    }
    return std::nullopt;
}

inline std::string_view text_of(beast::string_view text) {
    return {text.data(), text.size()};
}

using BodyParser = http::request_parser<http::string_body>;

/// `Stream` is tcp::socket, or what has one as next_layer() and begins with a handshake.
template <class Stream>
class Connection final : public ConnectionHandle {
  public:
    Connection(Loop& loop, Stream stream, ConnectionBook::Seat seat)
        : loop_(loop),
          shared_(loop.shared),
          stream_(std::move(stream)),
          wake_(loop.context),
          seat_(std::move(seat)),
          deadline_(SteadyClock::now() + milliseconds(shared_.options.header_timeout_ms)) {
        buffer_.reserve(kReadBytes);
        socket().non_blocking(true, ignored_);
        loop_.connections.insert(this);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override {
        loop_.connections.erase(this);
        close_mailbox();
        release();
    }

    static asio::awaitable<void> run(std::unique_ptr<Connection> self) {
        bool goes_on = true;
        if constexpr (kIsTls) {
            goes_on = co_await self->shake_hands();
            if (!goes_on) {
                co_return;
            }
        }
        while (goes_on) {
            if (!co_await self->await_first_byte()) {
                co_return;
            }
            goes_on = co_await self->serve_one();
        }
        self->release();
        co_await self->linger();
    }

    void expire(SteadyClock::time_point now) override {
        if (now >= deadline_) {
            timed_out_ = true;
            socket().cancel(ignored_);
        }
    }
    void sweep() override {
        if (!idle_ || claimed_) {
            return;
        }
        if (available() > 0) {
            claim();
        } else if (SteadyClock::now() < idle_since_ + kLastGrace) {
            wait_a_last_time();
        } else {
            socket().cancel(ignored_);
        }
    }
    void close_mailbox() override {
        if (mailbox_ != nullptr) {
            mailbox_->close();
        }
    }

  private:
    static constexpr bool kIsTls = !std::is_same_v<Stream, tcp::socket>;

    tcp::socket& socket() {
        if constexpr (kIsTls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    /// Within the time for a request's head. The peer is told why not by an alert.
    asio::awaitable<bool> shake_hands() {
        ErrorCode error;
        co_await stream_.async_handshake(Stream::server, yielding(error));
        if (error) {
            shared_.book.count_refused("tls_handshake");
        }
        co_return !error;
    }

    /// Beast's own tcp_stream closes the socket when time runs out, and then no 408 can be sent; so the
    /// loop's ticker cancels what waits (expire()).
    void expire_at(SteadyClock::time_point deadline) {
        deadline_ = deadline;
        timed_out_ = false;
    }
    void expire_after(uint32_t timeout_ms) { expire_at(SteadyClock::now() + milliseconds(timeout_ms)); }
    ErrorCode reason(ErrorCode error) const {
        return timed_out_ && error == asio::error::operation_aborted ? ErrorCode(beast::error::timeout)
                                                                     : error;
    }

    /// From here on the request counts as in flight.
    void claim() {
        if (!claimed_) {
            claimed_ = true;
            shared_.book.request_began();
        }
    }
    void release() {
        if (claimed_) {
            claimed_ = false;
            shared_.book.request_ended();
        }
    }
    /// A peer that has just come or has just been answered may have sent a request that is still on its way.
    void wait_a_last_time() {
        claim();
        expire_at(idle_since_ + kLastGrace);
    }
    size_t available() { return socket().available(ignored_); }

    /// Readiness, not data, is awaited: what is still in the kernel can be seen by sweep().
    asio::awaitable<bool> await_first_byte() {
        if (buffer_.size() > 0 || (shared_.draining && available() > 0)) {
            claim();
            // Nothing below has to wait for what is there already; the loop's other connections come first.
            co_await asio::post(loop_.context, asio::use_awaitable);
            co_return true;
        }
        const bool is_new = idle_;  // from the start, so that sweep() sees a connection that did not run yet
        if (!is_new) {
            idle_since_ = SteadyClock::now();
            expire_at(idle_since_ + milliseconds(shared_.options.idle_timeout_ms));
            idle_ = true;
            release();
        }
        if (shared_.stopped_accepting) {
            if (!is_new) {
                co_return false;
            }
            wait_a_last_time();
        }
        ErrorCode error;
        if constexpr (kIsTls) {
            // What came may lie decrypted in the stream already, where the socket does not show it.
            buffer_.commit(co_await stream_.async_read_some(buffer_.prepare(kReadBytes), yielding(error)));
        } else {
            co_await stream_.async_wait(tcp::socket::wait_read, yielding(error));
        }
        idle_ = false;
        if (error && (!claimed_ || timed_out_)) {
            co_return false;
        }
        claim();
        co_return true;
    }

    /// Parses what has arrived already, without a turn of the loop for each part of it: a turn costs a system
    /// call, and most requests are there whole. Beast's asynchronous reads go on from wherever this stops;
    /// they also meet the faults of the socket, which are passed over here.
    size_t parse_now(http::basic_parser<true>& parser, bool (http::basic_parser<true>::*is_done)() const,
                     ErrorCode& error) {
        size_t used = 0;
        for (int reads = 0; !(parser.*is_done)() && !error;) {
            if (buffer_.size() > 0) {
                const size_t step = parser.put(buffer_.data(), error);
                buffer_.consume(step);
                used += step;
                if (error != http::error::need_more) {
                    continue;
                }
                error = {};
            }
            if (reads++ == kReadsNowMax) {
                break;
            }
            const size_t count = read_now();
            if (count == 0) {
                break;
            }
            buffer_.commit(count);
        }
        return used;
    }

    /// What is there already. A TLS stream may have to write before it can read, which must not be cut short.
    size_t read_now() {
        if constexpr (kIsTls) {
            return 0;
        } else {
            return stream_.read_some(buffer_.prepare(beast::read_size(buffer_, kBodyStep)), ignored_);
        }
    }

    /// False when the connection is to be closed.
    asio::awaitable<bool> serve_one() {
        using HeadParser = http::request_parser<http::empty_body>;
        HeadParser head;
        head.header_limit(static_cast<uint32_t>(model::kHeaderBytesMax));
        head.body_limit(boost::none);
        ErrorCode error;
        request_id_.clear();
        parse_now(head, &HeadParser::is_header_done, error);
        if (!error && !head.is_header_done()) {
            expire_after(shared_.options.header_timeout_ms);
            co_await http::async_read_header(stream_, buffer_, head, yielding(error));
        }
        if (error) {
            co_return co_await answer_fault(fault_of(reason(error), 0));
        }
        if (auto given = head.get().find("X-Request-Id"); given != head.get().end()) {
            if (std::string_view text = text_of(given->value()); service::is_request_id(text)) {
                request_id_ = text;
            }
        }
        name_request();
        std::string_view path = text_of(head.get().target());
        path = path.substr(0, path.find('?'));
        uint64_t body_limit = shared_.handler.body_bytes_max(text_of(head.get().method_string()), path);
        if (auto fault = check_head(head, body_limit)) {
            co_return co_await answer_fault(std::move(fault));
        }
        service::MemoryBudget::Share memory(shared_.memory);
        const uint64_t announced = head.chunked() ? kBodyStep : head.content_length().value_or(0);
        if (auto fault = reserve(memory, announced)) {
            co_return co_await answer_fault(std::move(fault));
        }
        co_return co_await serve_body(head, body_limit, memory);
    }

    std::optional<HttpFault> reserve(service::MemoryBudget::Share& memory, uint64_t body_bytes) {
        if (memory.grow_to(body_bytes * service::MemoryBudget::kBytesPerBodyByte)) {
            return std::nullopt;
        }
        return no_memory(body_bytes,
                         shared_.memory.share_bytes_max() / service::MemoryBudget::kBytesPerBodyByte);
    }

    asio::awaitable<bool> serve_body(http::request_parser<http::empty_body>& head, uint64_t body_limit,
                                     service::MemoryBudget::Share& memory) {
        bool expects_continue = head.get().find(http::field::expect) != head.get().end() && !head.is_done();
        BodyParser parser(std::move(head));
        parser.body_limit(body_limit);
        ErrorCode error;
        if (expects_continue && buffer_.size() == 0) {
            expire_after(shared_.options.header_timeout_ms);
            constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await asio::async_write(stream_, asio::buffer(kContinue), yielding(error));
        }
        if (!error) {
            parser.get().body().reserve(parser.content_length().value_or(0) + kSpareBytes);
            const size_t received = parse_now(parser, &BodyParser::is_done, error);
            auto fault = reserve(memory, parser.get().body().size());  // of a body that told no length
            if (!fault && !error && !parser.is_done()) {
                fault = co_await read_body(parser, received, memory, error);
            }
            if (fault) {
                co_return co_await answer_fault(std::move(fault));
            }
            parser.get().body().reserve(parser.get().body().size() + kSpareBytes);
        }
        if (error) {
            co_return co_await answer_fault(fault_of(reason(error), body_limit));
        }
        auto message = parser.release();
        HttpRequest request = request_of(message);
        request.body = std::move(message.body());
        bool keeps_alive = message.keep_alive();
        bool is_http_10 = message.version() == 10;
        bool is_head = message.method() == http::verb::head;
        call_handler(std::move(request));
        if (!mailbox_->ready_or_wait()) {
            co_await await_answer();
        }
        HttpResponse response = mailbox_->collect();
        if (response.status == kForgotten) {
            response =
                shared_.handler.error_response(500, "INTERNAL", "the request was not answered", request_id_);
        }
        // What was pipelined behind this request was sent in good faith, so even a draining server answers it
        // first.
        bool closes = !keeps_alive || (shared_.draining && buffer_.size() == 0 && available() == 0);
        HeadOptions options{
            .request_id = request_id_, .closes = closes, .names_keep_alive = is_http_10 && keeps_alive};
        co_return co_await write(response, options, is_head) && !closes;
    }

    template <class Message>
    HttpRequest request_of(const Message& message) const {
        std::string_view target = text_of(message.target());
        size_t question = target.find('?');
        HttpRequest request;
        request.method = text_of(message.method_string());
        request.path = target.substr(0, question);
        request.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
        request.content_type = text_of(message[http::field::content_type]);
        request.origin = text_of(message[http::field::origin]);
        for (auto [key, end] = message.equal_range("Idempotency-Key"); key != end; ++key) {
            request.idempotency_keys.emplace_back(text_of(key->value()));
        }
        for (auto [given, end] = message.equal_range(http::field::authorization); given != end; ++given) {
            request.credentials.authorization.emplace_back(text_of(given->value()));
        }
        for (auto [given, end] = message.equal_range("X-Forwarded-For"); given != end; ++given) {
            request.forwarded.emplace_back(text_of(given->value()));
        }
        request.user_agent = text_of(message[http::field::user_agent]);
        request.is_tls = kIsTls;
        for (auto [given, end] = message.equal_range(http::field::cookie); given != end; ++given) {
            add_cookies(text_of(given->value()), session_cookie_name(kIsTls), request.credentials.cookies);
        }
        request.credentials.csrf_token = text_of(message["X-CSRF-Token"]);
        request.credentials.changes_something =
            message.method() != http::verb::get && message.method() != http::verb::head;
        for (auto [given, end] = message.equal_range("api-key"); given != end; ++given) {
            request.credentials.api_key.emplace_back(text_of(given->value()));
        }
        if (shared_.options.reads_trace_headers) {
            for (auto [given, end] = message.equal_range("traceparent"); given != end; ++given) {
                request.trace.parents.emplace_back(text_of(given->value()));
            }
            for (auto [given, end] = message.equal_range("tracestate"); given != end; ++given) {
                request.trace.states.emplace_back(text_of(given->value()));
            }
        }
        request.remote_address = seat_.address();
        request.request_id = request_id_;
        return request;
    }

    asio::awaitable<std::optional<HttpFault>> read_body(BodyParser& parser, size_t received,
                                                        service::MemoryBudget::Share& memory,
                                                        ErrorCode& error) {
        if (parser.content_length().value_or(0) > kBodyStep) {
            buffer_.reserve(kBodyStep);
        }
        auto began = SteadyClock::now();
        while (!parser.is_done() && !error) {
            // A deadline that moves with what has arrived is a least rate: one byte now and then does not
            // push it.
            auto steps = static_cast<milliseconds::rep>(1 + received / kBodyStep);
            expire_at(began + steps * milliseconds(shared_.options.body_timeout_ms_per_64k));
            received += co_await http::async_read_some(stream_, buffer_, parser, yielding(error));
            if (auto fault = reserve(memory, parser.get().body().size())) {
                co_return fault;
            }
        }
        co_return std::nullopt;
    }

    void call_handler(HttpRequest request) {
        expire_at(SteadyClock::time_point::max());
        mailbox_ = std::make_shared<Mailbox>(loop_.context, wake_);
        // Answers for a handler that lets go of its Respond without calling it (a job dropped at shutdown).
        struct Ticket {
            explicit Ticket(std::shared_ptr<Mailbox> mailbox) : box(std::move(mailbox)) {}
            Ticket(const Ticket&) = delete;
            Ticket& operator=(const Ticket&) = delete;
            ~Ticket() { Mailbox::put(box, HttpResponse{.status = kForgotten}); }
            std::shared_ptr<Mailbox> box;
        };
        auto ticket = std::make_shared<Ticket>(mailbox_);
        try {
            shared_.handler.handle(std::move(request), [ticket](HttpResponse response) {
                Mailbox::put(ticket->box, std::move(response));
            });
        } catch (const std::exception& fault) {
            shared_.logger.log(LogLevel::kError, "a request handler threw",
                               {{"request_id", request_id_}, {"what", fault.what()}});
        }
    }

    asio::awaitable<void> await_answer() {
        do {
            ErrorCode cancelled;
            wake_.expires_at(SteadyClock::time_point::max());
            co_await wake_.async_wait(yielding(cancelled));
        } while (!mailbox_->ready_or_wait());
    }

    void name_request() {
        if (request_id_.empty()) {
            request_id_ = io::make_uuid(*shared_.random, *shared_.clock).to_string();
        }
    }

    asio::awaitable<bool> answer_fault(std::optional<HttpFault> fault) {
        if (!fault) {
            co_return false;
        }
        name_request();
        shared_.book.count_refused(fault->reason);
        HttpResponse response =
            shared_.handler.error_response(fault->status, fault->code, fault->message, request_id_);
        if (fault->retry_after_s > 0) {
            response.headers.emplace_back("Retry-After", std::to_string(fault->retry_after_s));
        }
        co_await write(response, {.request_id = request_id_, .closes = true}, false);
        co_return false;
    }

    asio::awaitable<bool> write(const HttpResponse& response, HeadOptions options, bool is_head) {
        std::string head = response_head(response, options);
        std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(response.body)};
        if (is_head) {
            parts[1] = asio::const_buffer();
        }
        // The socket's buffer is empty but for a client that does not read, so most answers fit at once.
        ErrorCode error;
        size_t sent = 0;
        if constexpr (!kIsTls) {
            sent = stream_.write_some(parts, error);
            if (error == asio::error::would_block) {
                error = {};
            }
        }
        if (!error && sent < asio::buffer_size(parts)) {
            const size_t of_head = std::min(sent, parts[0].size());
            parts[0] += of_head;
            parts[1] += sent - of_head;
            expire_after(shared_.options.write_timeout_ms);
            co_await asio::async_write(stream_, parts, yielding(error));
        }
        co_return !error;
    }

    /// Closing with unread bytes makes the kernel reset the connection, which can eat the answer on its way;
    /// so the rest is read and thrown away for a while.
    asio::awaitable<void> linger() {
        ErrorCode error;
        expire_after(kLingerMs);
        if constexpr (kIsTls) {
            co_await stream_.async_shutdown(yielding(error));
        }
        socket().shutdown(tcp::socket::shutdown_send, error);
        buffer_.clear();
        for (size_t discarded = 0; !error && discarded < kLingerBytesMax;) {
            discarded += co_await socket().async_read_some(buffer_.prepare(kReadBytes), yielding(error));
        }
    }

    Loop& loop_;
    Shared& shared_;
    Stream stream_;
    beast::flat_buffer buffer_;
    asio::steady_timer wake_;
    ConnectionBook::Seat seat_;
    std::shared_ptr<Mailbox> mailbox_;
    std::string request_id_;
    SteadyClock::time_point deadline_;
    ErrorCode ignored_;
    bool idle_ = true;
    SteadyClock::time_point idle_since_ = SteadyClock::now();
    bool claimed_ = false;
    bool timed_out_ = false;
};

template <class Stream>
void start(Loop& loop, Stream stream, ConnectionBook::Seat seat) {
    auto connection = std::make_unique<Connection<Stream>>(loop, std::move(stream), std::move(seat));
    // An exception here is memory that ran out: the connection ends, the server does not.
    asio::co_spawn(loop.context, Connection<Stream>::run(std::move(connection)), asio::detached);
}

}  // namespace akidb::rest
