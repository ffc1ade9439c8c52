// akidb_allocations: what if memory runs out? Each case is a process of its own that plays a short script on
// a real directory and whose n-th allocation within one step fails. It may refuse the step, or end (as the
// server does where a write was half-applied: the log has it); afterwards the directory is opened by another
// process, which must find everything that was acknowledged, and nothing else. Prints counts and violations;
// ends with 1 when there was one.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "io/posix_file_system.h"
#include "sim/campaign.h"
#include "sim/failing_new.h"
#include "sim/machine.h"
#include "sim/reliability_ledger.h"
#include "sim/script.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kAllocationsMax = 160;  // some more than a step makes
constexpr int kThrown = 3;
constexpr int kRefused = 4;
constexpr Step kTried[] = {Step::kUpsertNew, Step::kOverwrite,     Step::kBatch,  Step::kReinsert,
                           Step::kDelete,    Step::kMaintain,      Step::kRunJob, Step::kDeclareIndex,
                           Step::kRestart,   Step::kDeleteMatching};

/// One engine on a real directory. All of it can be made again from the seed, so that child and parent agree
/// on what each step writes.
class Player {
  public:
    Player(uint64_t seed, const std::string& directory)
        : dice_(seed), directory_(directory), files_(io::make_posix_file_system()) {
        catalog_.metadata_indexes = stamp_index();
    }

    bool open() {
        collection_.reset();
        machine_ = std::make_unique<Machine>(1);
        auto opened = engine::Collection::open(
            {*files_, machine_->clock, machine_->executor, machine_->logger, metrics_}, directory_ + "/c",
            catalog_.spec(), collection_options(Sizes::kTiny));
        if (opened.has_value()) {
            collection_ = std::move(opened).value();
        }
        return collection_ != nullptr;
    }
    bool create() {
        return engine::Collection::create(*files_, directory_, directory_ + "/c").has_value() && open();
    }
    /// Whether it was acknowledged. The next operation depends only on those before it, done or not.
    bool write(const Operation& operation) { return perform(operation, *collection_).has_value(); }
    bool step(Step step) {
        switch (step) {
            case Step::kMaintain:
                return collection_->run_maintenance_now().has_value();
            case Step::kRunJob:
                return machine_->executor.run_one();
            case Step::kDeclareIndex:
                collection_->declare_metadata_indexes({});
                return true;
            default:
                return collection_->close(true).has_value() && open();  // an exception in it leaves none open
        }
    }
    bool is_open() const { return collection_ != nullptr; }
    engine::Collection& collection() { return *collection_; }

  private:
    Dice dice_;
    std::string directory_;
    std::unique_ptr<io::FileSystem> files_;
    Catalog catalog_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Machine> machine_;
    std::shared_ptr<engine::Collection> collection_;
};

struct Case {
    uint64_t seed = 0;
    Step step = Step::kUpsertNew;
    uint64_t allocation = 0;
};

/// What the script writes: the prologue, the step that memory fails in, and one more afterwards.
std::vector<Operation> operations_of(const Case& tried) {
    Dice dice(tried.seed);
    int64_t stamp = 1;
    std::vector<Operation> operations = prologue(dice, stamp, kSimStartMs);
    State state;
    for (const Operation& operation : operations) {
        sim::apply(operation, state);
    }
    operations.push_back(
        operation_of(is_write(tried.step) ? tried.step : Step::kUpsertNew, state, dice, stamp, kSimStartMs));
    sim::apply(operations.back(), state);
    operations.push_back(operation_of(Step::kOverwrite, state, dice, stamp, kSimStartMs));
    return operations;
}

/// In the child. Tells the parent for each operation whether it was acknowledged (y), refused (n), or ended
/// by an exception (x).
int play(const Case& tried, const std::string& directory, int pipe) {
    const std::vector<Operation> operations = operations_of(tried);
    Player player(tried.seed, directory);
    if (!player.create()) {
        return 1;
    }
    const auto tell = [&](bool done) { return ::write(pipe, done ? "y" : "n", 1) == 1; };
    const auto tell_of_exception = [&] { return ::write(pipe, "x", 1) == 1; };
    for (size_t i = 0; i < operations.size(); ++i) {
        const bool fails_here = i == 2;
        try {
            if (fails_here) {
                fail_allocation_after(tried.allocation);
            }
            if (fails_here && !is_write(tried.step)) {
                static_cast<void>(player.step(tried.step));  // refused or done: the documents are the same
                if (!player.is_open()) {
                    return kRefused;  // the start told an error, and the process ends
                }
            }
            const bool done = player.write(operations[i]);
            fail_allocation_after(UINT64_MAX);
            if (!tell(done)) {
                return 1;
            }
        } catch (
            const std::bad_alloc&) {  // as the server's workers do: one answer is an error, all else goes on
            if (!player.is_open() || !tell_of_exception()) {
                return kThrown;
            }
        }
    }
    return 0;
}

struct Outcome {
    std::string told;
    bool stopped = false;  // by abort, after an allocation failed
    bool thrown = false;
    std::string wrong;
};

Outcome play_in_child(const Case& tried, const std::string& directory) {
    std::array<int, 2> ends{};
    Outcome outcome;
    if (::pipe(ends.data()) != 0) {
        outcome.wrong = "no pipe";
        return outcome;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        static_cast<void>(std::freopen("/dev/null", "w", stderr));  // what terminate says
        ::alarm(3);                                                 // a hang is a violation
        ::_exit(play(tried, directory, ends[1]));
    }
    ::close(ends[1]);
    char answer = 0;
    while (::read(ends[0], &answer, 1) == 1) {
        outcome.told += answer;
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    outcome.stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    const bool gave_up =
        WIFEXITED(status) && (WEXITSTATUS(status) == kThrown || WEXITSTATUS(status) == kRefused);
    outcome.thrown = gave_up || outcome.told.find('x') != std::string::npos;
    const bool finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!finished && !outcome.stopped && !gave_up) {
        outcome.wrong = WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                                            : fmt::format("ended with {}", WEXITSTATUS(status));
    }
    return outcome;
}

std::string check(const Case& tried, const std::string& directory, const std::string& told) {
    const std::vector<Operation> operations = operations_of(tried);
    Oracle oracle;
    for (size_t i = 0; i < operations.size() && i <= told.size(); ++i) {
        if (i == told.size() || told[i] == 'x') {
            oracle.unknown(operations[i]);
        } else if (told[i] == 'y') {
            oracle.acknowledged(operations[i]);
        }
    }
    Player player(tried.seed, directory);
    if (!player.open()) {
        return "it does not open again";
    }
    Dice dice(tried.seed);
    return oracle.check(player.collection(), dice);
}

struct Totals {
    uint64_t cases = 0;
    uint64_t stopped = 0;
    uint64_t thrown = 0;
    std::vector<std::string> violations;
};

Totals run(uint64_t cases, uint64_t first_seed, const std::string& root) {
    Totals totals;
    for (uint64_t i = first_seed; totals.cases < cases && totals.violations.size() < kViolationsMax; ++i) {
        ++totals.cases;
        const Case tried{i, kTried[i % std::size(kTried)], i / std::size(kTried) % kAllocationsMax};
        const std::string directory = root + "/" + std::to_string(i);
        std::filesystem::create_directory(directory);
        Outcome outcome = play_in_child(tried, directory);
        totals.stopped += outcome.stopped ? 1 : 0;
        totals.thrown += outcome.thrown ? 1 : 0;
        if (outcome.wrong.empty()) {
            outcome.wrong = check(tried, directory, outcome.told);
        }
        if (!outcome.wrong.empty()) {
            totals.violations.push_back(fmt::format("case {} ({}, allocation {}): {}", i, name_of(tried.step),
                                                    tried.allocation, outcome.wrong));
        }
        std::filesystem::remove_all(directory);
    }
    return totals;
}

}  // namespace
}  // namespace akidb::sim

int main(int argc, char** argv) {
    uint64_t cases = 1600;
    uint64_t first_seed = 0;
    std::string ledger;
    std::string commit = "unknown";
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view word = argv[i];
        if (word == "--cases") {
            cases = std::strtoull(argv[i + 1], nullptr, 10);
        } else if (word == "--first-seed") {
            first_seed = std::strtoull(argv[i + 1], nullptr, 10);
        } else if (word == "--ledger") {
            ledger = argv[i + 1];
        } else if (word == "--commit") {
            commit = argv[i + 1];
        } else {
            fmt::print("usage: akidb_allocations [--cases N] [--first-seed S] [--ledger FILE --commit C]\n");
            return 64;
        }
    }
    std::string root = std::filesystem::temp_directory_path() / "akidb_allocations_XXXXXX";
    if (::mkdtemp(root.data()) == nullptr) {
        fmt::print("no temporary directory\n");
        return 74;
    }
    const akidb::sim::Totals totals = akidb::sim::run(cases, first_seed, root);
    std::filesystem::remove_all(root);
    fmt::print("allocations: {} cases, {} refused, {} ended in order, {} violations\n", totals.cases,
               totals.thrown, totals.stopped, totals.violations.size());
    for (const std::string& violation : totals.violations) {
        fmt::print("VIOLATION {}\n", violation);
    }
    const bool is_written =
        ledger.empty() || akidb::sim::append_to_ledger(ledger, {.commit = commit,
                                                                .program = "allocations",
                                                                .seeds = fmt::format("from {}", first_seed),
                                                                .faults = totals.cases,
                                                                .violations = totals.violations.size()});
    return totals.violations.empty() && is_written ? 0 : 1;
}
