// Service: every use case, one function each, the same for all protocols: values in, values out. Each reads
// as a list: find, check limits, act, count. A collection is found through who asks: in his tenant, among
// those that he may reach, and of its documents those that his row rule covers; whether he may do the thing
// at all was decided by admit(), which a protocol calls before it reads a body. Thread-safe; calls block as
// engine::Collection says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/search.h"
#include "service/access_control.h"
#include "service/context.h"
#include "service/directory.h"
#include "service/held_copies.h"
#include "service/search_load.h"
#include "service/slow_log.h"
#include "service/tiers.h"

namespace akidb::service {

struct CreateCollection {
    std::string name;
    uint32_t dimension = 0;
    model::Metric metric = model::Metric::kCosine;
    std::vector<model::MetadataField> metadata_indexes{};
    model::VectorStorage storage = model::VectorStorage::kF32;
    model::StoragePolicy policy = model::StoragePolicy::kMemory;
    std::vector<model::VectorSpec> vectors{};
};

struct CollectionDescription {
    model::CollectionSpec spec;
    Condition condition = Condition::kLoading;
    std::string reason;
    engine::CollectionStats stats;  // zeros unless serving; while asleep its documents are told
    CollectionTier tier{};
};

/// That documents are gone from every file, for who has to prove it.
struct EraseReceipt {
    engine::EraseReceipt files;
    uint64_t completed_at_ms = 0;
    bool has_renewed_copy = false;  // nor does its copy in the object store
    HeldCopies held{};              // what was not reached
};

class Accounts;
class Backups;
class ScheduledBackups;
struct BackupState;
struct PlanState;

class Service {
  public:
    /// The reading of a larger request is long enough to hold up the other connections of a thread.
    static constexpr size_t kQuickRequestBytesMax = 128 << 10;

    /// `access` null: everybody is the operator, and there are no accounts.
    Service(Directory& directory, const io::Clock& clock, io::Random& random,
            const AccessControl* access = nullptr, Accounts* accounts = nullptr, Backups* backups = nullptr);

    /// Before the first search; must outlive the service.
    void attach_slow_log(SlowLog& log) { slow_log_ = &log; }

    /// As AccessControl says.
    Result<void> admit(const model::Access& access, const Credentials& given, Admission& admission,
                       const Asking& asking = {}) const;
    /// Whether requests are held against anybody at all.
    bool is_asking_who() const { return access_ != nullptr && access_->is_enabled(); }
    /// That the collection is there for who asks, before more is done for the request: kNotFound,
    /// kPermissionDenied.
    Result<void> check_collection(const RequestContext& context, std::string_view collection) const;
    /// kUnavailable when the server has none.
    Result<Accounts*> accounts() const;

    /// Of the whole server; as Backups says. kUnavailable when the server makes none.
    Result<BackupState> start_backup(const RequestContext& context, const std::string& to);
    Result<std::vector<BackupState>> list_backups() const;
    Result<BackupState> get_backup(std::string_view id) const;
    /// The keys of the tenant in backups (Backups), which may be one that was deleted, by id; how many there
    /// were. kConflict when tenants have none here, kNotFound for a name that nobody has.
    Result<uint64_t> destroy_backup_keys(const RequestContext& context, const std::string& tenant);
    /// None: this server makes no backups by itself.
    std::optional<PlanState> backup_plan() const;
    /// Before requests come; it must outlive this.
    void attach(const ScheduledBackups& scheduled) { scheduled_ = &scheduled; }
    /// Searches of collections that are open.
    const SearchLoad& search_load() const { return search_load_; }

    /// Before requests come; they must outlive this.
    void attach(Tiers& tiers) { tiers_ = &tiers; }
    /// Whether the collection will be found without waiting for it to be opened, as far as can be told.
    bool is_awake(const RequestContext& context, std::string_view collection) const;
    bool has_sleepers() const { return tiers_ != nullptr && tiers_->has_sleepers(); }
    /// As Tiers::act says; what came of it.
    Result<CollectionTier> move_collection(const RequestContext& context, std::string_view collection,
                                           model::TierAction action);
    Result<CollectionTier> describe_tier(const RequestContext& context, std::string_view collection);
    /// Of the whole server. kUnavailable where there are no tiers.
    Result<TiersState> describe_tiers() const;
    Result<std::vector<DeadLetter>> list_dead_letters() const;
    Result<void> retry_dead_letter(const RequestContext& context, int64_t id);
    /// How many.
    Result<uint64_t> retry_dead_letters(const RequestContext& context);
    Result<void> drop_dead_letter(const RequestContext& context, int64_t id);
    Result<void> reset_breaker(const RequestContext& context);

    Result<CollectionDescription> create_collection(const RequestContext& context,
                                                    const CreateCollection& request);
    Result<std::vector<CollectionDescription>> list_collections(const RequestContext& context);
    Result<CollectionDescription> describe_collection(const RequestContext& context,
                                                      std::string_view collection);
    /// Durable at return. What has to be built anew is, in the background; kInvalidArgument for a change of
    /// nothing.
    Result<CollectionDescription> change_collection(const RequestContext& context,
                                                    std::string_view collection,
                                                    const model::CollectionChange& change);
    Result<void> delete_collection(const RequestContext& context, std::string_view collection);

    /// Durable at return; built in the background. An index of another type on the field is replaced.
    Result<void> put_metadata_index(const RequestContext& context, std::string_view collection,
                                    const model::MetadataField& field);
    /// kNotFound on field "field" when there is none.
    Result<void> delete_metadata_index(const RequestContext& context, std::string_view collection,
                                       const std::string& key);

    /// As Directory says.
    Result<void> change_aliases(const RequestContext& context, const std::vector<AliasAction>& actions);
    Result<std::vector<Alias>> list_aliases(const RequestContext& context);

    /// UUID v7, for a document sent without an id.
    model::DocumentId new_document_id();
    /// These two do not block: `done` is called as engine::WriteDone says.
    void upsert_documents(const RequestContext& context, std::string_view collection,
                          std::vector<model::Document> documents, engine::WriteDone done);
    void delete_documents(const RequestContext& context, std::string_view collection,
                          const std::vector<model::DocumentId>& ids, engine::WriteDone done);
    void update_documents(const RequestContext& context, std::string_view collection,
                          model::UpdateRequest request, engine::WriteDone done);
    Result<engine::WriteReply> delete_matching(const RequestContext& context, std::string_view collection,
                                               const model::Filter& filter);
    Result<EraseReceipt> erase_documents(const RequestContext& context, std::string_view collection,
                                         const std::vector<model::DocumentId>& ids);
    Result<EraseReceipt> erase_matching(const RequestContext& context, std::string_view collection,
                                        const model::Filter& filter);
    Result<std::vector<model::Document>> get_documents(const RequestContext& context,
                                                       std::string_view collection,
                                                       const std::vector<model::DocumentId>& ids,
                                                       const model::Include& include);
    Result<uint64_t> count_documents(const RequestContext& context, std::string_view collection,
                                     const model::Filter* filter, bool is_exact = true,
                                     std::optional<uint64_t> deadline_us = std::nullopt);
    Result<model::ScrollReply> scroll(const RequestContext& context, std::string_view collection,
                                      const model::ScrollRequest& request);
    Result<model::FacetReply> facet(const RequestContext& context, std::string_view collection,
                                    const model::FacetRequest& request);
    /// Writes live documents anew without the dead ones, now, in the caller's thread.
    Result<engine::RewriteReport> optimize(const RequestContext& context, std::string_view collection);
    /// Whether a search is short enough for a thread that has connections to serve. Of one that fails, yes.
    bool is_quick(const RequestContext& context, std::string_view collection,
                  const model::SearchRequest& request) const;
    Result<model::SearchReply> search(const RequestContext& context, std::string_view collection,
                                      const model::SearchRequest& request);
    /// One after another, each on what is visible when it begins; the first error ends them, with its field
    /// under "searches[i]".
    Result<std::vector<model::SearchReply>> search_batch(const RequestContext& context,
                                                         std::string_view collection,
                                                         const std::vector<model::SearchRequest>& requests);

  private:
    using Found = std::shared_ptr<engine::Collection>;
    /// Every lookup goes through these.
    Result<CollectionRef> reach(const RequestContext& context, std::string_view collection) const;
    Result<Found> find(const RequestContext& context, std::string_view collection,
                       std::optional<uint64_t> deadline_us = std::nullopt) const;
    Result<Tiers*> tiers() const;
    /// None: the collection is to be found.
    std::optional<Result<model::SearchReply>> search_cold(const RequestContext& context,
                                                          std::string_view collection,
                                                          const model::SearchRequest& request) const;
    Result<void> check_policy_change(const model::CollectionChange& change) const;
    Result<EraseReceipt> conclude_erase(const engine::Collection& collection,
                                        engine::EraseReceipt files) const;
    Result<model::SearchReply> search_in(const engine::Collection& collection, const RequestContext& context,
                                         const model::SearchRequest& request) const;
    static engine::WriteTerms terms_of(const RequestContext& context);
    Result<void> check_documents_quota(const RequestContext& context, size_t more) const;
    static engine::WriteSize size_of(const std::vector<model::Document>& documents);
    /// For what will be written, in the cache of those that leave for an object store.
    Result<void> check_room(const engine::Collection& collection, const engine::WriteSize& size) const;
    Result<CollectionDescription> describe(const RequestContext& context, const DirectoryEntry& entry) const;

    Directory& directory_;
    const io::Clock& clock_;
    io::Random& random_;
    Result<void> write_down(const RequestContext& context, model::Action action, std::string_view kind,
                            std::string_view name) const;

    const AccessControl* access_;
    Accounts* accounts_;
    Backups* backups_;
    const ScheduledBackups* scheduled_ = nullptr;
    mutable SearchLoad search_load_;
    Tiers* tiers_ = nullptr;
    SlowLog* slow_log_ = nullptr;
};

}  // namespace akidb::service
