// memory_bench: what this machine's memory gives, with small and with large pages: the constants of the cost
// model of a graph search (bytes fetched a comparison, misses that wait for each other). One thread. No
// options.
//   sequential        one pass over 1 GiB
//   dependent load    each address is read from the one before: one cache line a step, in random order
//   random blocks     32 blocks of 1 GiB are asked for (at most 12 lines of each, as a walk does), then read
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "index/pages.h"

namespace akidb::bench {
namespace {

using index::Pages;
using Clock = std::chrono::steady_clock;

constexpr size_t kBytes = size_t{1} << 30;
constexpr size_t kLine = 64;
constexpr size_t kLinesAhead = 12;
constexpr size_t kBlocksAhead = 32;
constexpr int kPasses = 3;  // the best counts: whatever disturbs a pass makes it slower

struct Line {
    uint64_t next;
    std::array<uint64_t, 7> rest;
};
static_assert(sizeof(Line) == kLine);

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The best of some passes, in seconds. What a pass returns is kept, so that no read is left out.
template <class Pass>
double best_of(Pass pass) {
    static volatile uint64_t sink = 0;
    double best = 1e9;
    for (int i = 0; i < kPasses; ++i) {
        const auto start = Clock::now();
        sink = sink + pass();
        best = std::min(best, seconds_since(start));
    }
    return best;
}

double sequential_gb_per_second(std::span<const Line> lines) {
    const double seconds = best_of([&] {
        std::array<uint64_t, 8> sums{};
        for (const Line& line : lines) {
            sums[0] += line.next;
            for (size_t i = 0; i < line.rest.size(); ++i) {
                sums[i + 1] += line.rest[i];
            }
        }
        return std::accumulate(sums.begin(), sums.end(), uint64_t{0});
    });
    return static_cast<double>(lines.size_bytes()) / seconds * 1e-9;
}

// Makes one cycle through all lines (Sattolo 1986), then follows it.
double dependent_load_ns(std::span<Line> lines) {
    std::mt19937_64 random(1);
    std::vector<uint32_t> order(lines.size());
    std::iota(order.begin(), order.end(), 0u);
    for (size_t last = order.size() - 1; last > 0; --last) {
        std::swap(order[last], order[random() % last]);
    }
    for (size_t i = 0; i < order.size(); ++i) {
        lines[order[i]].next = order[(i + 1) % order.size()];
    }
    constexpr size_t kSteps = 1'000'000;
    uint64_t at = 0;
    const double seconds = best_of([&] {
        for (size_t step = 0; step < kSteps; ++step) {
            at = lines[at].next;
        }
        return at;
    });
    return seconds / kSteps * 1e9;
}

double random_block_ns(std::span<const Line> lines, size_t block_bytes) {
    const size_t block_lines = block_bytes / kLine;
    const size_t blocks = std::min<size_t>(2'000'000, kBytes / block_bytes) / kBlocksAhead * kBlocksAhead;
    std::mt19937_64 random(2);
    std::vector<uint32_t> starts(blocks);
    for (uint32_t& start : starts) {
        start = static_cast<uint32_t>(random() % (lines.size() / block_lines) * block_lines);
    }
    const double seconds = best_of([&] {
        uint64_t sum = 0;
        for (size_t first = 0; first < blocks; first += kBlocksAhead) {
            const auto batch = std::span(starts).subspan(first, kBlocksAhead);
            for (const uint32_t start : batch) {
                for (size_t i = 0; i < std::min(block_lines, kLinesAhead); ++i) {
                    __builtin_prefetch(&lines[start + i]);
                }
            }
            for (const uint32_t start : batch) {
                for (size_t i = 0; i < block_lines; ++i) {
                    sum += lines[start + i].next;
                }
            }
        }
        return sum;
    });
    return seconds / static_cast<double>(blocks) * 1e9;
}

constexpr std::array<size_t, 4> kChaseBytes{256 << 10, 8 << 20, 128 << 20, kBytes};
constexpr std::array<size_t, 5> kBlockBytes{64, 128, 256, 768, 3072};

struct Figures {
    uint64_t large_pages_mib = 0;  // of the 1 GiB: the system need not give what is asked for
    double sequential = 0;
    std::array<double, kChaseBytes.size()> chase{};
    std::array<double, kBlockBytes.size()> block{};
};

uint64_t held_large_pages_mib() {
    std::ifstream rollup("/proc/self/smaps_rollup");
    for (std::string line; std::getline(rollup, line);) {
        if (line.starts_with("AnonHugePages:")) {
            return std::stoull(line.substr(line.find(':') + 1)) / 1024;
        }
    }
    return 0;
}

Figures measure(Pages::Size size) {
    const Pages pages(kBytes, size);
    if (size == Pages::Size::kSmall) {
        madvise(pages.data(), kBytes, MADV_NOHUGEPAGE);  // where large pages are everybody's default
    }
    const std::span<Line> lines(static_cast<Line*>(pages.data()), kBytes / kLine);
    for (size_t i = 0; i < lines.size(); ++i) {
        lines[i].next = i;
    }
    Figures figures;
    figures.large_pages_mib = held_large_pages_mib();
    figures.sequential = sequential_gb_per_second(lines);
    for (size_t i = 0; i < kBlockBytes.size(); ++i) {
        figures.block[i] = random_block_ns(lines, kBlockBytes[i]);
    }
    for (size_t i = 0; i < kChaseBytes.size(); ++i) {
        figures.chase[i] = dependent_load_ns(lines.first(kChaseBytes[i] / kLine));
    }
    return figures;
}

std::string size_name(size_t bytes) {
    if (bytes >= (size_t{1} << 30)) {
        return fmt::format("{} GiB", bytes >> 30);
    }
    return bytes >= (1 << 20) ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} KiB", bytes >> 10);
}

void print_row(const std::string& what, double small, double large) {
    fmt::print("{:<38}{:>10.1f}{:>10.1f}\n", what, small, large);
}

void print_all() {
    std::string mode;
    std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), mode);
    const Figures small = measure(Pages::Size::kSmall);
    const Figures large = measure(Pages::Size::kLarge);
    fmt::print("one thread, best of {}; transparent huge pages: {}\n", kPasses, mode);
    fmt::print("{:<38}{:>10}{:>10}\n", "", "4 KiB", "2 MiB");
    fmt::print("{:<38}{:>10}{:>10}\n", "of 1024 MiB in large pages", small.large_pages_mib,
               large.large_pages_mib);
    print_row("sequential read, GB/s", small.sequential, large.sequential);
    for (size_t i = 0; i < kChaseBytes.size(); ++i) {
        print_row(fmt::format("dependent load within {}, ns", size_name(kChaseBytes[i])), small.chase[i],
                  large.chase[i]);
    }
    for (size_t i = 0; i < kBlockBytes.size(); ++i) {
        print_row(fmt::format("random blocks of {} B, ns each", kBlockBytes[i]), small.block[i],
                  large.block[i]);
    }
}

}  // namespace
}  // namespace akidb::bench

int main() {
    akidb::bench::print_all();
    return 0;
}
