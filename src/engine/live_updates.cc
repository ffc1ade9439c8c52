// Writes that depend on what is there: each becomes an upsert or a delete of resolved documents when its turn
// in the lane has come, so the log knows no conditions and replay decides nothing.
#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "engine/filter_matches.h"
#include "engine/live_collection.h"
#include "engine/query.h"
#include "engine/row_rule.h"

namespace akidb::engine {
namespace {

// What one record may hold; above every body limit of the protocols, so that only updates by filter, and
// programs inside, can meet it.
constexpr size_t kRecordBytesMax = 256 << 20;

std::string version_text(uint32_t row, const Snapshot& snapshot) {
    return row == kNoRow
               ? "there is no such document"
               : "the document has version " + std::to_string(snapshot.generation->rows.version(row));
}

Result<void> check_version(const Snapshot& snapshot, uint32_t row, uint64_t wanted) {
    const uint64_t version = row == kNoRow ? 0 : snapshot.generation->rows.version(row);
    if (version == wanted) {
        return {};
    }
    return Error(Code::kConflict, version_text(row, snapshot))
        .with_field("if_version")
        .with_allowed(row == kNoRow ? "0 to write a new document" : std::to_string(version));
}

/// As model::changed_metadata makes it, or larger: what is removed, or replaced by a merge, is counted.
uint64_t metadata_bytes_after(const model::DocumentChange& change, uint64_t before) {
    return change.set ? change.set->size() : before + (change.merge ? change.merge->size() : 0);
}

/// Of so many rows spread over all.
uint64_t mean_metadata_bytes(const Snapshot& snapshot) {
    constexpr uint32_t kSampleRows = 64;
    uint64_t bytes = 0;
    uint64_t seen = 0;
    for (uint32_t row = 0; row < snapshot.rows; row += std::max(1U, snapshot.rows / kSampleRows)) {
        bytes += snapshot.generation->rows.metadata(row).size();
        ++seen;
    }
    return seen == 0 ? 0 : bytes / seen;
}

std::string at(size_t i) {
    return "documents[" + std::to_string(i) + "]";
}

/// Documents as they become, each once: the later change of an id starts from the earlier one's result.
class Changed {
  public:
    explicit Changed(const Snapshot& snapshot) : snapshot_(snapshot) {}

    Result<void> change(uint32_t row, const model::DocumentChange& change) {
        const auto [known, is_new] = places_.try_emplace(row, documents_.size());
        if (is_new) {
            documents_.push_back(document_at(snapshot_, row, {.vector = true, .metadata = true}));
        }
        model::Document& document = documents_[known->second];
        bytes_ -= is_new ? 0 : model::content_bytes(document);
        AKIDB_TRY(document.metadata, model::changed_metadata(change, model::MetadataView(document.metadata)));
        model::change_vectors(change, document);
        document.expires_at_ms = change.expires_at_ms.value_or(document.expires_at_ms);
        bytes_ += model::content_bytes(document);
        return {};
    }
    bool is_too_large() const { return bytes_ > kRecordBytesMax; }
    const std::vector<model::Document>& documents() const { return documents_; }

  private:
    const Snapshot& snapshot_;
    std::unordered_map<uint32_t, size_t> places_;
    std::vector<model::Document> documents_;
    size_t bytes_ = 0;
};

/// `field`: what selects the documents.
Error too_large(std::string field) {
    return invalid_argument(std::move(field),
                            "the documents are more than one write can hold with their vectors",
                            "documents of at most 256 MiB in all");
}

}  // namespace

/// kRateLimited while too many rows wait for the graph.
Result<void> LiveCollection::check_head() const {
    const auto snapshot = published_.load();
    const auto& indexes = snapshot->generation->indexes;
    if (std::any_of(indexes.begin(), indexes.end(), [&](const auto& index) {
            return head_rows(*snapshot, *index) > options_.head_rows_max;
        })) {
        return Error(Code::kRateLimited,
                     "more documents wait to be indexed than the setting index.head_rows_max allows")
            .with_retry_after(1);
    }
    return {};
}

Result<void> LiveCollection::set_upsert(PendingWrite& write,
                                        const std::vector<model::Document>& documents) const {
    write.documents = documents.size();
    write.record = {storage::RecordType::kUpsert, storage::encode_upsert(documents, spec_.vectors)};
    if (write.record.body.size() > kRecordBytesMax) {
        return Error(Code::kPayloadTooLarge, "the batch is too large").with_field("documents");
    }
    return admit_upsert(write.record.body.size());
}

void LiveCollection::resolve_removal(PendingWrite& write, const model::Filter& filter) const {
    const Snapshot view = current_view();
    std::vector<std::string> ids;
    for (const uint32_t row : matching_rows(view, &filter)) {
        ids.emplace_back(view.generation->rows.id(row));
    }
    write.record = {storage::RecordType::kDelete, storage::encode_delete(ids)};
}

Result<void> LiveCollection::check_versions(const std::vector<model::Document>& documents) const {
    const Snapshot view = current_view();
    for (size_t i = 0; i < documents.size(); ++i) {
        if (const auto& wanted = documents[i].if_version) {
            Result<void> checked = check_version(view, view.find(documents[i].id.encoded()), *wanted);
            if (!checked) {
                return std::move(checked).error().with_field_prefix(at(i));
            }
        }
    }
    return {};
}

Result<void> LiveCollection::check_replaced(const std::vector<model::Document>& documents,
                                            const model::Filter& rule) const {
    const Snapshot view = current_view();
    for (size_t i = 0; i < documents.size(); ++i) {
        const std::string id = documents[i].id.encoded();
        if (view.find(id) != kNoRow && find_covered(view, id, &rule) == kNoRow) {
            return Error(Code::kPermissionDenied,
                         "the row rule of the key does not let it replace this document")
                .with_field(at(i) + ".id");
        }
    }
    return {};
}

Result<void> LiveCollection::resolve_update(PendingWrite& write, const model::UpdateRequest& request,
                                            const model::Filter* rule) const {
    const Snapshot view = current_view();
    Changed changed(view);
    if (const auto* documents = std::get_if<std::vector<model::DocumentUpdate>>(&request)) {
        for (size_t i = 0; i < documents->size(); ++i) {
            const model::DocumentUpdate& update = (*documents)[i];
            const uint32_t row = find_covered(view, update.id.encoded(), rule);
            Result<void> done =
                update.if_version ? check_version(view, row, *update.if_version) : Result<void>();
            if (done && row != kNoRow) {
                done = changed.change(row, update.change);
            }
            if (!done) {
                return std::move(done).error().with_field_prefix(at(i));
            }
            if (changed.is_too_large()) {
                return too_large("documents");
            }
        }
        return set_changed(write, changed.documents(), rule);
    }
    const auto& all = *std::get_if<model::UpdateAll>(&request);
    std::vector<uint32_t> rows;
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&all.which)) {
        for (const model::DocumentId& id : *ids) {
            if (const uint32_t row = find_covered(view, id.encoded(), rule); row != kNoRow) {
                rows.push_back(row);
            }
        }
    } else {
        rows = matching_rows(view, std::get_if<std::shared_ptr<const model::Filter>>(&all.which)->get());
        std::erase_if(rows, [&](uint32_t row) { return !is_covered(view, row, rule); });
    }
    for (const uint32_t row : rows) {
        AKIDB_TRY(changed.change(row, all.change));
        if (changed.is_too_large()) {
            return too_large(std::holds_alternative<std::vector<model::DocumentId>>(all.which) ? "ids"
                                                                                               : "filter");
        }
    }
    return set_changed(write, changed.documents(), rule);
}

WriteSize LiveCollection::estimate_update(const model::UpdateRequest& request) const {
    const Snapshot view = current_view();
    WriteSize size;
    const auto add = [&](const model::DocumentId& id, const model::DocumentChange& change) {
        if (const uint32_t row = view.find(id.encoded()); row != kNoRow) {
            ++size.documents;
            size.metadata_bytes += metadata_bytes_after(change, view.generation->rows.metadata(row).size());
        }
    };
    if (const auto* documents = std::get_if<std::vector<model::DocumentUpdate>>(&request)) {
        for (const model::DocumentUpdate& update : *documents) {
            add(update.id, update.change);
        }
        return size;
    }
    const auto& all = *std::get_if<model::UpdateAll>(&request);
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&all.which)) {
        for (const model::DocumentId& id : *ids) {
            add(id, all.change);
        }
        return size;
    }
    const auto& filter = *std::get_if<std::shared_ptr<const model::Filter>>(&all.which);
    if (filter == nullptr || filter->is_empty()) {
        size.documents = view.live;
    } else if (model::validate(*filter)) {
        size.documents = std::min<uint64_t>(
            view.live, static_cast<uint64_t>(std::llround(FilterMatches(view, *filter).count())));
    }
    size.metadata_bytes = size.documents * metadata_bytes_after(all.change, mean_metadata_bytes(view));
    return size;
}

Result<void> LiveCollection::set_changed(PendingWrite& write, const std::vector<model::Document>& documents,
                                         const model::Filter* rule) const {
    if (rule != nullptr) {
        AKIDB_TRY(check_rule(*rule, documents));
    }
    return set_upsert(write, documents);
}

}  // namespace akidb::engine
