// akidb_sim: the simulator from the command line. Prints what it did and every violation with its seed; ends
// with 1 when there was one. `akidb_sim --seed S` replays one history exactly.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/campaign.h"

namespace {

constexpr std::string_view kUsage =
    "usage: akidb_sim [--images N] [--faults N] [--mistakes] [--first-seed S] [--seed S]\n"
    "  --images N      crash images to open and check (default 2000)\n"
    "  --faults N      I/O faults to inject, one a history (default 300)\n"
    "  --mistakes      also show that each deliberate mistake is caught\n"
    "  --first-seed S  seeds count up from here (default 1)\n"
    "  --seed S        one history: every crash point of this seed\n";

int print(const akidb::sim::CampaignReport& report) {
    fmt::print(
        "{} histories, {} disk calls, {} acknowledged writes, {} crash images ({} with a manifest), {} I/O "
        "faults, "
        "{} violations\n",
        report.histories, report.calls, report.acknowledged, report.images, report.images_with_manifest,
        report.faults, report.violations.size());
    for (const std::string& violation : report.violations) {
        fmt::print("VIOLATION {}\n", violation);
    }
    return report.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    uint64_t images = 2000;
    uint64_t faults = 300;
    uint64_t first_seed = 1;
    bool shows_mistakes = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const bool has_value = i + 1 < argc;
        if (word == "--mistakes") {
            shows_mistakes = true;
        } else if (word == "--images" && has_value) {
            images = std::strtoull(argv[++i], nullptr, 10);
        } else if (word == "--faults" && has_value) {
            faults = std::strtoull(argv[++i], nullptr, 10);
        } else if (word == "--first-seed" && has_value) {
            first_seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (word == "--seed" && has_value) {
            return print(akidb::sim::replay(std::strtoull(argv[++i], nullptr, 10)));
        } else {
            fmt::print("{}", kUsage);
            return word == "--help" ? 0 : 64;
        }
    }
    int exit_code = print(akidb::sim::crash_campaign(first_seed, images));
    if (faults > 0) {
        exit_code |= print(akidb::sim::fault_campaign(first_seed, faults));
    }
    if (shows_mistakes) {
        for (const akidb::sim::Mistake mistake : akidb::sim::kMistakes) {
            const std::string found = akidb::sim::first_violation_of(mistake, first_seed);
            fmt::print("mistake \"{}\": {}\n", akidb::sim::name_of(mistake),
                       found.empty() ? "NOT CAUGHT" : "caught: " + found);
            exit_code |= found.empty() ? 1 : 0;
        }
    }
    return exit_code;
}
