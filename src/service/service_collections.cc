// Who asks, and what he may reach; and the use cases of whole collections.
#include <utility>

#include "base/printable.h"
#include "service/scheduled_backups.h"
#include "service/service.h"

namespace akidb::service {
namespace {

std::string join_texts(const std::vector<std::string>& texts) {
    return join_names(std::vector<std::string_view>(texts.begin(), texts.end()));
}

}  // namespace

Service::Service(Directory& directory, const io::Clock& clock, io::Random& random,
                 const AccessControl* access, Accounts* accounts, Backups* backups)
    : directory_(directory),
      clock_(clock),
      random_(random),
      access_(access),
      accounts_(accounts),
      backups_(backups) {}

// ---- who asks --------------------------------------------------------------------------------------------

Result<void> Service::admit(const model::Access& access, const Credentials& given, Admission& admission,
                            const Asking& asking) const {
    if (access_ == nullptr) {
        admission.principal = operator_principal();
        return {};
    }
    return access_->admit(access, given, admission, asking);
}

Result<void> Service::write_down(const RequestContext& context, model::Action action, std::string_view kind,
                                 std::string_view name) const {
    return access_ == nullptr
               ? Result<void>()
               : access_->write_down(context, action, std::string(kind) + ":" + std::string(name));
}

Result<Accounts*> Service::accounts() const {
    if (accounts_ == nullptr) {
        return Error(Code::kUnavailable, "this server keeps no accounts");
    }
    return accounts_;
}

// ---- backups ---------------------------------------------------------------------------------------------

Result<BackupState> Service::start_backup(const RequestContext& context, const std::string& to) {
    if (backups_ == nullptr) {
        return Error(Code::kUnavailable, "this server makes no backups");
    }
    AKIDB_TRY(write_down(context, model::Action::kBackupCreate, "backup", to));
    return backups_->start(to);
}

Result<uint64_t> Service::destroy_backup_keys(const RequestContext& context, const std::string& tenant) {
    if (backups_ == nullptr) {
        return Error(Code::kConflict, "this server makes no backups");
    }
    AKIDB_TRY(backups_->expect_tenant_keys());
    AKIDB_TRY(Accounts* const known, accounts());
    AKIDB_TRY(const Uuid id, known->find_tenant_id(context, tenant));
    AKIDB_TRY(write_down(context, model::Action::kTenantDelete, "backup-keys", tenant));
    return backups_->destroy_tenant_keys(id);
}

Result<std::vector<BackupState>> Service::list_backups() const {
    return backups_ == nullptr ? std::vector<BackupState>() : backups_->list();
}

Result<BackupState> Service::get_backup(std::string_view id) const {
    return backups_ == nullptr ? Error(Code::kNotFound, "this server makes no backups") : backups_->get(id);
}

std::optional<PlanState> Service::backup_plan() const {
    return scheduled_ == nullptr ? std::nullopt : std::optional(scheduled_->state());
}

// ---- collections -----------------------------------------------------------------------------------------

/// A name outside of what he may reach is refused whether it is there or not, so that nothing is learned by
/// asking; a name within may be an alias of something outside, and that is as if it were not there.
Result<CollectionRef> Service::reach(const RequestContext& context, std::string_view collection) const {
    if (context.principal == nullptr) {
        return Error(Code::kUnauthenticated, "nobody is known to ask");
    }
    const Principal& principal = *context.principal;
    const CollectionRef named{principal.tenant, collection};
    if (principal.collections.empty()) {
        return named;
    }
    const Result<DirectoryEntry> entry = directory_.describe(named);
    if (entry && principal.allows_collection(entry->spec.name)) {
        return named;
    }
    if (!principal.allows_collection(collection)) {
        return Error(Code::kPermissionDenied, "this API key is for other collections")
            .with_field("collection")
            .with_allowed(join_texts(principal.collections));
    }
    return no_collection(collection);
}

Result<Service::Found> Service::find(const RequestContext& context, std::string_view collection,
                                     std::optional<uint64_t> deadline_us) const {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    return tiers_ == nullptr ? directory_.find(named) : tiers_->wake(named, deadline_us);
}

Result<void> Service::check_collection(const RequestContext& context, std::string_view collection) const {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    if (tiers_ != nullptr && !tiers_->is_awake(named)) {
        return {};  // opened by who needs it
    }
    AKIDB_TRY(directory_.find(named));
    return {};
}

/// The key of a retry is one of who asks: another's request of the same key is another request.
engine::WriteTerms Service::terms_of(const RequestContext& context) {
    engine::WriteTerms terms(context.write_key);
    const Principal& principal = *context.principal;
    terms.rule = principal.row_rule;
    if (terms.key && principal.kind != PrincipalKind::kOperator) {
        const auto text = [](const auto& bytes) {
            return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        };
        terms.key->key = Digester().add(text(principal.id.bytes)).add(text(terms.key->key.bytes)).finish();
    }
    return terms;
}

Result<void> Service::check_documents_quota(const RequestContext& context, size_t more) const {
    const uint64_t documents_max = access_ == nullptr ? 0 : access_->documents_max(context.principal->tenant);
    if (documents_max == 0) {
        return {};
    }
    uint64_t documents = more;
    for (const DirectoryEntry& entry : directory_.list(context.principal->tenant)) {
        documents +=
            entry.collection == nullptr ? entry.asleep_documents : entry.collection->stats().documents;
    }
    if (documents <= documents_max) {
        return {};
    }
    return Error(Code::kRateLimited, "the tenant's quota of documents is used up")
        .with_field("documents")
        .with_allowed("at most " + std::to_string(documents_max) + " documents in all collections");
}

// ---- collections -----------------------------------------------------------------------------------------

/// Under a row rule a collection is as large as what it covers.
Result<CollectionDescription> Service::describe(const RequestContext& context,
                                                const DirectoryEntry& entry) const {
    CollectionDescription description{entry.spec, entry.condition, entry.reason, {}};
    if (tiers_ != nullptr) {
        description.tier = tiers_->tier_of(entry);
    }
    if (entry.collection == nullptr) {
        // Of one that is asleep nobody counts what a rule covers.
        description.stats.documents = context.principal->row_rule == nullptr ? entry.asleep_documents : 0;
        return description;
    }
    if (context.principal->row_rule == nullptr) {
        description.stats = entry.collection->stats();
        return description;
    }
    AKIDB_TRY(description.stats.documents, entry.collection->count(context.principal->row_rule.get()));
    for (const model::MetadataField& field : entry.spec.metadata_indexes) {
        description.stats.metadata_indexes.push_back({field, 0, true, 0});
    }
    return description;
}

Result<CollectionDescription> Service::create_collection(const RequestContext& context,
                                                         const CreateCollection& request) {
    if (context.principal == nullptr || !context.principal->allows_collection(request.name)) {
        return Error(Code::kPermissionDenied, "this API key is for other collections")
            .with_field("name")
            .with_allowed(context.principal == nullptr ? "" : join_texts(context.principal->collections));
    }
    model::CollectionSpec spec;
    spec.name = request.name;
    spec.dimension = request.dimension;
    spec.metric = request.metric;
    spec.storage = request.storage;
    spec.vectors = request.vectors;
    spec.metadata_indexes = request.metadata_indexes;
    if (request.policy != model::StoragePolicy::kMemory) {
        AKIDB_TRY(Tiers* const tiers, this->tiers());
        AKIDB_TRY(tiers->check_policy(request.policy));
    }
    AKIDB_TRY(write_down(context, model::Action::kCollectionCreate, "collection", request.name));
    AKIDB_TRY(const DirectoryEntry entry, directory_.create(context.principal->tenant, std::move(spec)));
    if (request.policy != model::StoragePolicy::kMemory) {
        // When it fails, the collection is there with the policy memory, which the error says.
        if (Result<void> set = tiers_->set_policy(entry.spec.id, request.policy); !set) {
            return std::move(set).error().with_context("the collection is made, but keeps the policy memory");
        }
    }
    return describe(context, entry);
}

Result<std::vector<CollectionDescription>> Service::list_collections(const RequestContext& context) {
    if (context.principal == nullptr) {
        return Error(Code::kUnauthenticated, "nobody is known to ask");
    }
    std::vector<CollectionDescription> descriptions;
    for (const DirectoryEntry& entry : directory_.list(context.principal->tenant)) {
        if (context.principal->allows_collection(entry.spec.name)) {
            AKIDB_TRY(CollectionDescription description, describe(context, entry));
            descriptions.push_back(std::move(description));
        }
    }
    return descriptions;
}

Result<CollectionDescription> Service::describe_collection(const RequestContext& context,
                                                           std::string_view collection) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(const DirectoryEntry entry, directory_.describe(named));
    return describe(context, entry);
}

Result<CollectionDescription> Service::change_collection(const RequestContext& context,
                                                         std::string_view collection,
                                                         const model::CollectionChange& change) {
    if (change.is_empty()) {
        return invalid_argument("settings", "the request changes nothing",
                                "settings, metadata_indexes, policy");
    }
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    if (change.policy) {
        AKIDB_TRY(check_policy_change(change));
    }
    AKIDB_TRY(const Found used, find(context, collection));  // open until it is changed
    AKIDB_TRY(write_down(context, model::Action::kCollectionUpdate, "collection", collection));
    if (change.policy) {
        AKIDB_TRY(tiers_->set_policy(used->spec().id, *change.policy));
        AKIDB_TRY(const DirectoryEntry entry, directory_.describe(named));
        return describe(context, entry);
    }
    AKIDB_TRY(const DirectoryEntry entry, directory_.change(named, change));
    return describe(context, entry);
}

Result<void> Service::delete_collection(const RequestContext& context, std::string_view collection) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(write_down(context, model::Action::kCollectionDelete, "collection", collection));
    return directory_.remove(named);
}

Result<void> Service::put_metadata_index(const RequestContext& context, std::string_view collection,
                                         const model::MetadataField& field) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(const Found used, find(context, collection));
    AKIDB_TRY(write_down(context, model::Action::kCollectionUpdate, "collection", collection));
    return directory_.put_metadata_index(named, field);
}

Result<void> Service::delete_metadata_index(const RequestContext& context, std::string_view collection,
                                            const std::string& key) {
    AKIDB_TRY(const CollectionRef named, reach(context, collection));
    AKIDB_TRY(const Found used, find(context, collection));
    AKIDB_TRY(write_down(context, model::Action::kCollectionUpdate, "collection", collection));
    return directory_.remove_metadata_index(named, key);
}

/// An alias opens what it names, and by taking a name changes what others find under it: a key that is for
/// some collections needs both among them.
Result<void> Service::change_aliases(const RequestContext& context, const std::vector<AliasAction>& actions) {
    if (context.principal == nullptr) {
        return Error(Code::kUnauthenticated, "nobody is known to ask");
    }
    const Principal& principal = *context.principal;
    for (size_t i = 0; i < actions.size() && !principal.collections.empty(); ++i) {
        const std::string place = "actions[" + std::to_string(i) + "]";
        const AliasAction& action = actions[i];
        if (!principal.allows_collection(action.alias) ||
            (action.rename_to && !principal.allows_collection(*action.rename_to))) {
            return Error(Code::kPermissionDenied, "this API key is for other names")
                .with_field(place)
                .with_allowed(join_texts(principal.collections));
        }
        if (Result<CollectionRef> reached = reach(context, action.collection.value_or(action.alias));
            !reached) {
            return std::move(reached).error().with_field_prefix(place);
        }
    }
    AKIDB_TRY(write_down(context, model::Action::kCollectionUpdate, "alias",
                         actions.empty() ? std::string() : actions.front().alias));
    return directory_.change_aliases(principal.tenant, actions);
}

Result<std::vector<Alias>> Service::list_aliases(const RequestContext& context) {
    if (context.principal == nullptr) {
        return Error(Code::kUnauthenticated, "nobody is known to ask");
    }
    std::vector<Alias> aliases = directory_.aliases(context.principal->tenant);
    std::erase_if(
        aliases, [&](const Alias& alias) { return !context.principal->allows_collection(alias.collection); });
    return aliases;
}

}  // namespace akidb::service
