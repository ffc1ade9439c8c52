// Files that any version wrote must be readable for ever, and what is written today must be the bytes of the
// newest set. The second version brought keys of writes: log format 2, manifest format 2, segments .keys; the
// third documents that expire: log format 3, .rows format 2; the fifth times of groups: log format 4. To make
// a new set after a deliberate change of format, in a new directory:
//   storage_test --gtest_also_run_disabled_tests --gtest_filter='Golden.DISABLED_*'
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "model/document_id.h"
#include "model/expiry.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_excerpt.h"
#include "storage/log_reader.h"
#include "storage/log_writer.h"
#include "storage/segment.h"

namespace akidb::storage {
namespace {

constexpr uint32_t kDimension = 16;
const std::string kGoldenV1 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v1";
const std::string kGoldenV2 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v2";
const std::string kGoldenV4 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v4";
const std::string kGoldenV6 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v6";
const std::string kGoldenV3 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v3";
const std::string kGolden = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v5";  // what is written today
constexpr LogWriterOptions kLogOptions{
    .file_bytes = 4096, .preallocate_bytes_min = 1024, .preallocate_bytes_max = 1024};

constexpr uint64_t kExpiresAtMs = 1'893'456'000'000;  // 2030-01-01T00:00:00Z

model::Document document(uint64_t number) {
    model::Document made;
    made.id = number == 1 ? model::DocumentId::from_text("first").value() : model::DocumentId(number);
    made.vector.assign(kDimension, static_cast<float>(number));
    made.version = number;
    made.expires_at_ms = number == 3 ? kExpiresAtMs : 0;
    return made;
}

model::WriteKey write_key() {
    model::WriteKey key;
    key.key = Digester().add("golden").finish();
    key.fingerprint = Digester().add("delete 2").finish();
    key.first_made_id = make_uuid_v7(1'700'000'000'000, 1, 2);
    return key;
}
constexpr uint64_t kKeyedAtMs = 1'700'000'000'123;

void write_log(io::FileSystem& files, const std::string& directory) {
    Result<std::unique_ptr<LogWriter>> writer =
        LogWriter::open(files, directory + "/log", test_collection(), 1, kLogOptions);
    ASSERT_TRUE(writer.has_value());
    const std::vector<LogRecord> group{{RecordType::kUpsert, encode_upsert({document(1)})},
                                       {RecordType::kUpsert, encode_upsert({document(2), document(3)})}};
    ASSERT_TRUE((*writer)->append_group(group, kKeyedAtMs - 2).has_value());
    const LogRecord removal{RecordType::kDelete, encode_delete({document(2).id.encoded()})};
    ASSERT_TRUE((*writer)->append_group(std::span(&removal, 1), kKeyedAtMs - 1).has_value());
    LogRecord keyed = removal;
    add_key(keyed, write_key(), kKeyedAtMs);
    ASSERT_TRUE((*writer)->append_group(std::span(&keyed, 1), kKeyedAtMs).has_value());
    ASSERT_TRUE((*writer)->close_cleanly().has_value());
}

std::string lists_of_three_rows() {
    std::string lists;
    ByteWriter writer(lists);
    for (uint32_t neighbour : {1U, 2U, 0U, 2U, 0U, 1U}) {
        writer.put(neighbour);
    }
    return lists;
}

Manifest write_segments(io::FileSystem& files, const std::string& segments) {
    Manifest manifest{
        .version = 1, .collection = test_collection(), .dimension = kDimension, .covered_sequence = 4};
    std::vector<model::Document> documents{document(1), document(2), document(3)};
    std::vector<std::string> ids;
    for (model::Document& each : documents) {
        ids.push_back(each.id.encoded());
        model::append_expiry(each.metadata, each.expires_at_ms);
    }
    Result<ManifestFile> rows = write_rows_segment(
        files, segments, rows_name(0, 3, 1), {test_collection(), 0, 3, {kDimension}}, [&](uint64_t index) {
            const model::Document& from = documents[index];
            return RowRecord{as_text(std::as_bytes(std::span(from.vector))), from.version, ids[index],
                             from.metadata};
        });
    Result<ManifestFile> graph =
        write_graph_segment(files, segments, graph_name(1), test_collection(), 3, 2,
                            [](uint32_t, uint32_t, std::string& out) { out += lists_of_three_rows(); });
    Result<ManifestFile> dead =
        write_dead_segment(files, segments, dead_name(1), test_collection(), {{1, 3}});
    Result<ManifestFile> keys = write_keys_segment(files, segments, keys_name(1), test_collection(),
                                                   {{write_key(), kKeyedAtMs, 4, 0}});
    EXPECT_TRUE(rows.has_value() && graph.has_value() && dead.has_value() && keys.has_value());
    manifest.rows.push_back({*rows, 0, 3});
    manifest.graph = *graph;
    manifest.dead = *dead;
    manifest.keys = *keys;
    return manifest;
}

void write_all(io::FileSystem& files, const std::string& directory) {
    write_log(files, directory);
    Manifest manifest = write_segments(files, directory + "/seg");
    ASSERT_TRUE(write_manifest(files, directory, manifest).has_value());
}

std::vector<std::string> golden_names_v1() {
    return {"log/" + log_name(1), "seg/" + rows_name(0, 3, 1), "seg/" + graph_name(1), "seg/" + dead_name(1),
            manifest_name(1)};
}
std::vector<std::string> golden_names() {
    std::vector<std::string> names = golden_names_v1();
    names.push_back("seg/" + keys_name(1));
    return names;
}

TEST(Golden, DISABLED_MakeFiles) {
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    std::filesystem::remove_all(kGolden);
    std::filesystem::create_directories(kGolden);
    write_all(*files, kGolden);
}

TEST(Golden, TodaysWriterMakesTheSameBytes) {
    TempDirectory directory;
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    write_all(*files, directory.path());
    for (const std::string& name : golden_names()) {
        EXPECT_TRUE(read_bytes(directory / name) == read_bytes(kGolden + "/" + name)) << name;
    }
}

TEST(Golden, ExamplesInThePagesAreBytesOfTheseFiles) {
    std::string all;
    for (const std::string& name : golden_names_v1()) {
        all += read_bytes(kGoldenV1 + "/" + name);
    }
    for (const std::string& name : golden_names()) {
        all += read_bytes(kGoldenV2 + "/" + name) + read_bytes(kGoldenV3 + "/" + name);
        all += read_bytes(kGolden + "/" + name);
    }
    // Made and read by the engine's tests, which know what the vectors in them are.
    for (const std::string& set : {kGoldenV4, kGoldenV6}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(set)) {
            all += entry.is_regular_file() ? read_bytes(entry.path()) : std::string();
        }
    }
    for (const std::string page : {"log.md", "manifest.md", "segment.md"}) {
        std::vector<std::string> blocks = hex_blocks(std::string(AKIDB_SOURCE_DIR) + "/docs/formats/" + page);
        EXPECT_FALSE(blocks.empty()) << page;
        for (size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_FALSE(blocks[i].empty());
            EXPECT_NE(all.find(blocks[i]), std::string::npos) << "block " << i + 1 << " of " << page;
        }
    }
}

TEST(Golden, TheLogTellsWhenEachGroupWasCommitted) {
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    std::vector<uint64_t> times;
    ASSERT_TRUE(read_excerpt(*files, kGolden + "/log", test_collection(), {1, 4},
                             [&](const TimedRecord& record) -> Result<bool> {
                                 times.push_back(record.unix_ms);
                                 return true;
                             }));
    EXPECT_EQ(times, (std::vector<uint64_t>{kKeyedAtMs - 2, kKeyedAtMs - 2, kKeyedAtMs - 1, kKeyedAtMs}));
}

std::vector<std::string> read_golden_log(const std::string& golden) {
    TempDirectory directory;  // recovery may write
    std::filesystem::copy(golden, directory.path(), std::filesystem::copy_options::recursive);
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    std::vector<std::string> ids;
    Result<LogRecovery> recovery = recover_log(
        *files, directory / "log", test_collection(), 0,
        [&](uint64_t sequence, RecordType type, std::string_view body) -> Result<void> {
            if (type == RecordType::kKeyed) {
                AKIDB_TRY(const KeyedRecord keyed, decode_keyed(body));
                EXPECT_EQ(keyed.key.key, write_key().key);
                EXPECT_EQ(keyed.key.fingerprint, write_key().fingerprint);
                EXPECT_EQ(keyed.key.first_made_id, write_key().first_made_id);
                EXPECT_EQ(keyed.remembered_at_ms, kKeyedAtMs);
                type = keyed.type;
                body = keyed.body;
            }
            if (type == RecordType::kUpsert) {
                AKIDB_TRY(std::vector<UpsertItem> items, decode_upsert(body, kDimension));
                for (const UpsertItem& item : items) {
                    AKIDB_TRY(model::DocumentId id, model::DocumentId::decode(item.id));
                    const uint64_t expires_at_ms = model::split_stored(item.metadata).expires_at_ms;
                    ids.push_back(std::to_string(sequence) + "+" + id.to_string() +
                                  (expires_at_ms == kExpiresAtMs ? " until 2030" : ""));
                    EXPECT_TRUE(expires_at_ms == 0 || expires_at_ms == kExpiresAtMs);
                }
            } else if (type == RecordType::kDelete) {
                AKIDB_TRY(std::vector<std::string_view> removed, decode_delete(body));
                AKIDB_TRY(model::DocumentId id, model::DocumentId::decode(removed.at(0)));
                ids.push_back(std::to_string(sequence) + "-" + id.to_string());
            }
            return {};
        });
    EXPECT_TRUE(recovery.has_value() && recovery->was_clean);
    return ids;
}

TEST(Golden, TheLogReadsAsItWasWritten) {
    EXPECT_EQ(read_golden_log(kGoldenV1), (std::vector<std::string>{"1+first", "2+2", "2+3", "3-2"}));
    EXPECT_EQ(read_golden_log(kGoldenV2), (std::vector<std::string>{"1+first", "2+2", "2+3", "3-2", "4-2"}));
    for (const std::string& golden : {kGoldenV3, kGolden}) {
        EXPECT_EQ(read_golden_log(golden),
                  (std::vector<std::string>{"1+first", "2+2", "2+3 until 2030", "3-2", "4-2"}));
    }
}

void check_segments(io::FileSystem& files, const std::string& golden, const Manifest& named,
                    uint64_t expires_at_ms) {
    const std::string segments = golden + "/seg";
    Result<std::shared_ptr<const RowsSegment>> rows =
        RowsSegment::open(files, segments, named.rows.at(0), test_collection(), {kDimension});
    ASSERT_TRUE(rows.has_value()) << rows.error().message();
    for (uint64_t i = 0; i < 3; ++i) {
        model::Document expected = document(i + 1);
        EXPECT_EQ((*rows)->id(i), expected.id.encoded());
        EXPECT_EQ((*rows)->version(i), i + 1);
        EXPECT_EQ(model::split_stored((*rows)->metadata(i)).metadata, expected.metadata);
        EXPECT_EQ(model::split_stored((*rows)->metadata(i)).expires_at_ms, i == 2 ? expires_at_ms : 0);
        EXPECT_EQ(std::memcmp((*rows)->vectors() + i * kDimension * sizeof(float), expected.vector.data(),
                              kDimension * sizeof(float)),
                  0);
    }
    EXPECT_TRUE((*rows)->verify_vectors([] { return false; }).has_value());
    Result<GraphLists> graph = open_graph_segment(files, segments, *named.graph, test_collection());
    ASSERT_TRUE(graph.has_value());
    EXPECT_EQ(graph->lists, lists_of_three_rows());
    Result<std::vector<DeadRow>> dead = open_dead_segment(files, segments, *named.dead, test_collection());
    ASSERT_TRUE(dead.has_value() && dead->size() == 1);
    EXPECT_EQ((*dead)[0].row, 1u);
    EXPECT_EQ((*dead)[0].sequence, 3u);
}

TEST(Golden, ManifestAndSegmentsReadAsTheyWereWritten) {
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    Result<std::optional<Manifest>> first = read_manifest(*files, kGoldenV1);
    Result<std::optional<Manifest>> second = read_manifest(*files, kGoldenV2);
    Result<std::optional<Manifest>> third = read_manifest(*files, kGoldenV3);
    Result<std::optional<Manifest>> fifth = read_manifest(*files, kGolden);
    ASSERT_TRUE(first.has_value() && first->has_value() && second.has_value() && second->has_value());
    ASSERT_TRUE(third.has_value() && third->has_value());
    check_segments(*files, kGoldenV3, **third, kExpiresAtMs);
    ASSERT_TRUE(fifth.has_value() && fifth->has_value());
    check_segments(*files, kGolden, **fifth, kExpiresAtMs);
    EXPECT_EQ((*first)->covered_sequence, 3u);
    EXPECT_FALSE((*first)->keys.has_value());
    check_segments(*files, kGoldenV1, **first, 0);
    EXPECT_EQ((*second)->covered_sequence, 4u);
    check_segments(*files, kGoldenV2, **second, 0);
    Result<std::vector<RememberedKey>> keys =
        open_keys_segment(*files, kGoldenV2 + "/seg", (*second)->keys.value(), test_collection());
    ASSERT_TRUE(keys.has_value() && keys->size() == 1);
    EXPECT_EQ((*keys)[0].key.key, write_key().key);
    EXPECT_EQ((*keys)[0].key.first_made_id, write_key().first_made_id);
    EXPECT_EQ((*keys)[0].remembered_at_ms, kKeyedAtMs);
    EXPECT_EQ((*keys)[0].sequence, 4u);
    EXPECT_EQ((*keys)[0].count, 0u);
}

TEST(Golden, AManifestWithoutKeysIsWhatTheFirstVersionWrote) {
    std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    Result<std::optional<Manifest>> first = read_manifest(*files, kGoldenV1);
    ASSERT_TRUE(first.has_value() && first->has_value());
    EXPECT_TRUE(encode_manifest(**first) == read_bytes(kGoldenV1 + "/" + manifest_name(1)));
}

}  // namespace
}  // namespace akidb::storage
