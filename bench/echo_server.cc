#include "bench/echo_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

constexpr size_t kReadBytes = 64 << 10;

void watch(int epoll, int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

}  // namespace

struct EchoServer::Impl {
    Impl(size_t count, std::string given) : answer(std::move(given)) {
        listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener, generic, size) != 0 || ::listen(listener, 64) != 0 ||
            ::getsockname(listener, generic, &size) != 0) {
            throw std::runtime_error("the echo server cannot listen");
        }
        port = ntohs(address.sin_port);
        stop = ::eventfd(0, EFD_CLOEXEC);
        for (size_t index = 0; index < count; ++index) {
            loops.push_back(::epoll_create1(EPOLL_CLOEXEC));
            watch(loops.back(), stop);
        }
        watch(loops.front(), listener);
        for (int loop : loops) {
            threads.emplace_back([this, loop] { serve(loop); });
        }
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        const uint64_t one = 1;
        if (::write(stop, &one, sizeof(one)) != sizeof(one)) {
            std::terminate();  // the threads below would never end
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (int descriptor : loops) {
            ::close(descriptor);
        }
        ::close(stop);
        ::close(listener);
    }

    void serve(int loop) {
        std::map<int, std::string> received;
        std::array<epoll_event, 64> events;
        for (bool goes_on = true; goes_on;) {
            int count = ::epoll_wait(loop, events.data(), events.size(), -1);
            for (int index = 0; index < count; ++index) {
                int descriptor = events[static_cast<size_t>(index)].data.fd;
                if (descriptor == stop) {
                    goes_on = false;
                } else if (descriptor == listener) {
                    admit();
                } else if (!answer_one(descriptor, received[descriptor])) {
                    received.erase(descriptor);
                    ::close(descriptor);
                }
            }
        }
        for (const auto& [descriptor, text] : received) {
            ::close(descriptor);
        }
    }

    void admit() {
        int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(loops[next++ % loops.size()], accepted);
    }

    bool answer_one(int descriptor, std::string& text) const {
        std::array<char, kReadBytes> bytes;
        ssize_t count = ::recv(descriptor, bytes.data(), bytes.size(), 0);
        if (count <= 0) {
            return false;
        }
        text.append(bytes.data(), static_cast<size_t>(count));
        size_t length = message_bytes(text);
        if (length == 0 || text.size() < length) {
            return true;
        }
        text.clear();
        return ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(answer.size());
    }

    const std::string answer;
    int listener = -1;
    int stop = -1;
    uint16_t port = 0;
    size_t next = 0;  // touched by the first loop's thread only
    std::vector<int> loops;
    std::vector<std::thread> threads;
};

EchoServer::EchoServer(size_t threads, std::string answer)
    : impl_(std::make_unique<Impl>(threads, std::move(answer))) {}
EchoServer::~EchoServer() = default;

uint16_t EchoServer::port() const {
    return impl_->port;
}

}  // namespace akidb::bench
