#include "server/process_facts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace akidb::server {

uint32_t cores() {
    return std::max(1U, std::thread::hardware_concurrency());
}

uint64_t resident_memory_bytes() {
    std::ifstream file("/proc/self/statm");
    uint64_t all_pages = 0;
    uint64_t resident_pages = 0;
    file >> all_pages >> resident_pages;
    return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t file_descriptor_limit() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 0;
}

void raise_file_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

uint64_t memory_limit_bytes() {
    uint64_t limit =
        static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    std::string group;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        if (line.starts_with("0::")) {  // version 2
            group = line.substr(3);
        }
    }
    // A group has no more than those around it. The root has no such file, but for a container's.
    for (std::filesystem::path path(group);; path = path.parent_path()) {
        std::ifstream file("/sys/fs/cgroup" + path.string() + "/memory.max");
        if (uint64_t bytes = 0; file >> bytes) {  // "max" does not read
            limit = std::min(limit, bytes);
        }
        if (path == path.parent_path()) {
            break;
        }
    }
    if (uint64_t bytes = 0;
        std::ifstream("/sys/fs/cgroup/memory/memory.limit_in_bytes") >> bytes) {  // version 1
        limit = std::min(limit, bytes);
    }
    return limit;
}

void forbid_core_dumps() {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    // core(5): 0 holds for files alone; with 1 byte a program at the end of a pipe is not begun either.
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1);
    setrlimit(RLIMIT_CORE, &limit);
}

uint64_t open_file_descriptors() {
    std::error_code fault;
    uint64_t count = 0;
    for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", fault);
         !fault && entry != std::filesystem::directory_iterator(); entry.increment(fault)) {
        ++count;
    }
    return count == 0 ? 0 : count - 1;  // the one that reads the directory
}

}  // namespace akidb::server
