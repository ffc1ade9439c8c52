#include "bench/wire_load.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kWireTimetableSeed = 7;
constexpr size_t kAnswerBytes = 64 << 10;
constexpr std::chrono::seconds kPatience{30};  // for one answer
constexpr std::chrono::milliseconds kReopenPause{5};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }

  private:
    int number_;
};

int connect_to(const support::Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found) != 0) {
        throw std::runtime_error("no such host: " + endpoint.host);
    }
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    int number = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0 || ::connect(number, found->ai_addr, found->ai_addrlen) != 0) {
        fail("cannot connect to " + endpoint.host + ":" + std::to_string(endpoint.port));
    }
    const int on = 1;
    ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return number;
}

struct Kept {
    explicit Kept(const support::Endpoint& endpoint) : socket(connect_to(endpoint)) {}
    Descriptor socket;
    std::string received;
    size_t request = 0;  // index of what it waits for
    bool is_asked = false;
    Clock::time_point due;
};

bool says_close(std::string_view answer) {
    return answer.substr(0, answer.find("\r\n\r\n")).find("\r\nConnection: close") != std::string_view::npos;
}

class Load {
  public:
    explicit Load(const WirePlan& plan) : plan_(plan), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        result_.bodies.resize(plan.requests.size());
        for (size_t index = 0; index < plan.connections; ++index) {
            open_one();
        }
    }

    WireResult run() {
        begin_ = Clock::now();
        end_ = begin_ +
               std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan_.seconds));
        plan_.rate > 0 || plan_.rate_at ? run_open() : run_closed();
        result_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
        std::sort(result_.latency_us.begin(), result_.latency_us.end());
        return std::move(result_);
    }

  private:
    void open_one() {
        auto kept = std::make_unique<Kept>(plan_.endpoint);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = kept.get();
        ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, kept->socket.number(), &event);
        free_.push_back(kept.get());
        kept_.push_back(std::move(kept));
    }

    /// Of `kept` nothing is left at return.
    void lose(Kept& kept) {
        result_.cut += kept.is_asked ? 1 : 0;
        std::erase(free_, &kept);
        std::erase_if(kept_, [&](const std::unique_ptr<Kept>& one) { return one.get() == &kept; });
    }

    /// As many as the server takes; once asked to stop, none.
    void reopen() {
        while (kept_.size() < plan_.connections && goes_on()) {
            try {
                open_one();
            } catch (const std::runtime_error&) {
                return;  // the server is away: the next round tries again
            }
        }
    }

    void run_closed() {
        while (!free_.empty() && goes_on()) {
            send_next(Clock::now());
        }
        while (free_.size() < kept_.size()) {
            receive(kPatience);
            while (!free_.empty() && goes_on()) {
                send_next(Clock::now());
            }
        }
    }

    bool goes_on() const {
        return Clock::now() < end_ && next_ < plan_.requests_max && !plan_.stop.stop_requested();
    }

    void run_open() {
        ::prctl(PR_SET_TIMERSLACK, 1000);  // ns; the default of 50 µs would be charged to the server
        std::mt19937_64 random(kWireTimetableSeed);
        std::exponential_distribution<double> unit_gap(1);
        Clock::time_point due = begin_;
        const auto gap = [&] {
            const double rate = plan_.rate_at
                                    ? plan_.rate_at(std::chrono::duration<double>(due - begin_).count())
                                    : plan_.rate;
            return std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(unit_gap(random) / rate));
        };
        while ((due < end_ && goes_on()) || free_.size() < kept_.size()) {
            Clock::time_point now = Clock::now();
            while (due < end_ && due <= now && !free_.empty() && next_ < plan_.requests_max &&
                   !plan_.stop.stop_requested()) {
                send_next(due);
                due += gap();
            }
            if (plan_.outlives_cuts) {
                reopen();
            }
            bool waits_for_time = due < end_ && goes_on() && !free_.empty();
            Clock::duration wait =
                waits_for_time ? std::max<Clock::duration>(due - Clock::now(), Clock::duration::zero())
                               : Clock::duration(kPatience);
            const bool lacks_some = plan_.outlives_cuts && kept_.size() < plan_.connections && goes_on();
            receive(lacks_some ? std::min<Clock::duration>(wait, kReopenPause) : wait);
        }
    }

    void send_next(Clock::time_point due) {
        Kept& kept = *free_.front();
        free_.pop_front();
        kept.request = next_++ % plan_.requests.size();
        kept.due = due;
        kept.is_asked = true;
        const std::string& bytes = plan_.requests[kept.request];
        for (size_t sent = 0; sent < bytes.size();) {
            ssize_t step =
                ::send(kept.socket.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (step <= 0 && plan_.outlives_cuts) {
                lose(kept);
                return;
            }
            if (step <= 0) {
                fail("sending failed");
            }
            sent += static_cast<size_t>(step);
        }
    }

    void receive(Clock::duration patience) {
        std::array<epoll_event, 64> events;
        auto whole = std::chrono::duration_cast<std::chrono::seconds>(patience);
        timespec wait{whole.count(), std::chrono::nanoseconds(patience - whole).count()};
        int count = ::epoll_pwait2(epoll_.number(), events.data(), events.size(), &wait, nullptr);
        if (count == 0 && patience >= kPatience) {
            throw std::runtime_error("no answer within 30 s");
        }
        for (int index = 0; index < count; ++index) {
            read_answer(*static_cast<Kept*>(events[static_cast<size_t>(index)].data.ptr));
        }
    }

    void read_answer(Kept& kept) {
        std::array<char, kAnswerBytes> bytes;
        ssize_t count = ::recv(kept.socket.number(), bytes.data(), bytes.size(), 0);
        if (count <= 0 && plan_.outlives_cuts) {
            lose(kept);
            return;
        }
        if (count <= 0) {
            fail("the server ended a connection");
        }
        kept.received.append(bytes.data(), static_cast<size_t>(count));
        size_t length = message_bytes(kept.received);
        if (length == 0 || kept.received.size() < length) {
            return;
        }
        kept.is_asked = false;
        auto latency = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - kept.due);
        result_.latency_us.push_back(static_cast<uint32_t>(latency.count()));
        ++result_.answered;
        const bool succeeded = kept.received.compare(0, 12, "HTTP/1.1 200") == 0;
        result_.errors += succeeded ? 0 : 1;
        if (succeeded && plan_.on_success) {
            plan_.on_success(kept.request);
        }
        if (plan_.on_answer) {
            plan_.on_answer(kept.request, static_cast<uint32_t>(latency.count()), succeeded);
        }
        const bool closes = plan_.outlives_cuts && says_close(kept.received);
        kept.received.swap(result_.bodies[kept.request]);
        kept.received.clear();
        if (closes) {
            lose(kept);
        } else {
            free_.push_back(&kept);
        }
    }

    const WirePlan& plan_;
    Descriptor epoll_;
    std::vector<std::unique_ptr<Kept>> kept_;
    std::deque<Kept*> free_;
    size_t next_ = 0;
    Clock::time_point begin_;
    Clock::time_point end_;
    WireResult result_;
};

}  // namespace

double WireResult::quantile_us(double share) const {
    if (latency_us.empty()) {
        return 0;
    }
    auto index = static_cast<size_t>(share * static_cast<double>(latency_us.size()));
    return latency_us[std::min(index, latency_us.size() - 1)];
}

WireResult run_wire_load(const WirePlan& plan) {
    WireResult result = Load(plan).run();
    for (std::string& body : result.bodies) {
        body.erase(0, std::min(body.size(), body.find("\r\n\r\n") + 4));
    }
    return result;
}

std::string post_request(const support::Endpoint& endpoint, std::string_view path, std::string_view body) {
    return json_request("POST", endpoint, path, body);
}

std::string json_request(std::string_view method, const support::Endpoint& endpoint, std::string_view path,
                         std::string_view body) {
    std::string text(method);
    text.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(endpoint.host).append(":");
    text.append(std::to_string(endpoint.port))
        .append("\r\nContent-Type: application/json\r\nContent-Length: ");
    return text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

size_t message_bytes(std::string_view text) {
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    size_t head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    size_t body = 0;
    if (size_t at = text.substr(0, head).find(kLength); at != std::string_view::npos) {
        std::from_chars(text.data() + at + kLength.size(), text.data() + head, body);
    }
    return head + 4 + body;
}

}  // namespace akidb::bench
