#include "server/process_facts.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace akidb::server {

uint64_t resident_memory_bytes() {
    std::ifstream file("/proc/self/statm");
    uint64_t all_pages = 0;
    uint64_t resident_pages = 0;
    file >> all_pages >> resident_pages;
    return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
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
