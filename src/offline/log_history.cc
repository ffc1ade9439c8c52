#include "offline/log_history.h"

#include <algorithm>

#include "model/document_id.h"
#include "storage/durable_files.h"
#include "storage/layout.h"
#include "storage/log_file_scanner.h"
#include "storage/log_survey.h"

namespace akidb::offline {
namespace {

class Reader {
  public:
    Reader(io::FileSystem& files, const std::string& directory, const storage::Manifest& manifest)
        : files_(files), directory_(directory), manifest_(manifest) {
        found_.kept_up_to = manifest.covered_sequence;
        found_.known_up_to = manifest.covered_sequence;
    }

    Result<LogHistory> run() {
        Result<std::vector<io::DirectoryEntry>> entries = files_.list(directory_);
        if (!entries) {
            return entries.error().code() == Code::kNotFound ? Result<LogHistory>(std::move(found_))
                                                             : std::move(entries).error();
        }
        for (const io::DirectoryEntry& entry : *entries) {
            if (const std::optional<uint64_t> first = storage::parse_log_name(entry.name)) {
                found_.files.push_back(entry.name);
                found_.known_up_to = std::max(found_.known_up_to, *first == 0 ? 0 : *first - 1);
            }
        }
        std::sort(found_.files.begin(), found_.files.end());
        for (const std::string& name : found_.files) {
            AKIDB_TRY(read_file(name));
        }
        return std::move(found_);
    }

  private:
    /// A file whose name says that it goes on behind the manifest, or that nothing comes after it, may have
    /// held writes that nothing else has.
    Result<void> note_unprovable(storage::LogFileScanner& scanner, const std::string& name) {
        AKIDB_TRY(
            const storage::LogTail tail,
            scanner.scan_tail(std::nullopt, std::min<uint64_t>(storage::kLogHeaderBytes, scanner.size())));
        const uint64_t first = storage::parse_log_name(name).value_or(0);
        if (tail.garbage_bytes == 0 || (name != found_.files.back() && first <= manifest_.covered_sequence)) {
            return {};
        }
        found_.unprovable_files.push_back(name);
        found_.known_up_to =
            std::max(found_.known_up_to, first + tail.garbage_bytes / storage::kRecordHeaderBytes);
        return {};
    }

    Result<void> read_file(const std::string& name) {
        const std::string path = storage::join_path(directory_, name);
        AKIDB_TRY(storage::LogFileScanner scanner, storage::LogFileScanner::open(files_, path));
        AKIDB_TRY(const std::optional<storage::LogFileHeader> header, scanner.read_header());
        if (!header || header->collection != manifest_.collection ||
            !storage::is_known_log_format(header->format_version)) {
            return note_unprovable(scanner, name);
        }
        AKIDB_TRY(
            const storage::LogFileSurvey seen,
            storage::survey_log_file(files_, path, [this](const storage::LogSpan& span) -> Result<void> {
                take(span);
                return {};
            }));
        found_.known_up_to = std::max(found_.known_up_to, seen.last_sequence);
        return {};
    }

    void take(const storage::LogSpan& span) {
        if (span.kind == storage::LogSpanKind::kMalformed) {
            is_broken_ = true;
        }
        if (span.kind != storage::LogSpanKind::kFrame) {
            return;
        }
        for (const storage::LogSpanRecord& record : span.records) {
            if (record.sequence <= found_.kept_up_to) {
                continue;
            }
            is_broken_ = is_broken_ || record.sequence != found_.kept_up_to + 1 || !keep(record);
            if (is_broken_) {
                drop(record);
            } else {
                found_.kept_up_to = record.sequence;
                ++found_.kept_records;
            }
        }
    }

    /// False when the record does not decode; nothing of it is kept then.
    bool keep(const storage::LogSpanRecord& record) {
        if (record.type == storage::RecordType::kKeyed) {
            return keep_keyed(record);
        }
        if (record.type == storage::RecordType::kDelete) {
            const auto ids = storage::decode_delete(record.body);
            if (!ids) {
                return false;
            }
            for (const std::string_view id : *ids) {
                found_.effects[std::string(id)] = {record.sequence, true, {}, {}};
            }
            return true;
        }
        const auto items = storage::decode_upsert(record.body, storage::dimension_of_all(manifest_));
        if (!items || !std::all_of(items->begin(), items->end(), [](const storage::UpsertItem& item) {
                return model::DocumentId::decode(item.id).has_value();
            })) {
            return false;
        }
        for (const storage::UpsertItem& item : *items) {
            found_.effects[std::string(item.id)] = {record.sequence, false, std::string(item.vector),
                                                    std::string(item.metadata)};
        }
        return true;
    }

    /// How many of its documents a delete found cannot be told without the rows.
    bool keep_keyed(const storage::LogSpanRecord& record) {
        const auto keyed = storage::decode_keyed(record.body);
        if (!keyed || !keep({record.sequence, keyed->type, record.offset, keyed->body})) {
            return false;
        }
        const bool is_upsert = keyed->type == storage::RecordType::kUpsert;
        const uint64_t count = is_upsert ? ByteReader(keyed->body).get<uint32_t>() : storage::kCountLost;
        found_.keys.push_back({keyed->key, keyed->remembered_at_ms, record.sequence, count});
        return true;
    }

    void drop(const storage::LogSpanRecord& record) {
        ++found_.dropped_records;
        count_undone(record);
    }

    void count_undone(const storage::LogSpanRecord& record) {
        if (record.type == storage::RecordType::kKeyed) {
            if (const auto keyed = storage::decode_keyed(record.body)) {
                count_undone({record.sequence, keyed->type, record.offset, keyed->body});
            }
            return;
        }
        if (record.type != storage::RecordType::kDelete) {
            return;
        }
        const auto ids = storage::decode_delete(record.body);
        if (!ids) {
            return;
        }
        found_.undone_deletes += ids->size();
        for (const std::string_view bytes : *ids) {
            const auto id = model::DocumentId::decode(bytes);
            if (id && found_.undone_delete_ids.size() < kIdsToldMax) {
                found_.undone_delete_ids.push_back(id->to_string());
            }
        }
    }

    io::FileSystem& files_;
    const std::string& directory_;
    const storage::Manifest& manifest_;
    LogHistory found_;
    bool is_broken_ = false;
};

}  // namespace

Result<LogHistory> read_log_history(io::FileSystem& files, const std::string& directory,
                                    const storage::Manifest& manifest) {
    return Reader(files, directory, manifest).run();
}

}  // namespace akidb::offline
