#include "sim/simulation.h"

#include <memory>

#include "sim/image_check.h"

namespace akidb::sim {
namespace {

class Run {
  public:
    explicit Run(const SimulationOptions& options)
        : options_(options),
          sizes_(options.script.empty() ? Sizes::kSmall : Sizes::kTiny),
          dice_(options.seed),
          disk_(options.seed),
          files_(disk_, options.mistake) {
        catalog_.seed = options.seed;
        catalog_.metadata_indexes = stamp_index();
    }

    SimulationReport go() {
        if (!prepare()) {
            return report_;
        }
        begin_ = disk_.calls();
        disk_.forget_log();
        if (options_.fault) {
            disk_.fail_call(begin_ + options_.fault->call, options_.fault->fault, options_.fault->sticky);
        }
        options_.kill_at_call ? plan_kill() : void();
        if (options_.crashes) {
            disk_.before_each_call([this](uint64_t call, Verb verb) { imagine_crash(call, verb); });
        }
        const size_t steps = options_.script.empty() ? options_.operations : options_.script.size();
        for (size_t i = 0; i < steps && report_.violations.size() < kViolationsMax && is_going_on_; ++i) {
            is_last_step_ = i + 1 == steps && !options_.kill_at_call;
            options_.script.empty() ? random_step() : step(options_.script[i]);
            if (options_.kill_at_call && disk_.power_is_off()) {
                is_last_step_ = true;
                start_after_kill();
                break;
            }
        }
        if (options_.kill_at_call && !is_last_step_) {
            violation("the planned kill never came");
        }
        disk_.before_each_call(nullptr);
        report_.history = disk_.log();
        if (options_.fault) {
            after_fault();
        }
        report_.calls = disk_.calls();
        report_.faults = disk_.faults_hit();
        report_.images = counts_.images;
        report_.second_crashes = counts_.second_crashes;
        report_.checkpoints_seen = counts_.with_manifest;
        return report_;
    }

  private:
    void violation(const std::string& what) {
        std::string text = "seed " + std::to_string(options_.seed);
        if (!options_.script.empty()) {
            text += " [" + describe(options_.script) + "]";
        }
        if (options_.fault) {
            text += std::string(options_.fault->sticky ? ", sticky " : ", ") +
                    name_of(options_.fault->fault) + " at " + std::to_string(options_.fault->call);
        }
        report_.violations.push_back(text + ", call " + std::to_string(disk_.calls()) + ": " + what);
    }

    void plan_kill() { disk_.crash_after(begin_ + *options_.kill_at_call); }

    bool prepare() {
        const Result<void> root = disk_.make_directory(std::string(kRoot));
        const Result<void> synced = disk_.sync_directory("/");
        const Result<void> made =
            engine::Collection::create(files_, std::string(kRoot), catalog_.directory());
        if (!root.has_value() || !synced.has_value() || !made.has_value()) {
            violation("the empty collection could not be made");
            return false;
        }
        if (!open() || options_.script.empty()) {
            return collection_ != nullptr;
        }
        for (const Operation& operation : prologue(dice_, next_stamp_, catalog_.now_ms)) {
            write(operation);
        }
        // Half of the scripts begin with everything in the log, half with a manifest.
        if (dice_.coin()) {
            step(Step::kMaintain);
        }
        return true;
    }

    bool open() {
        collection_.reset();
        machine_ = std::make_unique<Machine>(dice_.next());
        auto opened = machine_->open(files_, metrics_, catalog_, sizes_);
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

    void random_step() {
        if (disk_.power_is_off()) {
            return start_after_kill();
        }
        const uint64_t kind = dice_.below(64);
        if (kind < 39) {
            write(random_operation(dice_, next_stamp_, catalog_.now_ms));
        } else if (kind < 42) {
            disk_.crash_after(disk_.calls() + dice_.below(60));
        } else if (kind < 55) {
            step(Step::kRunJob);
        } else if (kind < 57) {
            step(Step::kPassTime);
        } else if (kind < 60) {
            check("while running");
            dice_.coin() ? send_again("while running") : void();
        } else if (kind < 62) {
            step(Step::kRestart);
        } else if (kind < 63) {
            step(Step::kDeclareIndex);
        } else {
            step(dice_.one_in(4) ? Step::kDropAndCreate : dice_.coin() ? Step::kRewrite : Step::kMaintain);
        }
    }

    void step(Step step) {
        switch (step) {
            case Step::kMaintain: {
                const Result<void> done = collection_->run_maintenance_now();
                static_cast<void>(done.has_value());  // what fails in it poisons, and the next write tells
                return;
            }
            case Step::kRunJob:
                machine_->executor.run_one();
                return;
            case Step::kDeclareIndex:
                catalog_.metadata_indexes =
                    catalog_.metadata_indexes.empty() ? stamp_index() : std::vector<model::MetadataField>();
                collection_->declare_metadata_indexes(catalog_.metadata_indexes);
                return;
            case Step::kRewrite:
                return rewrite();
            case Step::kPassTime:
                return pass_time();
            case Step::kRestart:
                return restart();
            case Step::kKill:
                return start_after_kill();
            case Step::kDropAndCreate:
                return drop_and_create();
            default:
                return write(operation_of(step, oracle_.state(), dice_, next_stamp_, catalog_.now_ms));
        }
    }

    void pass_time() {
        catalog_.now_ms += kPassedMs;
        machine_->clock.advance_us(kPassedMs * 1'000);
        oracle_.set_now(catalog_.now_ms);
        if (collection_ != nullptr) {
            collection_->tend();
        }
    }

    void rewrite() {
        const auto done = collection_->rewrite();
        if (!done.has_value() && !disk_.power_is_off() && !options_.fault) {
            violation("a rewrite failed: " + done.error().message());
        }
    }

    void write(const Operation& operation) {
        in_flight_ = &operation;
        const auto reply = perform(operation, *collection_);
        in_flight_ = nullptr;
        if (reply.has_value()) {
            ++report_.acknowledged;
            oracle_.acknowledged(operation);
            retries_.acknowledged(operation, *reply);
        } else if (disk_.power_is_off()) {
            oracle_.unknown(operation);
            retries_.unknown(operation);
        } else if (!options_.fault) {
            violation("a write was refused: " + reply.error().message());
        } else if (reply.error().code() == Code::kUnavailable &&
                   reply.error().message().starts_with("outcome unknown")) {
            oracle_.unknown(operation);
            retries_.unknown(operation);
        }
        // Any other error is a refusal: the operation must leave no trace.
    }

    /// kill -9 without a power cut: the next process sees what the last one wrote, durable or not.
    void start_after_kill() {
        collection_.reset();
        const bool was_dead = disk_.power_is_off();
        disk_.revive();
        options_.kill_at_call && !was_dead ? plan_kill() : void();  // the script's own came first
        if (!catalog_.has_collection) {
            return create_again();
        }
        is_going_on_ = open();
        if (collection_ != nullptr) {
            check_and_settle("after a kill");
        }
    }

    /// From here on only the state that was found is right: it is visible, so it must stay.
    void check_and_settle(const std::string& when) {
        Dice dice(dice_.next());
        if (std::string wrong = oracle_.check(*collection_, dice); !wrong.empty()) {
            return violation(when + ": " + wrong);
        }
        send_again(when);
    }

    void send_again(const std::string& when) {
        if (disk_.power_is_off() || options_.fault) {
            return;  // what is sent may be refused
        }
        Retries retries = retries_;
        Oracle settled = oracle_;
        in_flight_ = retries_.pending() ? &*retries_.pending() : nullptr;
        const std::string wrong = retries.check(*collection_, settled);
        in_flight_ = nullptr;
        if (disk_.power_is_off()) {  // in the middle of it
            return retries_.pending() ? oracle_.unknown(*retries_.pending()) : void();
        }
        if (!wrong.empty()) {
            violation(when + ": " + wrong);
        }
        retries_ = std::move(retries);
        oracle_ = std::move(settled);
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

    /// The catalog forgets the collection first; then its files go, at the latest with the next start.
    void drop_and_create() {
        catalog_.has_collection = false;
        const Result<void> closed = collection_->close(false);
        static_cast<void>(closed.has_value());  // nothing of it is wanted any more
        collection_.reset();
        const Result<void> removed = io::remove_tree(files_, std::string(kRoot), catalog_.name());
        if (disk_.power_is_off()) {
            return;
        }
        if (!removed.has_value() && !options_.fault) {
            is_going_on_ = false;
            return violation("a drop failed: " + removed.error().message());
        }
        create_again();
    }

    void create_again() {
        Catalog next = catalog_;
        next.has_collection = true;
        ++next.incarnation;
        const Result<void> cleared = remove_what_the_catalog_lacks(files_, catalog_);
        const Result<void> made =
            cleared.has_value() ? engine::Collection::create(files_, std::string(kRoot), next.directory())
                                : cleared;
        if (disk_.power_is_off()) {
            return;
        }
        if (!made.has_value()) {
            is_going_on_ = false;
            return options_.fault ? void() : violation("a create failed: " + made.error().message());
        }
        catalog_ = next;
        oracle_ = Oracle();
        oracle_.set_now(catalog_.now_ms);
        retries_ = Retries();
        is_going_on_ = open();
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

    Expectation expectation() const {
        Expectation expected{catalog_, oracle_, retries_};
        if (in_flight_ != nullptr) {
            expected.oracle.unknown(*in_flight_);
            expected.retries.unknown(*in_flight_);
        }
        return expected;
    }

    void imagine_crash(uint64_t call, Verb verb) {
        if (!mutates(verb) || is_imagining_ || report_.violations.size() >= kViolationsMax ||
            (options_.crashes_last_step_only && !is_last_step_)) {
            return;
        }
        Dice dice(options_.seed * 1'000'003 + call);
        if (!dice.one_in(options_.crash_one_in)) {
            return;
        }
        is_imagining_ = true;
        const Expectation expected = expectation();
        const size_t with_second = dice.below(std::size(kCrashModels));
        for (size_t i = 0; i < std::size(kCrashModels); ++i) {
            const std::unique_ptr<SimFileSystem> image = disk_.crash_image(kCrashModels[i], dice.next());
            const std::string when = std::string("after a crash (") + name_of(kCrashModels[i]) + "): ";
            ImageCheck checking(sizes_, scratch_metrics_, counts_, dice.next());
            if (i == with_second) {
                report(when, checking.check_second_crash(*image, expected));
            }
            report(when, checking.check(*image, expected));
        }
        is_imagining_ = false;
    }

    void report(const std::string& when, const std::string& wrong) {
        if (!wrong.empty()) {
            violation(when + wrong);
        }
    }

    /// The process ends (exit 74) and the disk is healthy again: nothing acknowledged may be lost, nothing
    /// refused there.
    void after_fault() {
        if (collection_ != nullptr && is_going_on_) {
            check("after an I/O fault, before the restart");
        }
        collection_.reset();
        disk_.clear_faults();
        Dice dice(dice_.next());
        for (const CrashModel model :
             {CrashModel::kAllKept, kCrashModels[dice.below(std::size(kCrashModels))]}) {
            const std::unique_ptr<SimFileSystem> image = disk_.crash_image(model, dice.next());
            ImageCheck checking(sizes_, scratch_metrics_, counts_, dice.next());
            report(std::string("after a fault and a crash (") + name_of(model) + "): ",
                   checking.check(*image, expectation()));
        }
    }

    const SimulationOptions options_;
    const Sizes sizes_;
    Dice dice_;
    SimFileSystem disk_;
    BrokenOrder files_;
    telemetry::Metrics metrics_;
    telemetry::Metrics scratch_metrics_;
    Catalog catalog_;
    std::unique_ptr<Machine> machine_;
    std::shared_ptr<engine::Collection> collection_;
    Oracle oracle_;
    Retries retries_;
    const Operation* in_flight_ = nullptr;
    int64_t next_stamp_ = 1;
    uint64_t begin_ = 0;  // calls to the disk before the history
    bool is_imagining_ = false;
    bool is_last_step_ = false;
    bool is_going_on_ = true;
    ImageCounts counts_;
    SimulationReport report_;
};

}  // namespace

SimulationReport run_simulation(const SimulationOptions& options) {
    return Run(options).go();
}

}  // namespace akidb::sim
