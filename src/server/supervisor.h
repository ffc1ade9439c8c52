// Supervisor: tells the service manager that started us how we are, by the protocol of sd_notify(3):
// datagrams to the socket that NOTIFY_SOCKET names. Without that variable nobody asked and nothing is sent.
//
// It says READY=1 once /ready does, so what is ordered after this service finds it serving. Until then, and
// while it runs, it says that we are alive no more often than asked, and only when the probe listener answers
// /health just now: a process that merely exists is no reason not to restart it. As the caller is the main
// loop, one that hangs is silent as well. Thread-compatible: the thread of main.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/clock.h"

namespace akidb::server {

struct SupervisorOptions {
    std::string socket;        // a path, or @ and a name without one; empty: nobody asked
    uint64_t watchdog_us = 0;  // restarts us after so long without a word; 0: it does not
};

/// NOTIFY_SOCKET and WATCHDOG_USEC of this process, which the processes that it starts are not to inherit.
SupervisorOptions supervisor_options();

class Supervisor {
  public:
    /// Status and body of a GET of this path from the probe listener.
    struct Answer {
        int status = 0;
        std::string body;
    };
    using Ask = std::function<Result<Answer>(std::string_view path)>;

    Supervisor(SupervisorOptions options, const io::Clock& clock, Ask ask);

    /// To be called a few times a second.
    void tick();
    void begin_reload();
    void end_reload();
    /// The last word: closing has its own limit.
    void stop();

  private:
    void start();
    void beat();
    void tell(const std::string& text) const;

    SupervisorOptions options_;
    const io::Clock& clock_;
    Ask ask_;
    bool is_ready_ = false;
    uint64_t due_us_ = 0;
};

}  // namespace akidb::server
