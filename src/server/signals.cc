#include "server/signals.h"

#include <pthread.h>

#include <ctime>

namespace akidb::server {

StopSignals::StopSignals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&signals_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> StopSignals::wait(uint32_t timeout_ms) const {
    const timespec limit{.tv_sec = timeout_ms / 1000,
                         .tv_nsec = static_cast<long>(timeout_ms % 1000) * 1'000'000};
    const int signal = sigtimedwait(&signals_, nullptr, &limit);
    return signal > 0 ? std::optional<int>(signal) : std::nullopt;  // a stray EINTR is a short wait
}

}  // namespace akidb::server
