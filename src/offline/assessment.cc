#include "offline/assessment.h"

#include <utility>

#include "index/rows.h"
#include "model/document_id.h"
#include "storage/durable_files.h"
#include "storage/layout.h"
#include "storage/log_file_scanner.h"
#include "storage/log_reader.h"
#include "storage/segment_container.h"

namespace akidb::offline {
namespace {

using storage::join_path;

class Assessor {
  public:
    Assessor(io::FileSystem& files, const std::string& directory, uint32_t stride)
        : files_(files),
          directory_(directory),
          segments_(join_path(directory, storage::kSegmentDirectory)),
          stride_(stride) {}

    Result<Assessment> run(const model::CollectionSpec* spec) {
        AKIDB_TRY(read_manifest(spec));
        choose_form();
        for (const storage::ManifestRows& entry : found_.manifest.rows) {
            AKIDB_TRY(read_rows(entry));
        }
        AKIDB_TRY(read_dead());
        AKIDB_TRY(read_graph(found_.manifest.graph));
        for (const storage::ManifestVector& vector : found_.manifest.vectors) {
            AKIDB_TRY(read_graph(vector.graph));
        }
        AKIDB_TRY(read_keys());
        AKIDB_TRY(read_log());
        return std::move(found_);
    }

  private:
    Result<void> read_manifest(const model::CollectionSpec* spec) {
        AKIDB_TRY(std::optional<storage::Manifest> manifest, storage::read_manifest(files_, directory_));
        if (manifest) {
            found_.manifest = std::move(*manifest);
        } else if (spec != nullptr) {
            found_.manifest.collection = spec->id;
            storage::take_vectors_of(*spec, found_.manifest);
        } else {
            AKIDB_TRY(identify_by_log());
        }
        const storage::Manifest& named = found_.manifest;
        if (spec != nullptr && (named.collection != spec->id || !storage::has_vectors_of(named, *spec))) {
            return Error(Code::kDataLoss, directory_ + ": the manifest belongs to another collection");
        }
        if (!named.rows.empty() &&
            named.rows.back().first_row + named.rows.back().row_count > index::kRowsMax) {
            return Error(Code::kDataLoss, directory_ + ": the manifest names more rows than there can be");
        }
        return {};
    }

    /// A collection without a checkpoint: its log says whose it is, and nothing says the dimension.
    Result<void> identify_by_log() {
        const std::string logs = join_path(directory_, storage::kLogDirectory);
        Result<std::vector<io::DirectoryEntry>> entries = files_.list(logs);
        for (const io::DirectoryEntry& entry : entries ? *entries : std::vector<io::DirectoryEntry>()) {
            AKIDB_TRY(storage::LogFileScanner scanner,
                      storage::LogFileScanner::open(files_, join_path(logs, entry.name)));
            AKIDB_TRY(const std::optional<storage::LogFileHeader> header, scanner.read_header());
            if (header) {
                found_.manifest.collection = header->collection;
                return {};
            }
        }
        return Error(Code::kNotFound, directory_ + " holds neither a manifest nor a log");
    }

    void choose_form() {
        const storage::Manifest& manifest = found_.manifest;
        const std::vector<model::VectorSpec> vectors = storage::vectors_of(manifest);
        found_.form = {stride_ != 0 ? stride_ : index::row_stride(vectors),
                       vectors.empty() ? manifest.storage : vectors.front().storage};
        uint64_t vector_bytes = 0;
        for (const model::VectorSpec& vector : vectors) {
            vector_bytes += uint64_t{vector.dimension} * index::component_bytes(vector.storage);
        }
        for (const storage::ManifestRows& entry : found_.manifest.rows) {
            const auto segment =
                storage::SegmentContainer::open_alone(files_, join_path(segments_, entry.file.name));
            if (stride_ == 0 && segment && segment->header().form().row_bytes() >= vector_bytes) {
                found_.form.stride = segment->header().width;
                break;
            }
        }
    }

    /// Damage becomes a line of the report; everything else ends the assessment.
    Result<bool> is_whole(const Result<void>& outcome) {
        if (outcome) {
            return true;
        }
        if (outcome.error().code() != Code::kDataLoss) {
            return Error(outcome.error());
        }
        found_.damage.push_back(outcome.error().message());
        return false;
    }

    Result<void> note_set_aside(const storage::ManifestFile& file) {
        if (files_.open_read(join_path(segments_, file.name))) {
            return {};
        }
        const std::string lost = join_path(directory_, storage::kLostDirectory);
        Result<std::vector<io::DirectoryEntry>> repairs = files_.list(lost);
        if (!repairs) {
            return repairs.error().code() == Code::kNotFound ? Result<void>() : std::move(repairs).error();
        }
        for (const io::DirectoryEntry& entry : *repairs) {
            const std::string path = join_path(join_path(lost, entry.name), file.name);
            if (entry.is_directory && files_.open_read(path)) {
                found_.set_aside.push_back(path);
                return {};
            }
        }
        return {};
    }

    Result<void> read_rows(const storage::ManifestRows& entry) {
        RowsFile file{.entry = entry, .whole = nullptr, .remaining = nullptr};
        AKIDB_TRY(note_set_aside(entry.file));
        auto open = [&]() -> Result<void> {
            AKIDB_TRY(file.whole, storage::RowsSegment::open(files_, segments_, entry,
                                                             found_.manifest.collection, found_.form));
            AKIDB_TRY(file.whole->verify_vectors([] { return false; }));
            for (uint64_t row = 0; row < entry.row_count; ++row) {
                if (!model::DocumentId::decode(file.whole->id(row))) {
                    return Error(Code::kDataLoss, join_path(segments_, entry.file.name) + ": row " +
                                                      std::to_string(row) + " has no valid id");
                }
            }
            return {};
        };
        AKIDB_TRY(const bool whole, is_whole(open()));
        if (!whole) {
            file.whole = nullptr;
            AKIDB_TRY(file.remaining, storage::SalvagedRows::open(files_, segments_, entry, found_.form));
            add_blocks(join_path(segments_, entry.file.name), file.remaining->faults());
        }
        found_.rows.push_back(std::move(file));
        return {};
    }

    /// The reader stops at the first fault; the report has every block, too.
    void add_blocks(const std::string& path, const std::vector<storage::SegmentFault>& faults) {
        const std::string first = found_.damage.back();
        for (const storage::SegmentFault& fault : faults) {
            const std::string line = storage::damage(path, fault.offset, fault.what).message();
            if (fault.offset > 0 && line != first) {
                found_.damage.push_back(line);
            }
        }
    }

    Result<void> read_dead() {
        const std::optional<storage::ManifestFile>& entry = found_.manifest.dead;
        if (!entry) {
            return {};
        }
        AKIDB_TRY(note_set_aside(*entry));
        auto open = [&]() -> Result<void> {
            AKIDB_TRY(found_.dead.dead,
                      storage::open_dead_segment(files_, segments_, *entry, found_.manifest.collection));
            for (const storage::DeadRow& mark : found_.dead.dead) {
                if (mark.row >= found_.row_count() || mark.sequence == 0 ||
                    mark.sequence > found_.manifest.covered_sequence) {
                    return Error(Code::kDataLoss, join_path(segments_, entry->name) +
                                                      ": a tombstone that the manifest does not cover");
                }
            }
            return {};
        };
        AKIDB_TRY(const bool whole, is_whole(open()));
        if (!whole) {
            found_.dead_is_damaged = true;
            AKIDB_TRY(found_.dead, storage::salvage_dead_segment(files_, segments_, *entry));
            add_blocks(join_path(segments_, entry->name), found_.dead.faults);
        }
        return {};
    }

    Result<void> read_graph(const std::optional<storage::ManifestFile>& entry) {
        if (!entry) {
            return {};
        }
        AKIDB_TRY(note_set_aside(*entry));
        auto open = [&]() -> Result<void> {
            AKIDB_TRY(const storage::GraphLists lists,
                      storage::open_graph_segment(files_, segments_, *entry, found_.manifest.collection));
            return lists.row_count <= found_.row_count()
                       ? Result<void>()
                       : Error(Code::kDataLoss, join_path(segments_, entry->name) +
                                                    ": the graph has more rows than the segments");
        };
        AKIDB_TRY(const bool whole, is_whole(open()));
        found_.graph_is_damaged = found_.graph_is_damaged || !whole;
        return {};
    }

    Result<void> read_keys() {
        const std::optional<storage::ManifestFile>& entry = found_.manifest.keys;
        if (!entry) {
            return {};
        }
        AKIDB_TRY(note_set_aside(*entry));
        auto open = [&]() -> Result<void> {
            AKIDB_TRY(found_.keys,
                      storage::open_keys_segment(files_, segments_, *entry, found_.manifest.collection));
            return found_.keys.empty() || found_.keys.back().sequence <= found_.manifest.covered_sequence
                       ? Result<void>()
                       : Error(Code::kDataLoss, join_path(segments_, entry->name) +
                                                    ": a remembered key that the manifest does not cover");
        };
        AKIDB_TRY(const bool whole, is_whole(open()));
        if (!whole) {
            found_.keys_are_damaged = true;
            found_.keys.clear();
        }
        return {};
    }

    Result<void> decode(storage::RecordType type, std::string_view body) const {
        if (type == storage::RecordType::kKeyed) {
            AKIDB_TRY(const storage::KeyedRecord keyed, storage::decode_keyed(body));
            return decode(keyed.type, keyed.body);
        }
        if (type == storage::RecordType::kDelete) {
            AKIDB_TRY(storage::decode_delete(body));
        } else if (const uint32_t dimension = storage::dimension_of_all(found_.manifest); dimension > 0) {
            AKIDB_TRY(storage::decode_upsert(body, dimension));
        }
        return {};
    }

    Result<void> read_log() {
        const std::string directory = join_path(directory_, storage::kLogDirectory);
        const storage::Manifest& manifest = found_.manifest;
        auto decode_record = [&](uint64_t sequence, storage::RecordType type,
                                 std::string_view body) -> Result<void> {
            Result<void> decoded = decode(type, body);
            return decoded ? std::move(decoded)
                           : std::move(decoded).error().with_context(directory + ": record " +
                                                                     std::to_string(sequence));
        };
        const Result<storage::LogRecovery> read = storage::read_log(files_, directory, manifest.collection,
                                                                    manifest.covered_sequence, decode_record);
        AKIDB_TRY(const bool whole, is_whole(read ? Result<void>() : Result<void>(read.error())));
        found_.log_is_damaged = !whole;
        if (whole) {
            found_.log_records = read->records;
            found_.torn_bytes = read->torn_bytes;
            return {};
        }
        AKIDB_TRY(found_.history, read_log_history(files_, directory, manifest));
        return {};
    }

    io::FileSystem& files_;
    const std::string& directory_;
    const std::string segments_;
    const uint32_t stride_;
    Assessment found_;
};

}  // namespace

Result<Assessment> assess(io::FileSystem& files, const std::string& directory,
                          const model::CollectionSpec* spec, uint32_t stride) {
    return Assessor(files, directory, stride).run(spec);
}

}  // namespace akidb::offline
