#include "sim/rot.h"

#include <memory>

#include "sim/machine.h"
#include "sim/oracle.h"
#include "sim/simulation.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kOperations = 30;

class RotRun {
  public:
    explicit RotRun(uint64_t seed) : dice_(seed), disk_(seed) { catalog_.seed = seed; }

    /// What is wrong; empty when nothing is.
    std::string go() {
        const Result<void> root = disk_.make_directory(std::string(kRoot));
        if (!root.has_value() ||
            !engine::Collection::create(disk_, std::string(kRoot), catalog_.directory())) {
            return "the empty collection could not be made";
        }
        std::string wrong = open(disk_);
        for (uint64_t i = 0; i < kOperations && wrong.empty(); ++i) {
            wrong = write();
        }
        if (wrong.empty() && !collection_->run_maintenance_now().has_value()) {
            wrong = "maintenance failed";
        }
        // Half of the rows are then in memory alone and half in what is mapped.
        if (wrong.empty() && dice_.coin()) {
            wrong = open(disk_);
        }
        return wrong.empty() ? scrub() : wrong;
    }

    uint64_t acknowledged() const { return acknowledged_; }
    uint64_t flips() const { return flips_; }
    uint64_t calls() const { return disk_.calls(); }

  private:
    std::string open(SimFileSystem& disk) {
        collection_.reset();
        machine_ = std::make_unique<Machine>(dice_.next());
        auto opened = machine_->open(disk, metrics_, catalog_, Sizes::kSmall);
        if (!opened.has_value()) {
            return "open failed: " + opened.error().message();
        }
        collection_ = std::move(opened).value();
        return {};
    }

    std::string write() {
        const Operation operation = random_operation(dice_, next_stamp_, catalog_.now_ms);
        if (const auto reply = perform(operation, *collection_); !reply.has_value()) {
            return "a write was refused: " + reply.error().message();
        }
        ++acknowledged_;
        oracle_.acknowledged(operation);
        if (dice_.one_in(4)) {
            machine_->executor.run_all(dice_.below(40));
        }
        return {};
    }

    /// Any byte of any of these files.
    std::string flip() {
        std::vector<std::pair<std::string, uint64_t>> files;
        const std::string directory = catalog_.directory();
        for (const std::string& folder : {directory, directory + "/seg"}) {
            const auto entries = disk_.list(folder);
            for (const io::DirectoryEntry& entry :
                 entries.has_value() ? *entries : std::vector<io::DirectoryEntry>()) {
                if (!entry.is_directory) {
                    files.emplace_back(folder + "/" + entry.name, entry.size);
                }
            }
        }
        if (files.empty()) {
            return {};
        }
        const auto& [path, bytes] = files[dice_.below(files.size())];
        const uint64_t at = dice_.below(bytes);
        flips_ += disk_.bit_flip(path, at) ? 1 : 0;
        return path + " at " + std::to_string(at);
    }

    std::string scrub() {
        const std::string place = flip();
        const uint64_t interval_us = collection_options(Sizes::kSmall).scrub_interval_us;
        machine_->clock.advance_us(interval_us);
        catalog_.now_ms += interval_us / 1'000;
        oracle_.set_now(catalog_.now_ms);
        if (!collection_->run_maintenance_now().has_value()) {
            return "maintenance failed";
        }
        const std::string damage = collection_->damage();
        const std::string wrong = damage.empty() ? check_all_is_well() : check_refused();
        return wrong.empty() ? wrong
                             : "a bit flipped in " + place + ", the scrub said \"" + damage + "\": " + wrong;
    }

    std::string check_all_is_well() {
        Dice dice(dice_.next());
        std::string wrong = oracle_.check(*collection_, dice);
        const std::unique_ptr<SimFileSystem> image = disk_.crash_image(CrashModel::kAllKept, dice.next());
        if (wrong.empty()) {
            wrong = open(*image);
        }
        return wrong.empty() ? oracle_.check(*collection_, dice) : wrong;
    }

    std::string check_refused() {
        const auto count = collection_->count(nullptr);
        model::SearchRequest request;
        request.vector = random_vector(dice_);
        const auto found = collection_->search(request);
        const auto written = perform(random_operation(dice_, next_stamp_, catalog_.now_ms), *collection_);
        if (count.has_value() || found.has_value() || written.has_value()) {
            return "it answers still";
        }
        const bool all_lost = count.error().code() == Code::kDataLoss &&
                              found.error().code() == Code::kDataLoss &&
                              written.error().code() == Code::kDataLoss;
        return all_lost ? std::string() : "it refuses for another reason: " + count.error().message();
    }

    Dice dice_;
    SimFileSystem disk_;
    telemetry::Metrics metrics_;
    Catalog catalog_;
    std::unique_ptr<Machine> machine_;
    std::shared_ptr<engine::Collection> collection_;
    Oracle oracle_;
    int64_t next_stamp_ = 1;
    uint64_t acknowledged_ = 0;
    uint64_t flips_ = 0;
};

}  // namespace

CampaignReport rot_campaign(uint64_t first_seed, uint64_t flips) {
    CampaignReport total;
    for (uint64_t seed = first_seed; total.faults < flips && total.violations.size() < kViolationsMax;
         ++seed) {
        RotRun run(seed);
        if (const std::string wrong = run.go(); !wrong.empty()) {
            total.violations.push_back("seed " + std::to_string(seed) + ": " + wrong);
        }
        ++total.histories;
        total.calls += run.calls();
        total.acknowledged += run.acknowledged();
        total.faults += run.flips();
    }
    return total;
}

}  // namespace akidb::sim
