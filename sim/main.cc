// akidb_sim: the simulator from the command line. Prints what it did and every violation with its seed; ends
// with 1 when there was one. `akidb_sim --seed S` replays one history exactly.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "sim/campaign.h"
#include "sim/model.h"
#include "sim/object_history.h"
#include "sim/reliability_ledger.h"
#include "sim/rot.h"

namespace {

using akidb::sim::CampaignReport;

constexpr std::string_view kUsage =
    "usage: akidb_sim [--images N] [--faults N] [--exhaustive N] [--exhaustive-kills N]\n"
    "                 [--exhaustive-faults N] [--mistakes] …\n"
    "  --images N             crash images of random histories to open and check (default 2000)\n"
    "  --faults N             I/O faults to inject into random histories, one each (default 300)\n"
    "  --exhaustive N         all scripts of 1 to N operations, crashed at every call that changes the disk\n"
    "  --exhaustive-kills N   all scripts of 1 to N operations, killed at every call that changes the disk, "
    "and\n"
    "                         the start that follows crashed at every one\n"
    "  --exhaustive-faults N  all scripts of 1 to N operations, every fault at every call that can have it\n"
    "  --model N              operations on a graph, a flat scan and a map, which must agree\n"
    "  --rot N                flipped bits at rest under running collections, each followed by a scrub\n"
    "  --objects N            histories with backups, an archived log and tiers in a store that misbehaves, "
    "and a\n"
    "                         machine that dies; one alone again: --objects 1 --first-seed S\n"
    "  --stride K             of the exhaustive ones every K-th (default 1)\n"
    "  --mistakes             also show that each deliberate mistake is caught\n"
    "  --ledger FILE          append a line for each campaign; --commit C names the commit in it\n"
    "  --first-seed S         seeds count up from here (default 1)\n"
    "  --seed S               one history: every crash point of this seed\n"
    "With an exhaustive campaign, a model, rot or objects, --images and --faults default to 0.\n";

/// Where runs are written down; nowhere without --ledger.
struct Ledger {
    std::string path;
    std::string commit = "unknown";
    std::string seeds;
};

/// The exit code.
int write_down(const Ledger& ledger, akidb::sim::LedgerLine line) {
    line.commit = ledger.commit;
    if (!ledger.path.empty() && !akidb::sim::append_to_ledger(ledger.path, line)) {
        fmt::print("cannot write to {}\n", ledger.path);
        return 1;
    }
    return line.violations == 0 ? 0 : 1;
}

int print(const Ledger& ledger, std::string_view what, const CampaignReport& report) {
    fmt::print(
        "{}: {} histories, {} disk calls, {} acknowledged writes, {} crash images ({} with a manifest, {} "
        "second crashes), {} I/O faults, {} violations\n",
        what, report.histories, report.calls, report.acknowledged, report.images, report.images_with_manifest,
        report.second_crashes, report.faults, report.violations.size());
    for (const std::string& violation : report.violations) {
        fmt::print("VIOLATION {}\n", violation);
    }
    return write_down(ledger, {.program = fmt::format("sim {}", what),
                               .seeds = fmt::format("{} histories from {}", report.histories, ledger.seeds),
                               .images = report.images,
                               .faults = report.faults,
                               .operations = report.acknowledged,
                               .violations = report.violations.size()});
}

int print_model(const Ledger& ledger, const akidb::sim::ModelReport& report) {
    fmt::print("model: {} operations, {} restarts, {} searches compared ({} on a graph), {} violations\n",
               report.operations, report.restarts, report.searches, report.searches_on_graph,
               report.violations.size());
    for (const std::string& violation : report.violations) {
        fmt::print("VIOLATION {}\n", violation);
    }
    return write_down(ledger, {.program = "sim model",
                               .seeds = fmt::format("from {}", ledger.seeds),
                               .operations = report.operations,
                               .violations = report.violations.size()});
}

int print_objects(const Ledger& ledger, const akidb::sim::ObjectCounts& counts) {
    fmt::print(
        "objects: {} histories, {} steps, {} deaths ({} in a start), {} acknowledged writes, {} backups, {} "
        "rounds "
        "of the archive, {} prunes, {} verified, {} restored and compared ({} to a point), {} refused after "
        "{} "
        "damages, {} gone cold, {} searched there, {} fetched back, {} erased, {} requests, {} faults, {} "
        "violations\n",
        counts.histories, counts.steps, counts.deaths, counts.deaths_in_start, counts.acknowledged,
        counts.backups, counts.archived, counts.prunes, counts.verified, counts.restored, counts.points,
        counts.refused, counts.damaged, counts.cold, counts.searched, counts.fetched, counts.erased,
        counts.requests, counts.fault_count(), counts.violations.size());
    for (size_t i = 0; i < counts.faults.size(); ++i) {
        fmt::print("  {}: {}\n", akidb::sim::name_of(static_cast<akidb::sim::ObjectFault>(i)),
                   counts.faults[i]);
    }
    for (const std::string& violation : counts.violations) {
        fmt::print("VIOLATION {}\n", violation);
    }
    return write_down(ledger, {.program = "sim objects",
                               .seeds = fmt::format("{} histories from {}", counts.histories, ledger.seeds),
                               .images = counts.deaths,
                               .faults = counts.fault_count(),
                               .operations = counts.acknowledged,
                               .violations = counts.violations.size()});
}

int print_mistakes(uint64_t first_seed) {
    int exit_code = 0;
    for (const akidb::sim::Mistake mistake : akidb::sim::kMistakes) {
        const std::string found = akidb::sim::first_violation_of(mistake, first_seed);
        fmt::print("mistake \"{}\": {}\n", akidb::sim::name_of(mistake),
                   found.empty() ? "NOT CAUGHT" : "caught: " + found);
        exit_code |= found.empty() ? 1 : 0;
    }
    return exit_code;
}

using Numbers = std::map<std::string_view, uint64_t>;

int run(const Numbers& asked, Ledger ledger, bool shows_mistakes) {
    const bool is_special = asked.contains("--exhaustive") || asked.contains("--exhaustive-kills") ||
                            asked.contains("--exhaustive-faults") || asked.contains("--model") ||
                            asked.contains("--rot") || asked.contains("--objects");
    const auto number = [&](std::string_view name, uint64_t otherwise) {
        const auto found = asked.find(name);
        return found == asked.end() ? otherwise : found->second;
    };
    if (asked.contains("--seed")) {
        return print(ledger, "replay", akidb::sim::replay(asked.at("--seed")));
    }
    const uint64_t first_seed = number("--first-seed", 1);
    ledger.seeds = fmt::format("{}", first_seed);
    const uint64_t images = number("--images", is_special ? 0 : 2000);
    const uint64_t faults = number("--faults", is_special ? 0 : 300);
    int exit_code = 0;
    if (images > 0) {
        exit_code |= print(ledger, "crashes", akidb::sim::crash_campaign(first_seed, images));
    }
    if (faults > 0) {
        exit_code |= print(ledger, "faults", akidb::sim::fault_campaign(first_seed, faults));
    }
    const uint64_t stride = std::max<uint64_t>(number("--stride", 1), 1);
    if (const uint64_t steps = number("--exhaustive", 0); steps > 0) {
        exit_code |=
            print(ledger, "exhaustive crashes", akidb::sim::exhaustive_crashes(first_seed, steps, stride));
    }
    if (const uint64_t steps = number("--exhaustive-kills", 0); steps > 0) {
        exit_code |=
            print(ledger, "exhaustive kills", akidb::sim::exhaustive_kills(first_seed, steps, stride));
    }
    if (const uint64_t steps = number("--exhaustive-faults", 0); steps > 0) {
        exit_code |=
            print(ledger, "exhaustive faults", akidb::sim::exhaustive_faults(first_seed, steps, stride));
    }
    if (const uint64_t operations = number("--model", 0); operations > 0) {
        exit_code |= print_model(ledger, akidb::sim::run_model(first_seed, operations));
    }
    if (const uint64_t flips = number("--rot", 0); flips > 0) {
        exit_code |= print(ledger, "rot", akidb::sim::rot_campaign(first_seed, flips));
    }
    if (const uint64_t histories = number("--objects", 0); histories > 0) {
        exit_code |= print_objects(ledger, akidb::sim::object_campaign(first_seed, histories));
    }
    return shows_mistakes ? exit_code | print_mistakes(first_seed) : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view kNumbers[] = {
        "--images",           "--faults", "--first-seed",        "--seed",  "--exhaustive",
        "--exhaustive-kills", "--stride", "--exhaustive-faults", "--model", "--rot",
        "--objects"};
    akidb::sim::keep_freed_memory();
    Numbers asked;
    bool shows_mistakes = false;
    Ledger ledger;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--mistakes") {
            shows_mistakes = true;
        } else if (i + 1 < argc && std::count(std::begin(kNumbers), std::end(kNumbers), word) > 0) {
            asked[word] = std::strtoull(argv[++i], nullptr, 10);
        } else if (i + 1 < argc && word == "--ledger") {
            ledger.path = argv[++i];
        } else if (i + 1 < argc && word == "--commit") {
            ledger.commit = argv[++i];
        } else {
            fmt::print("{}", kUsage);
            return word == "--help" ? 0 : 64;
        }
    }
    return run(asked, ledger, shows_mistakes);
}
