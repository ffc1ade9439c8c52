#include "bench/sync_rate.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace akidb::bench {

double syncs_per_second(const std::string& directory, size_t record_bytes, double seconds) {
    using Clock = std::chrono::steady_clock;
    constexpr off_t kFileBytes = 64 << 20;
    const std::string path = directory + "/syncs";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string record(record_bytes, 'r');
    const std::string zeros(kFileBytes, '\0');
    bool worked =
        file >= 0 && ::pwrite(file, zeros.data(), zeros.size(), 0) == kFileBytes && ::fsync(file) == 0;
    size_t count = 0;
    const auto begin = Clock::now();
    const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    for (off_t at = 0; worked && passed() < seconds; ++count) {
        const auto size = static_cast<ssize_t>(record.size());
        worked = ::pwrite(file, record.data(), record.size(), at) == size && ::fdatasync(file) == 0;
        at = (at + size) % (kFileBytes - (4 << 20));
    }
    const double rate = static_cast<double>(count) / passed();
    ::close(file);
    ::unlink(path.c_str());
    if (!worked) {
        throw std::runtime_error("syncing " + path + " failed");
    }
    return rate;
}

}  // namespace akidb::bench
