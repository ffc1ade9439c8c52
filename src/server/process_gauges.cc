#include "server/process_gauges.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "server/process_facts.h"

namespace akidb::server {
namespace {

struct Mapping {
    uint64_t begin = 0;
    uint64_t end = 0;
    std::string rights;
    std::string name;  // of a file, or "[stack]", or empty
};

std::vector<Mapping> mappings() {
    std::vector<Mapping> found;
    std::ifstream file("/proc/self/maps");
    for (std::string line; std::getline(file, line);) {
        std::istringstream text(line);
        Mapping mapping;
        char dash = 0;
        std::string offset;
        std::string device;
        std::string inode;
        text >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.rights >> offset >> device >>
            inode;
        std::getline(text >> std::ws, mapping.name);
        found.push_back(std::move(mapping));
    }
    return found;
}

struct Resident {
    uint64_t all = 0;
    uint64_t of_files = 0;  // not changed since it was read from there
};

/// Which pages are there, by proc_pid_pagemap(5).
class PageMap {
  public:
    PageMap() {
        file_.rdbuf()->pubsetbuf(nullptr,
                                 0);  // the kernel refuses reads of other than whole entries of 8 bytes
        file_.open("/proc/self/pagemap", std::ios::binary);
    }

    Resident resident(const Mapping& mapping) {
        constexpr uint64_t kIsPresent = uint64_t{1} << 63;
        constexpr uint64_t kIsOfFile = uint64_t{1} << 61;
        std::vector<uint64_t> pages((mapping.end - mapping.begin) / page_bytes_);
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(mapping.begin / page_bytes_ * sizeof(uint64_t)));
        file_.read(reinterpret_cast<char*>(pages.data()),
                   static_cast<std::streamsize>(pages.size() * sizeof(uint64_t)));
        Resident found;
        for (const uint64_t page : pages) {
            const bool is_present = (page & kIsPresent) != 0;
            found.all += is_present ? page_bytes_ : 0;
            found.of_files += is_present && (page & kIsOfFile) != 0 ? page_bytes_ : 0;
        }
        return found;
    }

  private:
    std::ifstream file_;
    const uint64_t page_bytes_ = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
};

/// Unchanged pages of files, and memory shared with other processes, which SQLite has.
uint64_t resident_file_bytes() {
    std::ifstream file("/proc/self/status");
    uint64_t bytes = 0;
    for (std::string line; std::getline(file, line);) {
        for (const std::string_view key : {"RssFile:", "RssShmem:"}) {
            if (line.starts_with(key)) {
                bytes += std::stoull(line.substr(key.size())) * 1024;
            }
        }
    }
    return bytes;
}

/// Where programs and libraries lie, by what maps nothing else: the right to execute.
std::vector<std::string> program_files(const std::vector<Mapping>& all) {
    std::vector<std::string> names;
    for (const Mapping& mapping : all) {
        if (mapping.name.starts_with('/') && mapping.rights.find('x') != std::string::npos) {
            names.push_back(mapping.name);
        }
    }
    return names;
}

}  // namespace

MappedMemory mapped_memory() {
    const std::vector<Mapping> all = mappings();
    const std::vector<std::string> programs = program_files(all);
    PageMap pages;
    MappedMemory found;
    uint64_t of_programs = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        const Mapping& mapping = all[i];
        // The C library puts a page that nobody may touch below the stack of each thread.
        const bool is_guarded = i > 0 && mapping.name.empty() && all[i - 1].end == mapping.begin &&
                                all[i - 1].rights.starts_with("---") && all[i - 1].name.empty() &&
                                all[i - 1].end - all[i - 1].begin <= 16 * 1024;
        if (std::find(programs.begin(), programs.end(), mapping.name) != programs.end()) {
            const Resident resident = pages.resident(mapping);
            found.program += resident.all;
            of_programs += resident.of_files;
        } else if (mapping.name == "[stack]" || is_guarded) {
            found.stacks += pages.resident(mapping).all;
        }
    }
    const uint64_t of_files = resident_file_bytes();
    found.files = of_files - std::min(of_files, of_programs);
    return found;
}

void ProcessGauges::set(const engine::MemoryUse& collections, telemetry::Metrics& metrics) {
    using telemetry::MetricId;
    metrics.gauge(MetricId::kProcessResidentMemory).set(static_cast<double>(resident_memory_bytes()));
    metrics.gauge(MetricId::kMemoryLimit).set(static_cast<double>(memory_limit_bytes()));
    metrics.gauge(MetricId::kProcessOpenFds).set(static_cast<double>(open_file_descriptors()));
    metrics.gauge(MetricId::kProcessMaxFds).set(static_cast<double>(file_descriptor_limit()));
    if (const uint64_t now_us = clock_.monotonic_us(); now_us >= components_due_us_) {
        components_due_us_ = now_us + kComponentsEveryUs;
        set_components(collections, metrics);
    }
}

void ProcessGauges::set_components(const engine::MemoryUse& collections, telemetry::Metrics& metrics) {
    const MappedMemory mapped = mapped_memory();
    const struct mallinfo2 heap = mallinfo2();
    const uint64_t given = heap.uordblks + heap.hblkhd;
    const std::pair<std::string_view, uint64_t> kComponents[] = {
        {"graph", collections.graph},
        {"vectors", collections.vectors},
        {"documents", collections.documents},
        {"ids", collections.ids},
        {"metadata_indexes", collections.metadata_indexes},
        {"cold_codes", collections.cold_codes},
        {"mapped_files", mapped.files},
        {"other_objects", given - std::min<uint64_t>(given, collections.heap)},
        {"allocator_free", heap.fordblks},
        {"program", mapped.program},
        {"stacks", mapped.stacks}};
    for (const auto& [component, bytes] : kComponents) {
        metrics.gauge(telemetry::MetricId::kMemory, {component}).set(static_cast<double>(bytes));
    }
}

}  // namespace akidb::server
