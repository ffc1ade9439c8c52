#include "bench/load_machine.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace akidb::bench {
namespace {

std::string line_behind(const std::string& path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) {
            const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
            return begin == std::string::npos ? "" : line.substr(begin);
        }
    }
    return "unknown";
}

}  // namespace

std::string load_average() {
    double average[1]{};
    return ::getloadavg(average, 1) == 1 ? std::to_string(average[0]).substr(0, 4) : "unknown";
}

std::string machine_line() {
    utsname name{};
    ::uname(&name);
    return line_behind("/proc/cpuinfo", "model name") + ", " +
           std::to_string(std::thread::hardware_concurrency()) + " cores for server and client together, " +
           line_behind("/proc/meminfo", "MemTotal") + " memory, Linux " + name.release;
}

std::string free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool is_bound = ::bind(socket, generic, size) == 0 && ::getsockname(socket, generic, &size) == 0;
    ::close(socket);
    if (!is_bound) {
        throw std::runtime_error("no port is free");
    }
    return std::to_string(ntohs(address.sin_port));
}

double thread_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_THREAD, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace akidb::bench
