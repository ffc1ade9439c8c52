#include "engine/live_collection.h"

#include <algorithm>
#include <cstring>

#include "engine/row_rule.h"
#include "model/limits.h"

namespace akidb::engine {
namespace {

Error poisoned() {
    return Error(Code::kUnavailable,
                 "writes are off after a disk failure: restart the server to recover what was acknowledged");
}

Result<void> validate_batch(const model::CollectionSpec& spec,
                            const std::vector<model::Document>& documents) {
    if (documents.empty() || documents.size() > model::kBatchDocumentsMax) {
        return invalid_argument("documents", "a batch of " + std::to_string(documents.size()) + " documents",
                                "1.." + std::to_string(model::kBatchDocumentsMax));
    }
    for (size_t i = 0; i < documents.size(); ++i) {
        Result<void> valid = model::validate_kept_vectors(spec, documents[i].vector, documents[i].vectors);
        if (valid.has_value() && documents[i].metadata.size() > model::kMetadataBytesMax) {
            valid = invalid_argument("metadata", "too large", "at most 1 MiB");
        }
        if (!valid.has_value()) {
            return std::move(valid).error().with_field_prefix("documents[" + std::to_string(i) + "]");
        }
    }
    return {};
}

}  // namespace

LiveCollection::LiveCollection(Dependencies dependencies, std::string directory, model::CollectionSpec spec,
                               CollectionOptions options)
    : dependencies_(dependencies),
      directory_(std::move(directory)),
      spec_(std::move(spec)),
      vectors_(model::vectors_of(spec_)),
      options_(options),
      lane_([this](std::span<PendingWrite* const> group) { commit_group(group); },
            [this] { return lead_elsewhere(); }),
      keys_(dependencies_.clock, options_.remembered_keys_max, dependencies_.metrics),
      documents_written_(dependencies_.metrics.counter(telemetry::MetricId::kDocumentsWritten)),
      documents_deleted_(dependencies_.metrics.counter(telemetry::MetricId::kDocumentsDeleted)),
      documents_expired_(dependencies_.metrics.counter(telemetry::MetricId::kDocumentsExpired)),
      search_distances_(dependencies_.metrics.counter(telemetry::MetricId::kSearchDistances)),
      commit_records_(dependencies_.metrics.histogram(telemetry::MetricId::kCommitRecords)),
      sync_seconds_(dependencies_.metrics.histogram(telemetry::MetricId::kLogSyncDuration)) {
    settings_.store(std::make_shared<const model::CollectionSettings>(spec_.settings));
    generation_ = make_generation();
    declared_fields_ = spec_.metadata_indexes;
    generation_->metadata.declare(declared_fields_);
}

LiveCollection::~LiveCollection() = default;

std::shared_ptr<Generation> LiveCollection::make_generation() const {
    uint64_t hash_key = 0;
    std::memcpy(&hash_key, spec_.id.bytes.data() + 8, sizeof(hash_key));
    index::GraphOptions graph = options_.graph;
    graph.layout = wanted_layout();
    return std::make_shared<Generation>(vectors_, graph, hash_key, options_.kernels);
}

index::Layout LiveCollection::wanted_layout() const {
    const auto settings = settings_.load();
    if (!settings->layout) {
        return options_.graph.layout;
    }
    switch (*settings->layout) {
        case model::IndexLayout::kSplit:
            return index::Layout::kSplit;
        case model::IndexLayout::kTurbo:
            return index::Layout::kTurbo;
        case model::IndexLayout::kAuto:
            break;
    }
    return index::Layout::kAuto;
}

void LiveCollection::change_settings(const model::CollectionSettings& settings) {
    settings_.store(std::make_shared<const model::CollectionSettings>(settings));
    if (layout_is_owed()) {
        schedule_maintenance();
    }
}

// ---- writes: each is prepared in its caller's thread, then goes through the lane

bool LiveCollection::lead_elsewhere() noexcept {
    return dependencies_.committer != nullptr &&
           dependencies_.committer->submit(
               "commit", [self = shared_from_this()](const std::stop_token&) { self->lane_.lead(); });
}

/// A key that is seen already needs neither room nor disk, and no log that works; out of service there is no
/// answer but that.
std::optional<Result<WriteReply>> LiveCollection::answer_of(const std::optional<model::WriteKey>& key) const {
    return key.has_value() && !is_damaged_.load() ? keys_.find(*key, published_.load()->sequence)
                                                  : std::nullopt;
}

Result<void> LiveCollection::prepare_upsert(PendingWrite& write, std::vector<model::Document> documents,
                                            const Rule& rule) const {
    AKIDB_TRY(validate_batch(spec_, documents));
    AKIDB_TRY(check_head());
    if (rule != nullptr) {
        AKIDB_TRY(check_rule(*rule, documents));
    }
    const bool has_conditions =
        std::any_of(documents.begin(), documents.end(),
                    [](const model::Document& document) { return document.if_version.has_value(); });
    if (!has_conditions && rule == nullptr) {
        return set_upsert(write, documents);
    }
    AKIDB_TRY(model::validate_versions(documents));
    write.resolve = [this, documents = std::move(documents), rule](PendingWrite& turn) -> Result<void> {
        if (rule != nullptr) {
            AKIDB_TRY(check_replaced(documents, *rule));
        }
        AKIDB_TRY(check_versions(documents));
        return set_upsert(turn, documents);
    };
    return {};
}

Result<void> LiveCollection::prepare_update(PendingWrite& write, model::UpdateRequest request,
                                            const Rule& rule) const {
    AKIDB_TRY(model::validate(request, spec_));
    AKIDB_TRY(check_head());
    write.resolve = [this, request = std::move(request), rule](PendingWrite& turn) {
        return resolve_update(turn, request, rule.get());
    };
    return {};
}

Result<void> LiveCollection::prepare_remove(PendingWrite& write, const std::vector<model::DocumentId>& ids,
                                            const Rule& rule) const {
    if (ids.empty() || ids.size() > model::kBatchDocumentsMax) {
        return invalid_argument("ids", std::to_string(ids.size()) + " ids",
                                "1.." + std::to_string(model::kBatchDocumentsMax));
    }
    std::vector<std::string> encoded(ids.size());
    std::transform(ids.begin(), ids.end(), encoded.begin(),
                   [](const model::DocumentId& id) { return id.encoded(); });
    if (rule != nullptr) {
        write.resolve = [this, encoded = std::move(encoded), rule](PendingWrite& turn) -> Result<void> {
            std::vector<std::string> covered = encoded;
            const Snapshot view = current_view();
            std::erase_if(
                covered, [&](const std::string& id) { return find_covered(view, id, rule.get()) == kNoRow; });
            turn.record = {storage::RecordType::kDelete, storage::encode_delete(covered)};
            return {};
        };
        return {};
    }
    write.record = {storage::RecordType::kDelete, storage::encode_delete(encoded)};
    return {};
}

template <class Prepare>
Result<WriteReply> LiveCollection::run(const std::optional<model::WriteKey>& key, Prepare prepare) {
    if (std::optional<Result<WriteReply>> known = answer_of(key)) {
        return std::move(*known);
    }
    PendingWrite write;
    write.key = key;
    AKIDB_TRY(prepare(write));
    return lane_.run(write);
}

template <class Prepare>
void LiveCollection::submit(const std::optional<model::WriteKey>& key, WriteDone done, Prepare prepare) {
    if (std::optional<Result<WriteReply>> known = answer_of(key)) {
        return done(std::move(*known));
    }
    auto write = std::make_unique<PendingWrite>();
    write->key = key;
    if (const Result<void> prepared = prepare(*write); !prepared.has_value()) {
        return done(prepared.error());
    }
    write->done = std::move(done);
    lane_.submit(std::move(write));
}

Result<WriteReply> LiveCollection::upsert(std::vector<model::Document> documents, const WriteTerms& terms) {
    return run(terms.key,
               [&](PendingWrite& write) { return prepare_upsert(write, std::move(documents), terms.rule); });
}

Result<WriteReply> LiveCollection::remove(const std::vector<model::DocumentId>& ids,
                                          const WriteTerms& terms) {
    return run(terms.key, [&](PendingWrite& write) { return prepare_remove(write, ids, terms.rule); });
}

void LiveCollection::submit_upsert(std::vector<model::Document> documents, WriteDone done,
                                   const WriteTerms& terms) {
    submit(terms.key, std::move(done),
           [&](PendingWrite& write) { return prepare_upsert(write, std::move(documents), terms.rule); });
}

void LiveCollection::submit_remove(const std::vector<model::DocumentId>& ids, WriteDone done,
                                   const WriteTerms& terms) {
    submit(terms.key, std::move(done),
           [&](PendingWrite& write) { return prepare_remove(write, ids, terms.rule); });
}

Result<WriteReply> LiveCollection::remove_matching(const model::Filter& filter, const WriteTerms& terms) {
    return run(terms.key, [&](PendingWrite& write) {
        write.resolve = [this, &filter](PendingWrite& turn) {
            resolve_removal(turn, filter);
            return Result<void>();
        };
        return model::validate(filter);
    });
}

Result<WriteReply> LiveCollection::update(model::UpdateRequest request, const WriteTerms& terms) {
    return run(terms.key,
               [&](PendingWrite& write) { return prepare_update(write, std::move(request), terms.rule); });
}

void LiveCollection::submit_update(model::UpdateRequest request, WriteDone done, const WriteTerms& terms) {
    submit(terms.key, std::move(done),
           [&](PendingWrite& write) { return prepare_update(write, std::move(request), terms.rule); });
}

Result<void> LiveCollection::prepare_group(std::span<PendingWrite* const> group) {
    if (is_poisoned_.load()) {
        return poisoned();
    }
    AKIDB_TRY(check_in_service());
    uint64_t rows = 0;
    uint64_t bytes = storage::kTimeRecordBytes;
    for (const PendingWrite* write : group) {
        rows += write->documents;
        bytes += write->record.body.size() + 8;
    }
    AKIDB_TRY(generation_->rows.reserve(rows));
    Result<void> reserved = log_->reserve(bytes);
    if (!reserved.has_value()) {
        note_poison();
        return reserved;
    }
    return {};
}

void LiveCollection::commit_group(std::span<PendingWrite* const> group) noexcept {
    if (group.front()->between_groups) {
        Result<void> done = group.front()->between_groups();
        group.front()->reply = done.has_value() ? Result<WriteReply>(WriteReply{}) : std::move(done).error();
        return;
    }
    std::vector<PendingWrite*> writes(group.begin(), group.end());
    const std::vector<RememberedKeys::Repeat> repeats = keys_.settle(writes);
    if (!writes.empty()) {
        commit_writes(writes);
    }
    keys_.answer(repeats);
}

void LiveCollection::commit_writes(std::vector<PendingWrite*>& writes) {
    if (PendingWrite& first = *writes.front(); first.resolve != nullptr) {
        if (const Result<void> resolved = first.resolve(first); !resolved) {
            first.reply = resolved.error();
            return;
        }
    }
    keys_.add_keys(writes);
    auto refuse = [&](const Error& error) {
        for (PendingWrite* write : writes) {
            write->reply = error;
        }
    };
    Result<void> prepared = prepare_group(writes);
    if (!prepared.has_value() && prepared.error().code() == Code::kDiskFull) {
        const Error full = prepared.error();
        prepared = prepare_deletes(writes, full);
    }
    if (!prepared.has_value()) {
        return refuse(prepared.error());
    }
    if (writes.empty()) {
        return;
    }
    std::vector<storage::LogRecord> records;
    records.reserve(writes.size());
    for (PendingWrite* write : writes) {
        records.push_back(std::move(write->record));
    }
    uint64_t sequence = log_->next_sequence();
    const uint64_t now_ms = dependencies_.clock.unix_ms();
    LogTimes times{.began_us = dependencies_.clock.monotonic_us(), .writes = writes.size()};
    stamped_ms_ = std::max(stamped_ms_, dependencies_.clock.stamp_ms());
    if (Result<void> logged = log_->append_group(records, stamped_ms_); !logged.has_value()) {
        note_poison();
        if (!is_poisoned_) {
            return refuse(logged.error());
        }
        dependencies_.logger.log(LogLevel::kError, "log write failed: writes are off",
                                 {{"collection", spec_.name}, {"error", logged.error().message()}});
        return refuse(Error(Code::kUnavailable, "outcome unknown: " + logged.error().message()));
    }
    note_logged(times);
    for (size_t i = 0; i < writes.size(); ++i, ++sequence) {
        writes[i]->reply = apply(sequence, records[i].type, records[i].body, now_ms);
        (*writes[i]->reply)->log = times;  // asserts that there is one: what is durable must become visible
    }
    log_bytes_ = log_->log_bytes();
    publish(sequence - 1);
    if (work_is_due()) {
        schedule_maintenance();
    }
}

/// The same for a fresh write and for replay.
Result<WriteReply> LiveCollection::apply(uint64_t sequence, storage::RecordType type, std::string_view body,
                                         uint64_t now_ms) {
    switch (type) {
        case storage::RecordType::kUpsert:
            return apply_upsert(sequence, body);
        case storage::RecordType::kDelete:
            return apply_delete(sequence, body, now_ms);
        case storage::RecordType::kKeyed:
            return apply_keyed(sequence, body);
        case storage::RecordType::kCleanStop:
        case storage::RecordType::kTime:
            return WriteReply{sequence, 0};
    }
    return Error(Code::kDataLoss, "a log record of unknown type " + std::to_string(static_cast<int>(type)));
}

Result<WriteReply> LiveCollection::apply_upsert(uint64_t sequence, std::string_view body) {
    std::vector<float> vectors(model::dimension_of_all(spec_));
    AKIDB_TRY(const auto items, storage::decode_upsert(body, static_cast<uint32_t>(vectors.size())));
    Generation& generation = *generation_;
    AKIDB_TRY(generation.rows.reserve(items.size()));
    for (const storage::UpsertItem& item : items) {
        std::memcpy(vectors.data(), item.vector.data(), item.vector.size());
        const uint32_t previous = generation.ids.find(item.id);
        const uint32_t row = generation.rows.append({vectors, sequence, item.id, item.metadata, previous});
        generation.ids.insert(row);
        if (previous != kNoRow && generation.rows.dead_at(previous) == 0) {
            generation.rows.mark_dead(previous, sequence);
        } else {
            ++live_;
        }
    }
    documents_written_.add(static_cast<double>(items.size()));
    return WriteReply{sequence, items.size()};
}

Result<WriteReply> LiveCollection::apply_delete(uint64_t sequence, std::string_view body, uint64_t now_ms) {
    AKIDB_TRY(const std::vector<std::string_view> ids, storage::decode_delete(body));
    Generation& generation = *generation_;
    uint64_t removed = 0;
    uint64_t deleted = 0;  // what had expired was not there
    for (const std::string_view id : ids) {
        const uint32_t row = generation.ids.find(id);
        if (row != kNoRow && generation.rows.dead_at(row) == 0) {
            generation.rows.mark_dead(row, sequence);
            ++removed;
            deleted += generation.rows.has_expired(row, now_ms) ? 0 : 1;
        }
    }
    live_ -= removed;
    documents_deleted_.add(static_cast<double>(deleted));
    return WriteReply{sequence, deleted};
}

Result<WriteReply> LiveCollection::apply_keyed(uint64_t sequence, std::string_view body) {
    AKIDB_TRY(const storage::KeyedRecord record, storage::decode_keyed(body));
    AKIDB_TRY(const WriteReply reply, apply(sequence, record.type, record.body, record.remembered_at_ms));
    keys_.add({record.key, record.remembered_at_ms, sequence, reply.count});
    return reply;
}

void LiveCollection::publish(uint64_t sequence) {
    published_.store(
        std::make_shared<const Snapshot>(Snapshot{generation_, sequence, generation_->rows.size(), live_}));
}

void LiveCollection::declare_metadata_indexes(const std::vector<model::MetadataField>& fields) {
    {
        MutexLock lock(generation_mutex_);
        declared_fields_ = fields;
        generation_->metadata.declare(fields);
    }
    if (indexing_is_due()) {
        schedule_maintenance();
    }
}

}  // namespace akidb::engine
