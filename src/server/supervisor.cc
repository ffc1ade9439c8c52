#include "server/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace akidb::server {
namespace {

// While it starts, every half second: that is how soon it is noticed that we are ready. Each word asks for a
// minute more.
constexpr uint64_t kStartEveryUs = 500'000;
constexpr uint64_t kStartExtensionUs = 60'000'000;

uint64_t number_in(const char* text) {
    uint64_t number = 0;
    if (text != nullptr) {
        std::from_chars(text, text + std::strlen(text), number);
    }
    return number;
}

/// A line of its own, as the protocol has a variable a line.
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

SupervisorOptions supervisor_options() {
    SupervisorOptions options;
    if (const char* socket = std::getenv("NOTIFY_SOCKET")) {
        options.socket = socket;
    }
    const uint64_t pid = number_in(std::getenv("WATCHDOG_PID"));
    if (pid == 0 || pid == static_cast<uint64_t>(getpid())) {
        options.watchdog_us = number_in(std::getenv("WATCHDOG_USEC"));
    }
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) {
        unsetenv(name);
    }
    return options;
}

Supervisor::Supervisor(SupervisorOptions options, const io::Clock& clock, Ask ask)
    : options_(std::move(options)), clock_(clock), ask_(std::move(ask)) {}

void Supervisor::tick() {
    if (options_.socket.empty() || clock_.monotonic_us() < due_us_) {
        return;
    }
    if (!is_ready_) {
        start();
    } else if (options_.watchdog_us > 0) {
        beat();
    }
}

void Supervisor::start() {
    due_us_ = clock_.monotonic_us() + kStartEveryUs;
    const Result<Answer> answer = ask_("/ready");
    if (!answer) {
        return;
    }
    is_ready_ = answer->status == 200;
    tell((is_ready_ ? std::string("READY=1\nWATCHDOG=1")
                    : "EXTEND_TIMEOUT_USEC=" + std::to_string(kStartExtensionUs)) +
         "\nSTATUS=" + one_line(answer->body));
}

// A third of what it waits: one lost word is none too few.
void Supervisor::beat() {
    due_us_ = clock_.monotonic_us() + options_.watchdog_us / 3;
    const Result<Answer> answer = ask_("/health");
    if (answer && answer->status == 200) {
        tell("WATCHDOG=1");
    }
}

void Supervisor::begin_reload() {
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(clock_.monotonic_us()));
}

void Supervisor::end_reload() {
    if (is_ready_) {
        tell("READY=1");
    }
}

void Supervisor::stop() {
    tell("STOPPING=1\nWATCHDOG=1\nSTATUS=draining");
}

void Supervisor::tell(const std::string& text) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options_.socket.empty() || options_.socket.size() >= sizeof address.sun_path) {
        return;
    }
    std::memcpy(address.sun_path, options_.socket.data(), options_.socket.size());
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return;
    }
    // Whether it arrived shows in what the service manager does: there is nobody else to tell.
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + options_.socket.size());
    sendto(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), size);
    close(descriptor);
}

}  // namespace akidb::server
