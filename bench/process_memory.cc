#include "bench/process_memory.h"

#include <fstream>
#include <stdexcept>
#include <string>

namespace akidb::bench {
namespace {

uint64_t status_bytes(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(field + ":")) {
            return std::stoull(line.substr(field.size() + 1)) * 1024;
        }
    }
    throw std::runtime_error("/proc/self/status has no " + field);
}

}  // namespace

uint64_t resident_bytes() {
    return status_bytes("VmRSS");
}

uint64_t peak_resident_bytes() {
    return status_bytes("VmHWM");
}

bool reset_peak() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;  // proc(5): resets the peak to what is resident now
    return file.good();
}

}  // namespace akidb::bench
