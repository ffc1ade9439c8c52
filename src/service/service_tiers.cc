// The use cases of tiers: where collections are kept, and what the object store still owes.
#include <utility>

#include "service/scheduled_backups.h"
#include "service/service.h"
#include "service/traced.h"

namespace akidb::service {

Result<Tiers*> Service::tiers() const {
    if (tiers_ == nullptr) {
        return Error(Code::kConflict, "this server keeps all collections open");
    }
    return tiers_;
}

bool Service::is_awake(const RequestContext& context, std::string_view collection) const {
    if (!has_sleepers()) {
        return true;
    }
    const Result<CollectionRef> named = reach(context, collection);
    return !named || tiers_->is_awake(*named);
}

/// A row rule is a filter, and what matches one the cold index does not know.
std::optional<Result<model::SearchReply>> Service::search_cold(const RequestContext& context,
                                                               std::string_view collection,
                                                               const model::SearchRequest& request) const {
    if (!has_sleepers() || context.principal->row_rule != nullptr || !engine::is_cold_search(request)) {
        return std::nullopt;
    }
    const Result<CollectionRef> named = reach(context, collection);
    const Result<DirectoryEntry> entry = named ? directory_.describe(*named) : named.error();
    if (!entry || entry->condition != Condition::kAsleep ||
        tiers_->tier_of(*entry).tier != model::Tier::kCold) {
        return std::nullopt;
    }
    tracing::Step step(context.trace(), "search_cold");
    std::optional<Result<model::SearchReply>> reply = tiers_->search_cold(*named, request);
    if (step.is_recorded()) {
        step.set("akidb.opened", !reply);
        if (reply) {
            describe_search(step, entry->spec.name, request, *reply);
        }
    }
    if (reply && *reply && !request.explain) {
        (*reply)->explanation.reset();
    }
    return reply;
}

Result<void> Service::check_policy_change(const model::CollectionChange& change) const {
    if (change.changes_spec()) {
        return invalid_argument("policy", "the policy is changed in a request of its own",
                                "nothing beside it");
    }
    AKIDB_TRY(const Tiers* const tiers, this->tiers());
    return tiers->check_policy(*change.policy);
}

/// Bytes of these documents are in the copy as well, until its old files are gone.
Result<EraseReceipt> Service::conclude_erase(const engine::Collection& collection,
                                             engine::EraseReceipt files) const {
    EraseReceipt receipt{.files = std::move(files)};
    if (tiers_ != nullptr) {
        Result<bool> renewed = tiers_->renew_copy(collection.spec().id);
        if (!renewed) {
            return std::move(renewed).error().with_context(
                "the documents are erased here, but the object store still holds them; the server goes on "
                "trying");
        }
        receipt.has_renewed_copy = *renewed;
    }
    receipt.completed_at_ms = clock_.unix_ms();
    if (scheduled_ != nullptr) {
        receipt.held = scheduled_->find_held_copies(collection.spec().id);
    } else if (backups_ != nullptr) {
        add_remembered(receipt.held, backups_->list(), nullptr);
    }
    return receipt;
}

engine::WriteSize Service::size_of(const std::vector<model::Document>& documents) {
    engine::WriteSize size{.documents = documents.size()};
    for (const model::Document& document : documents) {
        size.metadata_bytes += document.metadata.size();
    }
    return size;
}

Result<void> Service::check_room(const engine::Collection& collection, const engine::WriteSize& size) const {
    if (tiers_ == nullptr) {
        return {};
    }
    // A checkpoint writes again what the log has, where a row takes the width of all vectors; beside it a row
    // has neighbours in each graph, offsets and its version.
    constexpr uint64_t kBesideBytes = 512;
    uint64_t row = 0;
    for (const model::VectorSpec& vector : model::vectors_of(collection.spec())) {
        row += 2 * sizeof(float) * uint64_t{vector.dimension} + kBesideBytes;
    }
    return tiers_->admit_write(collection.spec().id, size.documents * row + 2 * size.metadata_bytes);
}

Result<CollectionTier> Service::describe_tier(const RequestContext& context, std::string_view collection) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(const DirectoryEntry entry, directory_.describe(named));
    return tiers_ == nullptr ? CollectionTier{} : tiers_->tier_of(entry);
}

Result<CollectionTier> Service::move_collection(const RequestContext& context, std::string_view collection,
                                                model::TierAction action) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(directory_.describe(named));
    AKIDB_TRY(Tiers* const tiers, this->tiers());
    AKIDB_TRY(write_down(context, model::Action::kAdminTiers, "collection", collection));
    AKIDB_TRY(tiers->act(named, action));
    return describe_tier(context, collection);
}

Result<TiersState> Service::describe_tiers() const {
    AKIDB_TRY(const Tiers* const tiers, this->tiers());
    return tiers->state();
}

Result<std::vector<DeadLetter>> Service::list_dead_letters() const {
    AKIDB_TRY(const Tiers* const tiers, this->tiers());
    return tiers->dead_letters();
}

Result<void> Service::retry_dead_letter(const RequestContext& context, int64_t id) {
    AKIDB_TRY(Tiers* const tiers, this->tiers());
    AKIDB_TRY(write_down(context, model::Action::kAdminTiers, "dead-letter", std::to_string(id)));
    return tiers->retry_dead_letter(id);
}

Result<uint64_t> Service::retry_dead_letters(const RequestContext& context) {
    AKIDB_TRY(Tiers* const tiers, this->tiers());
    AKIDB_TRY(write_down(context, model::Action::kAdminTiers, "dead-letter", "all"));
    return tiers->retry_all_dead_letters();
}

Result<void> Service::drop_dead_letter(const RequestContext& context, int64_t id) {
    AKIDB_TRY(Tiers* const tiers, this->tiers());
    AKIDB_TRY(write_down(context, model::Action::kAdminTiers, "dead-letter", std::to_string(id)));
    return tiers->drop_dead_letter(id);
}

Result<void> Service::reset_breaker(const RequestContext& context) {
    AKIDB_TRY(Tiers* const tiers, this->tiers());
    AKIDB_TRY(write_down(context, model::Action::kAdminTiers, "breaker", "s3"));
    tiers->reset_breaker();
    return {};
}

}  // namespace akidb::service
