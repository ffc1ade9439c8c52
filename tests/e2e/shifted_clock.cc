// A library to preload into the server: its wall clock is off by as many seconds as the file that CLOCK_SHIFT
// names says, as if somebody had set it; the other clocks run on.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

// Without memory of the heap: allocators ask for the time, too.
long shift_s() {
    const char* const path = std::getenv("CLOCK_SHIFT");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    char text[32] = {};
    const ssize_t count = read(file, text, sizeof(text) - 1);
    close(file);
    return count > 0 ? std::strtol(text, nullptr, 10) : 0;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const long outcome = syscall(SYS_clock_gettime, clock, time);
    if (outcome == 0 && clock == CLOCK_REALTIME) {
        time->tv_sec += shift_s();
    }
    return static_cast<int>(outcome);
}
