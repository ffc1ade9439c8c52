#include "sim/object_history.h"

#include <algorithm>
#include <iterator>

#include "backup/upkeep.h"
#include "sim/machine.h"
#include "sim/object_run.h"
#include "sim/simulation.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kDamagedHistoryOneIn = 5;
constexpr uint64_t kStepsToSecondDeathMax = 40;

}  // namespace

ObjectCounts ObjectRun::play(uint64_t steps) {
    begin();
    for (step_ = 1; step_ <= steps && counts_.violations.empty(); ++step_) {
        random_step();
        if (world_.power.is_off()) {
            start_again();
        }
        if (counts_.violations.empty()) {
            note_cold();
        }
        world_.disk->forget_log();
    }
    if (counts_.violations.empty()) {
        verb_ = "end";
        end();
    }
    server_.reset();
    counts_.histories = 1;
    counts_.steps = world_.power.steps();
    counts_.requests = world_.store.requests();
    counts_.faults = world_.store.faults();
    return std::move(counts_);
}

void ObjectRun::violation(const std::string& what) {
    counts_.violations.push_back("seed " + std::to_string(seed_) + ", step " + std::to_string(step_) + " (" +
                                 verb_ + "): " + what);
}

void ObjectRun::expect(const std::string& wrong) {
    if (!wrong.empty()) {
        violation(wrong);
    }
}

void ObjectRun::begin() {
    damages_ = dice().one_in(kDamagedHistoryOneIn);
    if (const Result<void> made = world_.make_data(); !made) {
        return violation("no data directory: " + made.error().message());
    }
    auto started = ObjectServer::start(world_);
    if (!started) {
        return violation("no server: " + started.error().message());
    }
    server_ = std::move(started).value();
    create();
    create();
}

void ObjectRun::restart() {
    verb_ = "restart";
    const Result<void> stopped = server_->stop(dice().coin());
    if (world_.power.is_off()) {
        return;
    }
    if (!stopped) {
        return violation("a stop failed: " + stopped.error().message());
    }
    server_.reset();
    auto started = ObjectServer::start(world_);
    if (world_.power.is_off()) {
        return;
    }
    if (!started) {
        return violation("a start failed: " + started.error().message());
    }
    server_ = std::move(started).value();
    settle();
}

void ObjectRun::start_again() {
    ++counts_.deaths;
    while (true) {
        server_.reset();
        const CrashModel model = kCrashModels[dice().below(std::size(kCrashModels))];
        world_.cut_power(model);
        verb_ += std::string(", power cut: ") + name_of(model);
        if (dice().one_in(4)) {
            world_.power.plan(1 + dice().below(kStepsToSecondDeathMax));
        }
        auto started = ObjectServer::start(world_);
        if (world_.power.is_off()) {
            ++counts_.deaths_in_start;
            continue;
        }
        world_.power.turn_on();
        if (!started) {
            return violation("the start after it failed: " + started.error().message());
        }
        server_ = std::move(started).value();
        judge_.clear();
        return settle();
    }
}

/// What a start finds is what was acknowledged, and from then on only that is right.
void ObjectRun::settle() {
    if (!creating_.empty()) {
        if (const auto made = server_->directory().describe({{}, creating_})) {
            lives_.push_back({.spec = made->spec});
        }
        creating_.clear();
    }
    for (Life& life : lives_) {
        if (life.is_gone) {
            continue;
        }
        const auto entry = server_->directory().find_by_id(life.spec.id);
        life.is_gone = !entry && life.is_leaving;
        life.is_leaving = false;
        if (life.is_gone || (entry && entry->condition == service::Condition::kAsleep)) {
            continue;
        }
        const auto found = server_->directory().find({{}, life.spec.name});
        if (!found) {
            return violation("collection " + life.spec.name + " is lost: " + found.error().message());
        }
        check(life, **found);
    }
    if (draw_life() == nullptr) {
        create();
    }
}

void ObjectRun::check(Life& life, const engine::Collection& collection) {
    const std::string wrong = life.oracle.check(collection, dice());
    const uint64_t sequence = collection.stats().last_sequence;
    if (!wrong.empty()) {
        return violation("collection " + life.spec.name + ": " + wrong);
    }
    if (sequence < life.last) {
        return violation("collection " + life.spec.name + " went back to " + std::to_string(sequence));
    }
    life.record(sequence);
}

/// The machine stays up and the store is at its best.
void ObjectRun::judge(Depth depth) {
    verb_ = depth == Depth::kAll ? "end" : "judge";
    world_.power.turn_on();
    world_.store.set_calm(true);
    const bool is_whole = depth == Depth::kAll;
    if (is_whole || dice().coin()) {
        world_.store.let_all_arrive();
    }
    for (const Life& life : lives_) {
        if (!life.is_gone && counts_.violations.empty()) {
            expect(judge_.judge_copy(*server_, life));
        }
    }
    judge_backups(is_whole);
    for (uint64_t i = is_whole ? 3 : 1; i > 0 && counts_.violations.empty(); --i) {
        expect(judge_.judge_point(timeline_, dice()));
    }
    for (Life& life : lives_) {
        if (!life.is_gone && counts_.violations.empty() && (is_whole || dice().one_in(3))) {
            judge_life(life);
        }
    }
    world_.store.set_calm(false);
}

void ObjectRun::judge_life(Life& life) {
    const auto found = server_->tiers().wake({{}, life.spec.name});
    if (!found) {
        return violation("collection " + life.spec.name + " does not open: " + found.error().message());
    }
    check(life, **found);
}

void ObjectRun::judge_backups(bool is_whole) {
    const std::vector<Uuid> there = judge_.backups();
    for (const Uuid& id : told_) {
        if (!judge_.is_damaged() && std::find(there.begin(), there.end(), id) == there.end()) {
            violation("backup " + id.to_string() + " was told as done and is not there");
        }
    }
    const size_t count = is_whole ? there.size() : std::min<size_t>(there.size(), 1);
    const size_t first = is_whole || there.empty() ? 0 : dice().below(there.size());
    for (size_t i = 0; i < count && counts_.violations.empty(); ++i) {
        expect(judge_.judge_backup(there[first + i]));
    }
}

/// Once the store is well, all works again, and nothing was lost meanwhile.
void ObjectRun::end() {
    judge(Depth::kAll);
    world_.store.set_calm(true);
    world_.clock.advance_us(2 * backup::kLockMs * 1'000);  // whoever held the lock is forgotten
    if (!counts_.violations.empty()) {
        return;
    }
    verb_ = "end";
    if (judge_.is_damaged()) {
        return world_.encrypted == nullptr ? back_up_for_good() : void();
    }
    archive();
    back_up_for_good();
    for (Life& life : lives_) {
        if (!life.is_gone && counts_.violations.empty()) {
            go_cold_and_back(life);
        }
    }
    world_.clock.advance_us((backup::kStrayMs + 1) * 1'000);  // what nobody needs is old enough to go
    prune();
    verb_ = "end, after a prune";
    judge_backups(true);
    for (uint64_t i = 3; i > 0 && counts_.violations.empty(); --i) {
        expect(judge_.judge_point(timeline_, dice()));
    }
}

void ObjectRun::back_up_for_good() {
    const auto made = server_->backups().make(kPlace, {});
    if (!made) {
        return violation("no backup of a store that is well: " + made.error().message());
    }
    if (!made->left_out.empty()) {
        return violation("a backup of a store that is well left out: " + made->left_out.front().reason);
    }
    told_.insert(made->id);
    world_.clock.advance_us(1'000);
}

void ObjectRun::go_cold_and_back(Life& life) {
    set_policy(life, model::StoragePolicy::kS3Only);
    const Result<void> demoted = server_->tiers().act({{}, life.spec.name}, model::TierAction::kDemoteToCold);
    if (!demoted || !is_cold(life)) {
        return violation("collection " + life.spec.name + " does not go cold: " +
                         (demoted ? std::string("it is not") : demoted.error().message()));
    }
    search_cold(life);
    judge_life(life);
}

uint64_t ObjectCounts::fault_count() const {
    uint64_t sum = 0;
    for (const uint64_t count : faults) {
        sum += count;
    }
    return sum;
}

void ObjectCounts::add(const ObjectCounts& other) {
    constexpr uint64_t ObjectCounts::*kSums[] = {
        &ObjectCounts::histories, &ObjectCounts::steps,    &ObjectCounts::deaths,
        &ObjectCounts::requests,  &ObjectCounts::backups,  &ObjectCounts::deaths_in_start,
        &ObjectCounts::prunes,    &ObjectCounts::archived, &ObjectCounts::acknowledged,
        &ObjectCounts::verified,  &ObjectCounts::restored, &ObjectCounts::points,
        &ObjectCounts::refused,   &ObjectCounts::cold,     &ObjectCounts::fetched,
        &ObjectCounts::erased,    &ObjectCounts::damaged,  &ObjectCounts::searched};
    for (uint64_t ObjectCounts::*const sum : kSums) {
        this->*sum += other.*sum;
    }
    for (size_t i = 0; i < faults.size(); ++i) {
        faults[i] += other.faults[i];
    }
    violations.insert(violations.end(), other.violations.begin(), other.violations.end());
}

ObjectCounts run_object_history(uint64_t seed, uint64_t steps) {
    return ObjectRun(seed).play(steps);
}

ObjectCounts object_campaign(uint64_t first_seed, uint64_t histories) {
    ObjectCounts total;
    for (uint64_t seed = first_seed;
         seed < first_seed + histories && total.violations.size() < kViolationsMax; ++seed) {
        total.add(run_object_history(seed));
    }
    return total;
}

}  // namespace akidb::sim
