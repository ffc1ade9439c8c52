// A collection on disk as a server leaves it, made by the storage writers, and what is in it: two row files,
// a graph for each vector, tombstones, a log of three files' worth of frames. All vectors of a document are
// the number of the write that made it, and every third document lacks those with names. For tests only; not
// thread-safe.
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
#include "model/expiry.h"
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
    static model::CollectionSpec plain(model::VectorStorage storage = model::VectorStorage::kF32) {
        return {.name = "words", .dimension = kDimension, .storage = storage};
    }

    /// `shape`: what vectors there are.
    explicit CollectionOnDisk(model::CollectionSpec shape = plain()) : spec(std::move(shape)) {
        files.skip_syncs();
        spec.id = storage::test_collection();
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
                    check_vectors(*file.whole, i);
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
    uint32_t stride() const { return index::row_stride(model::vectors_of(spec)); }
    static std::string id_of(uint64_t number) { return model::DocumentId(number).encoded(); }

    storage::TempDirectory root;
    storage::FaultyFileSystem files;
    model::CollectionSpec spec;
    std::string data = root.path();
    std::string directory = data + "/collections/" + storage::test_collection().to_string();
    std::string log = directory + "/log";
    std::string seg = directory + "/seg";

  private:
    static bool has_named(uint64_t write) { return write % 3 != 0; }
    /// As it stands behind the metadata.
    uint8_t lacking(uint64_t write) const {
        return has_named(write) ? uint8_t{0} : static_cast<uint8_t>((1U << spec.vectors.size()) - 1);
    }

    void check_vectors(const storage::RowsSegment& segment, uint64_t index) const {
        const uint64_t write = segment.version(index);
        uint32_t offset = 0;
        for (const model::VectorSpec& vector : model::vectors_of(spec)) {
            index::Rows rows({vector.metric, vector.dimension, vector.storage}, simd::choose_kernels(""),
                             {.offset = offset, .pitch = stride()});
            rows.set_chunk(0, segment.vectors() + index * stride() * sizeof(uint32_t));
            offset += index::row_stride(vector.dimension, vector.storage);
            const bool is_there = vector.name.empty() || has_named(write);
            std::vector<float> room(vector.dimension);
            std::vector<float> expected(vector.dimension, is_there ? static_cast<float>(write) : 0.0F);
            index::round_to_stored(vector.storage, expected);
            EXPECT_TRUE(std::equal(expected.begin(), expected.end(), rows.vector(0, room.data())))
                << write << " " << vector.name;
        }
        EXPECT_EQ(model::split_stored(segment.metadata(index)).lacking, lacking(write)) << write;
    }

    storage::ManifestRows write_rows(uint64_t first, uint64_t count) {
        const std::vector<model::VectorSpec> vectors = model::vectors_of(spec);
        std::vector<std::byte> row(stride() * sizeof(uint32_t));
        std::vector<float> floats(model::dimension_of_all(spec));
        std::string id;
        std::string stored;
        auto file = storage::write_rows_segment(
            files, seg, storage::rows_name(first, count, 1),
            {spec.id, first, count, {stride(), vectors.front().storage}}, [&](uint64_t index) {
                const uint64_t write = first + index + 1;
                std::fill(floats.begin(), floats.end(), static_cast<float>(write));
                index::encode_wide_row(vectors, floats, lacking(write), row);
                id = id_of(first + index);
                stored = model::empty_metadata();
                model::append_lacking(stored, lacking(write));
                return storage::RowRecord{as_text(row), write, id, stored};
            });
        EXPECT_TRUE(file.has_value());
        return {*file, first, count};
    }

    storage::ManifestFile write_graph(const std::string& name, uint64_t row_count) {
        return *storage::write_graph_segment(
            files, seg, name, spec.id, row_count, 2,
            [](uint32_t begin, uint32_t end, std::string& out) { out.append((end - begin) * 8, '\0'); });
    }

    void write_segments() {
        storage::Manifest manifest;
        manifest.version = 1;
        manifest.collection = spec.id;
        storage::take_vectors_of(spec, manifest);
        manifest.covered_sequence = 2 * kRowCount;
        manifest.rows = {write_rows(0, kFirstRows), write_rows(kFirstRows, kSecondRows)};
        std::vector<storage::DeadRow> marks;
        for (uint32_t row = 5; row < kRowCount; row += kDeadEvery) {
            marks.push_back({row, kRowCount + row});
        }
        manifest.dead = *storage::write_dead_segment(files, seg, storage::dead_name(1), spec.id, marks);
        if (spec.dimension > 0) {
            manifest.graph = write_graph(storage::graph_name(1), kRowCount);
        }
        for (size_t i = 0; i < manifest.vectors.size(); ++i) {
            manifest.vectors[i].graph = write_graph(storage::graph_name(1, i), kRowCount - kRowCount / 3);
        }
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
                const uint64_t write = 2 * kRowCount + group * 3 + i + 1;
                document.vector.assign(spec.dimension, static_cast<float>(write));
                for (const model::VectorSpec& vector : spec.vectors) {
                    if (has_named(write)) {
                        document.vectors.push_back(
                            {vector.name, std::vector<float>(vector.dimension, static_cast<float>(write))});
                    }
                }
                document.metadata = model::empty_metadata();
                records.push_back(
                    {storage::RecordType::kUpsert, storage::encode_upsert({document}, spec.vectors)});
            }
            records.push_back({storage::RecordType::kDelete, storage::encode_delete({id_of(group * 50)})});
            storage::add_key(records[group % 3], key_of(group + 1), 1);
            ASSERT_TRUE((*writer)->append_group(records).has_value());
        }
    }
};

}  // namespace akidb::offline
