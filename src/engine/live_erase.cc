// Erasing documents: a delete, and then no file is left that was written before it.
#include <algorithm>
#include <iterator>

#include "engine/live_collection.h"
#include "storage/layout.h"

namespace akidb::engine {

Result<EraseReceipt> LiveCollection::erase(const std::vector<model::DocumentId>& ids, const Rule& rule) {
    WriteTerms terms;
    terms.rule = rule;
    AKIDB_TRY(const WriteReply deleted, remove(ids, terms));
    return purge(deleted);
}

Result<EraseReceipt> LiveCollection::erase_matching(const model::Filter& filter) {
    AKIDB_TRY(const WriteReply deleted, remove_matching(filter, {}));
    return purge(deleted);
}

Result<EraseReceipt> LiveCollection::purge(const WriteReply& deleted) noexcept {
    if (!own_maintenance()) {
        return Error(Code::kUnavailable,
                     "the documents are deleted, but the collection closed before the purge");
    }
    is_erasing_ = true;
    Result<EraseReceipt> receipt = purge_files();
    is_erasing_ = false;
    disown_maintenance();
    if (work_is_due()) {
        schedule_maintenance();
    }
    if (!receipt.has_value()) {
        return std::move(receipt).error().with_context(
            "the documents are deleted, but their bytes are not purged");
    }
    receipt->sequence = deleted.sequence;
    receipt->erased = deleted.count;
    dependencies_.logger.log(LogLevel::kInfo, "documents erased",
                             {{"collection", spec_.name},
                              {"erased", std::to_string(receipt->erased)},
                              {"rewritten_files", std::to_string(receipt->rewritten.size())},
                              {"removed_files", std::to_string(receipt->removed.size())}});
    return receipt;
}

/// Files that may hold bytes of documents, ascending.
Result<std::vector<std::string>> LiveCollection::list_document_files() const {
    std::vector<std::string> names;
    for (const std::string_view folder : {storage::kLogDirectory, storage::kSegmentDirectory}) {
        const std::string prefix = std::string(folder) + "/";
        AKIDB_TRY(const std::vector<io::DirectoryEntry> entries,
                  dependencies_.files.list(directory_ + "/" + std::string(folder)));
        for (const io::DirectoryEntry& entry : entries) {
            names.push_back(prefix + entry.name);
        }
    }
    const std::string lost(storage::kLostDirectory);
    const Result<std::vector<io::DirectoryEntry>> repairs = dependencies_.files.list(directory_ + "/" + lost);
    if (!repairs.has_value() && repairs.error().code() != Code::kNotFound) {
        return Error(repairs.error());
    }
    for (const io::DirectoryEntry& entry :
         repairs.has_value() ? *repairs : std::vector<io::DirectoryEntry>()) {
        names.push_back(lost + "/" + entry.name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// The name of the file that writes go on in, which nothing was written to yet.
Result<std::string> LiveCollection::start_log_file() {
    std::string name;
    PendingWrite between;
    between.between_groups = [this, &name]() -> Result<void> {
        name = storage::log_name(log_->next_sequence());
        Result<void> started = log_->start_file();
        note_poison();
        log_bytes_ = log_->log_bytes();
        return started;
    };
    AKIDB_TRY(lane_.run(between));
    return name;
}

/// What a repair set aside may hold anything.
Result<void> LiveCollection::remove_lost() {
    return io::remove_tree(dependencies_.files, directory_, std::string(storage::kLostDirectory));
}

/// The log file goes first: whatever is written from here on comes after the delete, and the checkpoint at
/// the end of the rewrite covers all files of before.
Result<EraseReceipt> LiveCollection::purge_files() {
    EraseReceipt receipt;
    AKIDB_TRY(std::vector<std::string> before, list_document_files());
    AKIDB_TRY(const std::string log, start_log_file());
    // A checkpoint that came between may have begun this file already.
    std::erase_if(before, [&](const std::string& name) { return name.ends_with(log); });
    AKIDB_TRY(const RewriteReport rewritten, rewrite_whole());
    if (rewritten.dropped_rows == 0) {
        AKIDB_TRY(run_checkpoint(LaneState::kOpen));
    }
    AKIDB_TRY(remove_lost());
    // A name that came back by a power cut would bring its bytes along.
    for (const std::string& directory : {log_directory(), segment_directory(), directory_}) {
        AKIDB_TRY(dependencies_.files.sync_directory(directory));
    }
    AKIDB_TRY(const std::vector<std::string> after, list_document_files());
    const std::vector<std::string> named = storage::segment_names(manifest_);
    for (const std::string& name : after) {
        const std::string_view file = std::string_view(name).substr(name.find('/') + 1);
        const bool was_there = std::binary_search(before.begin(), before.end(), name);
        const bool is_segment = name.starts_with(storage::kSegmentDirectory);
        const bool is_named = is_segment && std::binary_search(named.begin(), named.end(), file);
        if (was_there && !is_named) {
            return Error(Code::kUnavailable, name + " could not be removed").with_retry_after(1);
        }
        if (!was_there && is_named) {
            receipt.rewritten.push_back(name);
        }
    }
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                        std::back_inserter(receipt.removed));
    return receipt;
}

}  // namespace akidb::engine
