#include "sim/simulation.h"

#include <algorithm>
#include <memory>

#include "io/random.h"
#include "sim/oracle.h"
#include "sim/sim_clock.h"
#include "sim/sim_executor.h"

namespace akidb::sim {
namespace {

constexpr std::string_view kRoot = "/data";
constexpr std::string_view kHome = "/data/c";
constexpr size_t kViolationsMax = 20;

engine::CollectionOptions small_options() {
    engine::CollectionOptions options;
    options.graph_rows_min = 60;
    options.graph.degree = 16;
    options.graph.build_ef = 32;
    options.default_ef = 64;
    options.checkpoint_log_bytes = 4 << 10;
    options.checkpoint_linked_rows = 40;
    options.maintenance_slice_rows = 16;
    options.rewrite_dead_rows_min = 24;
    options.rewrite_file_bytes = 1;
    options.log.file_bytes = 8 << 10;
    options.log.preallocate_bytes_min = 2 << 10;
    options.log.preallocate_bytes_max = 4 << 10;
    return options;
}

model::CollectionSpec spec_of(uint64_t seed) {
    model::CollectionSpec spec;
    spec.id = make_uuid_v7(1, seed, seed);
    spec.name = "simulated";
    spec.dimension = kDimension;
    spec.metric = model::Metric::kL2;
    // What deletes by filter select (oracle.cc): by the index where it reaches, by the rows beyond.
    spec.metadata_indexes = {{"stamp", model::MetadataIndexType::kInteger}};
    return spec;
}

const char* name_of(CrashModel model) {
    switch (model) {
        case CrashModel::kAllUnsyncedLost:
            return "all unsynced lost";
        case CrashModel::kAllKept:
            return "all kept";
        case CrashModel::kPrefixPerFile:
            return "prefix per file";
        case CrashModel::kRandomSectors:
            return "random sectors";
        case CrashModel::kTornLastPage:
            return "torn last page";
        case CrashModel::kReorderedNames:
            return "reordered names";
        case CrashModel::kGrownButZero:
            return "grown but zero";
    }
    return "?";
}

/// What a collection needs besides its files, made anew for every opening.
struct Machine {
    explicit Machine(uint64_t seed) : executor(seed) {}
    SimClock clock;
    SimExecutor executor;
    NullLogger logger;

    Result<std::shared_ptr<engine::Collection>> open(io::FileSystem& files, telemetry::Metrics& metrics,
                                                     uint64_t seed) {
        return engine::Collection::open({files, clock, executor, logger, metrics}, std::string(kHome),
                                        spec_of(seed), small_options());
    }
};

class Run {
  public:
    explicit Run(const SimulationOptions& options)
        : options_(options), dice_(options.seed), disk_(options.seed), files_(disk_, options.mistake) {}

    SimulationReport go() {
        if (!prepare()) {
            return report_;
        }
        if (options_.fault) {
            disk_.fail_call(disk_.calls() + options_.fault->call, options_.fault->fault,
                            options_.fault->sticky);
        }
        if (options_.crashes) {
            disk_.before_each_call([this](uint64_t call, Verb verb) { imagine_crash(call, verb); });
        }
        for (uint32_t i = 0;
             i < options_.operations && report_.violations.size() < kViolationsMax && is_going_on_; ++i) {
            step();
        }
        disk_.before_each_call(nullptr);
        if (options_.fault) {
            after_fault();
        }
        report_.calls = disk_.calls();
        report_.faults = disk_.faults_hit();
        return report_;
    }

  private:
    void violation(const std::string& what) {
        report_.violations.push_back("seed " + std::to_string(options_.seed) + ", call " +
                                     std::to_string(disk_.calls()) + ": " + what);
    }

    bool prepare() {
        const Result<void> root = disk_.make_directory(std::string(kRoot));
        const Result<void> synced = disk_.sync_directory("/");
        const Result<void> made = engine::Collection::create(disk_, std::string(kRoot), std::string(kHome));
        if (!root.has_value() || !synced.has_value() || !made.has_value()) {
            violation("the empty collection could not be made");
            return false;
        }
        return open();
    }

    bool open() {
        collection_.reset();
        machine_ = std::make_unique<Machine>(dice_.next());
        auto opened = machine_->open(files_, metrics_, options_.seed);
        if (!opened.has_value()) {
            if (disk_.power_is_off()) {
                return true;  // killed while opening: the next step starts again
            }
            if (!options_.fault) {
                violation("open failed: " + opened.error().message());
            }
            return false;
        }
        collection_ = std::move(opened).value();
        return true;
    }

    void step() {
        if (disk_.power_is_off()) {
            return start_after_kill();
        }
        const uint64_t kind = dice_.below(21);
        if (kind < 13) {
            write();
        } else if (kind == 20) {
            disk_.crash_after(disk_.calls() + dice_.below(60));
        } else if (kind < 18) {
            machine_->executor.run_one();
        } else if (kind < 19) {
            check("while running");
        } else {
            restart();
        }
    }

    void write() {
        const Operation operation = random_operation(dice_, next_stamp_);
        in_flight_ = &operation;
        const auto reply = perform(operation, *collection_);
        in_flight_ = nullptr;
        if (reply.has_value()) {
            ++report_.acknowledged;
            oracle_.acknowledged(operation);
        } else if (disk_.power_is_off()) {
            oracle_.unknown(operation);
        } else if (!options_.fault) {
            violation("a write was refused: " + reply.error().message());
        } else if (reply.error().code() == Code::kUnavailable &&
                   reply.error().message().starts_with("outcome unknown")) {
            oracle_.unknown(operation);
        }
        // Any other error is a refusal: the operation must leave no trace.
    }

    /// kill -9 without a power cut: the next process sees what the last one wrote, durable or not.
    void start_after_kill() {
        collection_.reset();
        disk_.revive();
        is_going_on_ = open();
        if (collection_ != nullptr) {
            check_and_settle("after a kill");
        }
    }

    /// From here on only the state that was found is right: it is visible, so it must stay.
    void check_and_settle(const std::string& when) {
        Dice dice(dice_.next());
        if (std::string wrong = oracle_.check(*collection_, dice); !wrong.empty()) {
            violation(when + ": " + wrong);
        }
    }

    void restart() {
        const bool with_checkpoint = dice_.coin();
        const Result<void> closed = collection_->close(with_checkpoint);
        if (disk_.power_is_off()) {
            return;
        }
        if (!closed.has_value() && !options_.fault) {
            violation("close failed: " + closed.error().message());
        }
        is_going_on_ = open();
        if (collection_ != nullptr) {
            check_and_settle("after an orderly restart");
        }
    }

    void check(const std::string& when) {
        Oracle asked = oracle_;
        Dice dice(dice_.next());
        // While the power is on, what is visible may not differ from what was acknowledged; after a failed
        // sync the written-but-unknown operation is not visible, so the states before it are still among the
        // allowed ones.
        if (std::string wrong = asked.check(*collection_, dice); !wrong.empty()) {
            violation(when + ": " + wrong);
        }
    }

    void imagine_crash(uint64_t call, Verb verb) {
        if (!mutates(verb) || is_imagining_ || report_.violations.size() >= kViolationsMax) {
            return;
        }
        Dice dice(options_.seed * 1'000'003 + call);
        if (!dice.one_in(options_.crash_one_in)) {
            return;
        }
        is_imagining_ = true;
        for (const CrashModel model : kCrashModels) {
            std::unique_ptr<SimFileSystem> image = disk_.crash_image(model, dice.next());
            check_image(*image, model, dice, true);
        }
        is_imagining_ = false;
    }

    /// Opens what a crash left and asks everything; then writes on, stops and starts once more.
    void check_image(SimFileSystem& image, CrashModel model, Dice& dice, bool may_crash_again) {
        ++report_.images;
        const std::string when = std::string("after a crash (") + name_of(model) + ")";
        if (may_crash_again && dice.one_in(3)) {
            crash_inside_recovery(image, dice);
        }
        Machine machine(dice.next());
        auto opened = machine.open(image, scratch_metrics_, options_.seed);
        if (!opened.has_value()) {
            return violation(when + ": open failed: " + opened.error().message());
        }
        report_.checkpoints_seen += (*opened)->stats().covered_sequence > 0 ? 1 : 0;
        Oracle oracle = oracle_;
        if (in_flight_ != nullptr) {
            oracle.unknown(*in_flight_);
        }
        std::string wrong = oracle.check(**opened, dice);
        if (wrong.empty() && dice.one_in(4)) {
            wrong = live_on(image, machine, *opened, oracle, dice);
        }
        if (!wrong.empty()) {
            violation(when + ": " + wrong);
        }
    }

    std::string live_on(SimFileSystem& image, Machine& machine,
                        std::shared_ptr<engine::Collection>& collection, Oracle& oracle, Dice& dice) {
        int64_t stamp = 1'000'000;
        for (int i = 0; i < 3; ++i) {
            const Operation operation = random_operation(dice, stamp);
            if (auto reply = perform(operation, *collection); !reply.has_value()) {
                return "a write after recovery was refused: " + reply.error().message();
            }
            oracle.acknowledged(operation);
            machine.executor.run_one();
        }
        if (dice.coin()) {
            if (auto closed = collection->close(dice.coin()); !closed.has_value()) {
                return "close after recovery failed: " + closed.error().message();
            }
        }
        collection.reset();
        auto again = machine.open(image, scratch_metrics_, options_.seed);
        if (!again.has_value()) {
            return "the second opening failed: " + again.error().message();
        }
        const std::string wrong = oracle.check(**again, dice);
        return wrong.empty() ? wrong : "at the second opening: " + wrong;
    }

    void crash_inside_recovery(const SimFileSystem& image, Dice& dice) {
        const std::unique_ptr<SimFileSystem> first = image.crash_image(CrashModel::kAllKept, dice.next());
        first->crash_after(first->calls() + dice.below(30));
        {
            Machine machine(dice.next());
            const auto opened = machine.open(*first, scratch_metrics_, options_.seed);
            static_cast<void>(opened.has_value());  // either way the power goes off
        }
        const CrashModel model = kCrashModels[dice.below(std::size(kCrashModels))];
        std::unique_ptr<SimFileSystem> second = first->crash_image(model, dice.next());
        check_image(*second, model, dice, false);
    }

    /// The process ends (exit 74) and the disk is healthy again: nothing acknowledged may be lost, nothing
    /// refused there.
    void after_fault() {
        if (collection_ != nullptr) {
            check("after an I/O fault, before the restart");
        }
        collection_.reset();
        disk_.clear_faults();
        Dice dice(dice_.next());
        for (const CrashModel model :
             {CrashModel::kAllKept, CrashModel::kAllUnsyncedLost, CrashModel::kRandomSectors}) {
            std::unique_ptr<SimFileSystem> image = disk_.crash_image(model, dice.next());
            check_image(*image, model, dice, false);
        }
    }

    const SimulationOptions options_;
    Dice dice_;
    SimFileSystem disk_;
    BrokenOrder files_;
    telemetry::Metrics metrics_;
    telemetry::Metrics scratch_metrics_;
    std::unique_ptr<Machine> machine_;
    std::shared_ptr<engine::Collection> collection_;
    Oracle oracle_;
    const Operation* in_flight_ = nullptr;
    int64_t next_stamp_ = 1;
    bool is_imagining_ = false;
    bool is_going_on_ = true;
    SimulationReport report_;
};

}  // namespace

SimulationReport run_simulation(const SimulationOptions& options) {
    return Run(options).go();
}

}  // namespace akidb::sim
