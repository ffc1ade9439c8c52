// A collection on disk as a server leaves it, made by the storage writers, and what is in it: two row files,
// a graph, tombstones, a log of three files' worth of frames. For tests only; not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "catalog/catalog.h"
#include "index/rows.h"
#include "model/document_id.h"
#include "model/metadata.h"
#include "offline/assessment.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_survey.h"
#include "storage/log_writer.h"

namespace akidb::offline {

inline constexpr uint32_t kDimension = 16;
inline constexpr uint64_t kFirstRows = 1000;
inline constexpr uint64_t kSecondRows = 600;
inline constexpr uint64_t kRowCount = kFirstRows + kSecondRows;
inline constexpr uint64_t kDeadEvery = 10;  // rows 5, 15, 25 … were deleted
inline constexpr uint64_t kLogGroups = 30;  // each: two upserts of new ids, and a delete of an old one

class CollectionOnDisk {
  public:
    explicit CollectionOnDisk(model::VectorStorage storage = model::VectorStorage::kF32) {
        files.skip_syncs();
        spec.storage = storage;
        spec.id = storage::test_collection();
        spec.name = "words";
        spec.dimension = kDimension;
        for (const std::string& made : {data + "/collections", directory, log, seg}) {
            std::filesystem::create_directories(made);
        }
        auto catalog = catalog::Catalog::open(data + "/akidb.db");
        EXPECT_TRUE(catalog.has_value());
        EXPECT_TRUE((*catalog)->insert_collection(spec).has_value());
        EXPECT_TRUE((*catalog)->set_collection_state(spec.id, catalog::CollectionState::kActive).has_value());
        write_segments();
        write_log();
    }

    std::string only(const std::string& folder, const std::string& part) const {
        for (const std::string& name : storage::names_in(folder)) {
            if (name.find(part) != std::string::npos) {
                return folder + "/" + name;
            }
        }
        ADD_FAILURE() << "no " << part << " in " << folder;
        return {};
    }
    std::string first_rows() const { return only(seg, storage::rows_name(0, kFirstRows, 1)); }
    std::string second_rows() const { return only(seg, storage::rows_name(kFirstRows, kSecondRows, 1)); }
    std::string dead() const { return only(seg, ".dead"); }
    std::string graph() const { return only(seg, ".graph"); }
    std::string keys() const { return only(seg, ".keys"); }

    /// The only key in the file, of number 0; those of the groups of the log count from 1.
    static model::WriteKey key_of(uint64_t number) {
        model::WriteKey key;
        key.key = Digester().add(std::to_string(number)).finish();
        return key;
    }
    /// What a start would remember, by sequence.
    std::vector<storage::RememberedKey> remembered() {
        const Result<Assessment> found = assess(files, directory, &spec, stride());
        EXPECT_TRUE(found.has_value() && found->is_whole());
        const Result<LogHistory> history = read_log_history(files, log, found->manifest);
        EXPECT_TRUE(history.has_value());
        std::vector<storage::RememberedKey> all = found->keys;
        all.insert(all.end(), history->keys.begin(), history->keys.end());
        return all;
    }

    static void flip(const std::string& path, uint64_t offset) {
        storage::write_bytes(path, storage::with_flipped_bit(storage::read_bytes(path), offset * 8));
    }

    /// Every file below the collection, by path.
    std::map<std::string, std::string> content() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
            if (entry.is_regular_file()) {
                all[entry.path()] = storage::read_bytes(entry.path());
            }
        }
        return all;
    }

    /// Ids that a start would serve with their versions, once all is whole.
    std::map<std::string, uint64_t> served() {
        std::map<std::string, uint64_t> live;
        const Result<Assessment> found = assess(files, directory, &spec, stride());
        EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().message());
        if (!found || !found->is_whole()) {
            ADD_FAILURE() << "damaged: " << (found ? found->damage.front() : "");
            return live;
        }
        std::set<uint64_t> dead_rows;
        for (const storage::DeadRow& mark : found->dead.dead) {
            dead_rows.insert(mark.row);
        }
        for (const RowsFile& file : found->rows) {
            for (uint64_t i = 0; i < file.entry.row_count; ++i) {
                if (!dead_rows.contains(file.entry.first_row + i)) {
                    const std::string id(file.whole->id(i));
                    EXPECT_FALSE(live.contains(id)) << "two live rows of one id";
                    live[id] = file.whole->version(i);
                    check_vector(*file.whole, i);
                }
            }
        }
        const Result<LogHistory> history = read_log_history(files, log, found->manifest);
        EXPECT_TRUE(history.has_value());
        for (const auto& [id, effect] : history->effects) {
            live.erase(id);
            if (!effect.is_deleted) {
                live[id] = effect.sequence;
            }
        }
        return live;
    }

    /// Words of a row.
    uint32_t stride() const { return index::row_stride(kDimension, spec.storage); }
    static std::string id_of(uint64_t number) { return model::DocumentId(number).encoded(); }

    storage::TempDirectory root;
    storage::FaultyFileSystem files;
    model::CollectionSpec spec;
    std::string data = root.path();
    std::string directory = data + "/collections/" + storage::test_collection().to_string();
    std::string log = directory + "/log";
    std::string seg = directory + "/seg";

  private:
    void check_vector(const storage::RowsSegment& segment, uint64_t index) const {
        index::Rows rows({spec.metric, kDimension, spec.storage});
        rows.set_chunk(0, segment.vectors() + index * rows.row_bytes());
        std::vector<float> room(kDimension);
        std::vector<float> expected(kDimension, static_cast<float>(segment.version(index)));
        index::round_to_stored(spec.storage, expected);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), rows.vector(0, room.data())));
    }

    storage::ManifestRows write_rows(uint64_t first, uint64_t count) {
        std::vector<std::byte> row(stride() * sizeof(uint32_t));
        std::vector<float> vector(kDimension);
        std::string id;
        auto file = storage::write_rows_segment(
            files, seg, storage::rows_name(first, count, 1),
            {spec.id, first, count, {stride(), spec.storage}}, [&](uint64_t index) {
                std::fill(vector.begin(), vector.end(), static_cast<float>(first + index + 1));
                index::encode_row({spec.metric, kDimension, spec.storage}, vector, row);
                id = id_of(first + index);
                return storage::RowRecord{as_text(row), first + index + 1, id, model::empty_metadata()};
            });
        EXPECT_TRUE(file.has_value());
        return {*file, first, count};
    }

    void write_segments() {
        storage::Manifest manifest;
        manifest.version = 1;
        manifest.collection = spec.id;
        manifest.dimension = kDimension;
        manifest.storage = spec.storage;
        manifest.covered_sequence = 2 * kRowCount;
        manifest.rows = {write_rows(0, kFirstRows), write_rows(kFirstRows, kSecondRows)};
        std::vector<storage::DeadRow> marks;
        for (uint32_t row = 5; row < kRowCount; row += kDeadEvery) {
            marks.push_back({row, kRowCount + row});
        }
        manifest.dead = *storage::write_dead_segment(files, seg, storage::dead_name(1), spec.id, marks);
        manifest.graph = *storage::write_graph_segment(
            files, seg, storage::graph_name(1), spec.id, kRowCount, 2,
            [](uint32_t begin, uint32_t end, std::string& out) { out.append((end - begin) * 8, '\0'); });
        manifest.keys = *storage::write_keys_segment(files, seg, storage::keys_name(1), spec.id,
                                                     {{key_of(0), 1, manifest.covered_sequence, 7}});
        EXPECT_TRUE(storage::write_manifest(files, directory, manifest).has_value());
    }

    void write_log() {
        auto writer = storage::LogWriter::open(files, log, spec.id, 2 * kRowCount + 1,
                                               {.file_bytes = 3072, .preallocate_bytes_min = 1024});
        ASSERT_TRUE(writer.has_value());
        for (uint64_t group = 0; group < kLogGroups; ++group) {
            std::vector<storage::LogRecord> records;
            for (uint64_t i = 0; i < 2; ++i) {
                model::Document document;
                document.id = model::DocumentId(10'000 + group * 2 + i);
                document.vector.assign(kDimension, static_cast<float>(2 * kRowCount + group * 3 + i + 1));
                document.metadata = model::empty_metadata();
                records.push_back({storage::RecordType::kUpsert, storage::encode_upsert({document})});
            }
            records.push_back({storage::RecordType::kDelete, storage::encode_delete({id_of(group * 50)})});
            storage::add_key(records[group % 3], key_of(group + 1), 1);
            ASSERT_TRUE((*writer)->append_group(records).has_value());
        }
    }
};

}  // namespace akidb::offline
