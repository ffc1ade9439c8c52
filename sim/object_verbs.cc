// The verbs of an object history. Each may meet a store that misbehaves and a machine that dies: what it says
// then is only that it did not work.
#include <algorithm>
#include <iterator>
#include <utility>

#include "backup/upkeep.h"
#include "sim/machine.h"
#include "sim/object_run.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kLivesMax = 4;
constexpr uint64_t kStepsToDeathMax = 120;
constexpr uint64_t kStepUsMax = 3'000'000;  // two backups are never of one millisecond

}  // namespace

void ObjectRun::random_step() {
    world_.clock.advance_us(1'000 + dice().below(kStepUsMax));
    if (dice().one_in(7)) {
        world_.power.plan(1 + dice().below(kStepsToDeathMax));
    }
    using Turn = void (ObjectRun::*)();
    constexpr std::pair<uint64_t, Turn> kVerbs[] = {
        {20, &ObjectRun::write},    {5, &ObjectRun::maintain}, {6, &ObjectRun::back_up},
        {5, &ObjectRun::archive},   {3, &ObjectRun::prune},    {1, &ObjectRun::verify},
        {2, &ObjectRun::restore},   {8, &ObjectRun::move},     {4, &ObjectRun::upload},
        {2, &ObjectRun::pass_time}, {1, &ObjectRun::erase},    {1, &ObjectRun::drop},
        {1, &ObjectRun::restart},   {2, &ObjectRun::damage},   {3, &ObjectRun::judge_some},
        {4, &ObjectRun::search}};
    constexpr uint64_t kTurns = 68;  // the sum of the first ones
    uint64_t turn = dice().below(kTurns);
    for (const auto& [turns, verb] : kVerbs) {
        if (turn < turns) {
            return (this->*verb)();
        }
        turn -= turns;
    }
}

Life* ObjectRun::draw_life() {
    std::vector<Life*> there;
    for (Life& life : lives_) {
        if (!life.is_gone) {
            there.push_back(&life);
        }
    }
    return there.empty() ? nullptr : there[dice().below(there.size())];
}

void ObjectRun::create() {
    verb_ = "create";
    model::CollectionSpec spec{
        .name = "c" + std::to_string(++created_), .dimension = kDimension, .metric = model::Metric::kL2};
    spec.storage = static_cast<model::VectorStorage>(dice().below(model::kVectorStorageNames.size()));
    spec.metadata_indexes = stamp_index();
    if (dice().one_in(3)) {
        spec.vectors.push_back(side_spec());
    }
    creating_ = spec.name;
    const auto made = server_->directory().create({}, spec);
    if (!made) {
        return world_.power.is_off() ? void() : violation("no collection: " + made.error().message());
    }
    creating_.clear();
    lives_.push_back({.spec = made->spec});
    constexpr model::StoragePolicy kPolicies[] = {
        model::StoragePolicy::kMemory, model::StoragePolicy::kMemoryS3, model::StoragePolicy::kS3Only,
        model::StoragePolicy::kS3Only};
    set_policy(lives_.back(), kPolicies[dice().below(std::size(kPolicies))]);
}

void ObjectRun::set_policy(const Life& life, model::StoragePolicy policy) {
    const auto entry = server_->directory().find_by_id(life.spec.id);
    if (!entry || entry->condition != service::Condition::kServing) {
        return;
    }
    const Result<void> set = server_->tiers().set_policy(life.spec.id, policy);
    if (!set && !world_.power.is_off()) {
        violation("a policy was refused: " + set.error().message());
    }
}

/// Null where it is asleep and cannot be had for now.
std::shared_ptr<engine::Collection> ObjectRun::wake(const Life& life) {
    const bool was_cold = is_cold(life);
    auto found = server_->tiers().wake({{}, life.spec.name});
    counts_.fetched += found && was_cold ? 1 : 0;
    return found ? std::move(found).value() : nullptr;
}

Operation ObjectRun::random_write(const Life& life) {
    Operation operation = random_operation(dice(), next_stamp_, 0);
    for (auto& [id, entry] : operation.documents) {
        entry.expires_at_ms = 0;  // what expires has no sequence number until it is swept
    }
    // A second vector is the one of the stamp, which is then another.
    if (operation.kind == Operation::Kind::kDelete && life.spec.vectors.empty() && dice().coin()) {
        operation.kind = Operation::Kind::kRestamp;
        operation.stamp = next_stamp_++;
    }
    return operation;
}

void ObjectRun::write() {
    verb_ = "write";
    Life* const life = draw_life();
    const auto collection = life == nullptr ? nullptr : wake(*life);
    if (collection == nullptr) {
        return;
    }
    const Operation operation = random_write(*life);
    note(*life, operation, perform(operation, *collection), *collection);
}

void ObjectRun::maintain() {
    verb_ = "maintain";
    Life* const life = draw_life();
    const auto collection = life == nullptr ? nullptr : wake(*life);
    if (collection == nullptr) {
        return;
    }
    const bool rewrites = dice().one_in(3);
    const auto rewritten =
        rewrites ? collection->rewrite() : Result<engine::RewriteReport>(engine::RewriteReport{});
    const Result<void> done = rewritten && !rewrites ? collection->run_maintenance_now() : Result<void>();
    if (!world_.power.is_off() && (!rewritten || !done)) {
        violation("maintenance failed: " + (rewritten ? done.error() : rewritten.error()).message());
    }
}

void ObjectRun::erase() {
    verb_ = "erase";
    Life* const life = draw_life();
    const auto collection = life == nullptr ? nullptr : wake(*life);
    if (collection == nullptr) {
        return;
    }
    Operation operation{.kind = Operation::Kind::kDelete};
    operation.ids.push_back(dice().below(kIds));
    const std::vector<model::DocumentId> ids(operation.ids.begin(), operation.ids.end());
    const bool is_erased = note(*life, operation, collection->erase(ids), *collection);
    life->gap = life->last + 1;  // the write of the erasure may be there without an answer
    if (!is_erased) {
        return;
    }
    life->gap = life->last;
    const Result<bool> renewed = server_->tiers().renew_copy(life->spec.id);
    if (renewed && *renewed && !world_.power.is_off()) {
        ++counts_.erased;
        world_.power.turn_on();
        world_.store.set_calm(true);
        expect(judge_.judge_erased(*server_, *life));
        world_.store.set_calm(false);
    }
}

void ObjectRun::drop() {
    verb_ = "drop";
    Life* const life = draw_life();
    if (life == nullptr || lives_.size() >= kLivesMax) {
        return;
    }
    life->is_leaving = true;
    const Result<void> removed = server_->directory().remove({{}, life->spec.name});
    if (world_.power.is_off()) {
        return;
    }
    if (!removed) {
        return violation("a drop failed: " + removed.error().message());
    }
    life->is_gone = true;
    create();
}

void ObjectRun::back_up() {
    verb_ = "backup";
    const auto made = server_->backups().make(kPlace, {});
    if (made) {
        ++counts_.backups;
        told_.insert(made->id);
    }
}

void ObjectRun::archive() {
    verb_ = "archive";
    const Result<void> done = server_->archiver().archive_now();
    if (!done) {
        return;
    }
    ++counts_.archived;
    timeline_ = server_->archiver().timeline();
    for (Life& life : lives_) {
        if (!life.is_gone) {
            life.archived[timeline_] = life.last;
        }
    }
}

void ObjectRun::prune() {
    verb_ = "prune";
    const backup::Retention retention{.keep_last = 1 + dice().below(3)};
    const std::vector<Uuid> there = judge_.backups();
    backup::Repository repository(world_.objects(), world_.clock);
    Uuid owner;
    owner.bytes.fill(dice().coin() ? 1 : 2);  // the server's, or that of somebody at a shell
    // From here on those beyond what is kept may go; a backup that was told as failed counts once its
    // manifest arrives.
    const size_t late = judge_.late_backups();
    std::erase_if(told_, [&](const Uuid& id) {
        const auto place = std::find(there.begin(), there.end(), id);
        return place != there.end() &&
               static_cast<uint64_t>(std::distance(place, there.end())) + late > retention.keep_last;
    });
    const auto pruned = backup::prune(repository, world_.clock, owner, retention);
    counts_.prunes += pruned ? 1 : 0;
}

void ObjectRun::verify() {
    verb_ = "verify";
    const std::vector<Uuid> there = judge_.backups();
    if (there.empty()) {
        return;
    }
    backup::Repository repository(world_.objects(), world_.clock);
    const auto manifest = repository.read_manifest(there[dice().below(there.size())]);
    if (manifest) {
        const auto depth = dice().coin() ? backup::VerifyDepth::kSizes : backup::VerifyDepth::kBytes;
        counts_.verified += backup::verify(repository, *manifest, depth).has_value() ? 1 : 0;
    }
}

void ObjectRun::restore() {
    verb_ = "restore";
    const std::vector<Uuid> there = judge_.backups();
    if (!there.empty()) {
        expect(judge_.try_restore(there[dice().below(there.size())]));
    }
}

void ObjectRun::move() {
    verb_ = "move";
    Life* const life = draw_life();
    if (life == nullptr) {
        return;
    }
    if (dice().one_in(8)) {
        return set_policy(*life,
                          static_cast<model::StoragePolicy>(dice().below(model::kStoragePolicyNames.size())));
    }
    constexpr model::TierAction kActions[] = {
        model::TierAction::kDemoteToWarm, model::TierAction::kDemoteToCold, model::TierAction::kDemoteToCold,
        model::TierAction::kDemoteToCold, model::TierAction::kPromoteToHot, model::TierAction::kUnpin};
    const model::TierAction action = kActions[dice().below(std::size(kActions))];
    const bool was_cold = is_cold(*life);
    const Result<void> done = server_->tiers().act({{}, life->spec.name}, action);
    counts_.cold += done && !was_cold && is_cold(*life) ? 1 : 0;
    counts_.fetched += done && was_cold && !is_cold(*life) ? 1 : 0;
}

void ObjectRun::search() {
    verb_ = "search";
    Life* const life = draw_life();
    if (life != nullptr) {
        search_cold(*life);
    }
}

/// By ranges of its cold index, as far as the store gives them; what is no answer opens it.
void ObjectRun::search_cold(const Life& life) {
    if (!is_cold(life) || !life.oracle.is_certain()) {
        return;
    }
    State state = life.oracle.state();
    keep(life.spec.storage, state);
    model::SearchRequest request = random_search(dice(), next_stamp_);
    request.filter = nullptr;
    request.params.exact = false;
    if (!state.empty() && dice().coin()) {
        request.vector = draw_vector(state, dice());
    }
    const auto reply = server_->tiers().search_cold({{}, life.spec.name}, request);
    if (reply && *reply) {
        ++counts_.searched;
        const std::string wrong = judge_reply(state, request, **reply);
        expect(wrong.empty() ? wrong : "collection " + life.spec.name + ", cold: " + wrong);
    }
}

bool ObjectRun::is_cold(const Life& life) const {
    const auto entry = server_->directory().find_by_id(life.spec.id);
    return entry && server_->tiers().tier_of(*entry).tier == model::Tier::kCold;
}

/// With the local files goes what of the log was not archived.
void ObjectRun::note_cold() {
    for (Life& life : lives_) {
        if (!life.is_gone && is_cold(life)) {
            const auto archived = life.archived.find(timeline_);
            const bool has_all = archived != life.archived.end() && archived->second >= life.last;
            life.gap = has_all ? life.gap : std::max(life.gap, life.last);
        }
    }
}

void ObjectRun::pass_time() {
    verb_ = "pass time";
    world_.clock.advance_us(dice().below(1'000'000'000));
    server_->tiers().run_due({});
}

/// A checkpoint, and what is owed to the store.
void ObjectRun::upload() {
    maintain();
    verb_ = "upload";
    if (!world_.power.is_off()) {
        world_.clock.advance_us(301'000'000);
        server_->tiers().run_due({});
    }
}

void ObjectRun::damage() {
    verb_ = "damage";
    constexpr const char* kPrefixes[] = {"backups/", "blobs/", "blobs/", "archive/", "latest"};
    const std::vector<std::string> keys = world_.store.keys(kPrefixes[dice().below(std::size(kPrefixes))]);
    if (damages_ && !keys.empty()) {
        world_.store.damage(keys[dice().below(keys.size())]);
        judge_.note_damage();
        ++counts_.damaged;
    }
}

}  // namespace akidb::sim
