// The archived log over objects in memory: its forms, what a prune removes of it, and what verifying finds.
// Restores of whole servers to points in time are tried where there is one (service/point_histories_test.cc).
#include "backup/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "backup/point.h"
#include "backup/upkeep.h"
#include "io/memory_file.h"
#include "model/moment.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"

namespace akidb::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Uuid id_of(uint8_t number) {
    Uuid id;
    id.bytes.fill(number);
    return id;
}

TEST(ArchiveHead, ReadsTheGoldenFile) {
    std::ifstream file(AKIDB_SOURCE_DIR "/tests/golden/backup/head-1", std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const ArchiveHead head{.through_ms = 1'700'000'001'000,
                           .catalog_ms = 1'700'000'000'000,
                           .collections = {{id_of(7), 41, 1'700'000'001'000}}};
    EXPECT_EQ(encode_archive_head(id_of(9), head), golden);
    const auto read = decode_archive_head(id_of(9), golden);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->find(id_of(7))->last, 41u);
}

std::string body_of(uint64_t sequence) {
    return "write " + std::to_string(sequence);
}

/// Of one write a second, two in a group.
LogPieceWriter::Made piece_of(uint64_t first, uint64_t last) {
    LogPieceWriter writer(id_of(7));
    for (uint64_t sequence = first; sequence <= last; ++sequence) {
        writer.add({sequence, 1000 * (sequence / 2), storage::RecordType::kDelete, body_of(sequence)});
    }
    return writer.finish();
}

TEST(LogPiece, IsReadAsItWasWrittenAndNotOtherwise) {
    const LogPieceWriter::Made made = piece_of(11, 40);
    EXPECT_EQ(made.piece.first, 11u);
    EXPECT_EQ(made.piece.last, 40u);
    EXPECT_EQ(made.piece.last_ms, 20'000u);
    uint64_t next = 11;
    const auto take = [&](const storage::TimedRecord& record) -> Result<bool> {
        EXPECT_EQ(record.sequence, next++);
        EXPECT_EQ(record.unix_ms, 1000 * (record.sequence / 2));
        EXPECT_EQ(record.body, body_of(record.sequence));
        return true;
    };
    ASSERT_TRUE(read_log_piece(made.bytes, "it", id_of(7), made.piece, take));
    EXPECT_EQ(next, 41u);
    const auto code_of = [&](const std::string& bytes, const LogPiece& piece, uint8_t collection) {
        return read_log_piece(bytes, "it", id_of(collection), piece, [](const auto&) { return true; })
            .error()
            .code();
    };
    std::string damaged = made.bytes;
    damaged[200] = static_cast<char>(damaged[200] ^ 1);
    EXPECT_EQ(code_of(damaged, made.piece, 7), Code::kDataLoss);
    LogPiece forged = made.piece;  // whoever can write there can hash
    forged.sha256 = objects::sha256_hex(damaged);
    EXPECT_EQ(code_of(damaged, forged, 7), Code::kDataLoss);
    EXPECT_EQ(code_of(made.bytes, made.piece, 8), Code::kDataLoss) << "of another collection";
    LogPiece longer = made.piece;
    ++longer.last;
    EXPECT_EQ(code_of(made.bytes, longer, 7), Code::kDataLoss);
}

TEST(ArchiveHead, IsReadAsItWasWrittenAndRefusedWithAnyBitFlippedOrCutAnywhere) {
    const ArchiveHead head{
        .through_ms = 5000, .catalog_ms = 4000, .collections = {{id_of(7), 40, 5000}, {id_of(8), 3, 2000}}};
    const std::string bytes = encode_archive_head(id_of(1), head);
    const auto read = decode_archive_head(id_of(1), bytes);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(encode_archive_head(id_of(1), *read), bytes);
    EXPECT_EQ(read->find(id_of(8))->last, 3u);
    EXPECT_EQ(read->find(id_of(9)), nullptr);
    EXPECT_EQ(decode_archive_head(id_of(2), bytes).error().code(), Code::kDataLoss);
    for (size_t at = 0; at < bytes.size(); ++at) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x04);
        EXPECT_EQ(decode_archive_head(id_of(1), flipped).error().code(), Code::kDataLoss) << at;
        EXPECT_EQ(decode_archive_head(id_of(1), bytes.substr(0, at)).error().code(), Code::kDataLoss) << at;
    }
}

class ArchiveTest : public testing::Test {
  protected:
    void put(uint64_t first, uint64_t last) {
        ASSERT_TRUE(archive_.put_piece(id_of(7), piece_of(first, last)));
    }

    /// At a sequence number; a minute after that of before.
    BackupManifest back_up(uint8_t number, uint64_t sequence, uint8_t timeline = 1) {
        time_.pass_us(60'000'000);
        EXPECT_TRUE(repository_.lock(id_of(number)));
        const auto catalog = repository_.put_file("", io::MemoryFile("catalog"));
        BackupManifest manifest{.id = id_of(number),
                                .created_ms = time_.unix_ms(),
                                .timeline = id_of(timeline),
                                .pinned_ms = time_.unix_ms(),
                                .catalog = catalog->file};
        manifest.collections.push_back(
            {.id = id_of(7), .name = "words", .dimension = 16, .sequence = sequence});
        EXPECT_TRUE(repository_.put_manifest(manifest));
        repository_.unlock();
        return manifest;
    }

    void put_head(uint64_t last) {
        ASSERT_TRUE(archive_.put_head({.through_ms = time_.unix_ms(), .collections = {{id_of(7), last, 1}}}));
    }

    std::vector<std::string> pieces(uint8_t timeline = 1) {
        std::vector<std::string> found;
        const auto listed = Archive(*store_, id_of(timeline)).list_pieces(id_of(7));
        for (const LogPiece& piece : *listed) {
            found.push_back(std::to_string(piece.first) + "-" + std::to_string(piece.last));
        }
        return found;
    }

    objects::PassingTime time_;
    std::unique_ptr<objects::ObjectStore> store_ = objects::make_memory_store();
    Repository repository_{*store_, time_};
    Archive archive_{*store_, id_of(1)};
};

TEST_F(ArchiveTest, OfThosePiecesThatHoldAWriteTheLongestCounts) {
    put(1, 10);
    put(5, 8);
    put(8, 30);
    EXPECT_THAT(pieces(), ElementsAre("1-10", "5-8", "8-30"));
    const std::vector<LogPiece> all = archive_.list_pieces(id_of(7)).value();
    EXPECT_EQ(find_piece(all, 1)->last, 10u);
    EXPECT_EQ(find_piece(all, 8)->last, 30u);
    EXPECT_EQ(find_piece(all, 30)->last, 30u);
    EXPECT_EQ(find_piece(all, 31), nullptr);
    ASSERT_TRUE(store_->put("archive/" + id_of(1).to_string() + "/" + id_of(7).to_string() + "/rubbish", "",
                            objects::PutMode::kOverwrite));
    EXPECT_EQ(pieces().size(), 3u);
    ASSERT_TRUE(Archive(*store_, id_of(3)).put_piece(id_of(7), piece_of(1, 2)));
    EXPECT_EQ(Archive::list_timelines(*store_).value(), (std::vector<Uuid>{id_of(1), id_of(3)}));
    EXPECT_EQ(archive_.list_collections().value(), std::vector<Uuid>{id_of(7)});
}

TEST_F(ArchiveTest, APruneLeavesWhatAKeptBackupIsFollowedBy) {
    for (uint64_t first = 1; first <= 41; first += 10) {
        put(first, first + 9);
    }
    const uint64_t before_ms = time_.unix_ms();
    const std::string catalog = "a catalog";
    for (const CatalogCopy& copy :
         {CatalogCopy{before_ms, 0, objects::sha256_hex(catalog)},
          CatalogCopy{before_ms + 3'600'000, before_ms, objects::sha256_hex(catalog)}}) {
        ASSERT_TRUE(archive_.put_catalog(copy, io::MemoryFile(catalog)));
    }
    back_up(2, 15);
    back_up(3, 25);
    put_head(50);
    // Of a timeline that ended before, and of one that has no backup yet.
    ASSERT_TRUE(Archive(*store_, id_of(5)).put_piece(id_of(7), piece_of(1, 9)));
    ASSERT_TRUE(Archive(*store_, id_of(5)).put_head({.through_ms = before_ms}));
    ASSERT_TRUE(Archive(*store_, id_of(6)).put_piece(id_of(7), piece_of(1, 9)));
    ASSERT_TRUE(Archive(*store_, id_of(6)).put_head({.through_ms = time_.unix_ms() + 1}));
    time_.pass_us(kStrayMs * 1000);
    const auto pruned = prune(repository_, time_, id_of(9), {.keep_last = 2});
    ASSERT_TRUE(pruned) << pruned.error().message();
    EXPECT_THAT(pieces(), ElementsAre("11-20", "21-30", "31-40", "41-50")) << "the oldest is of write 15";
    EXPECT_THAT(pieces(5), IsEmpty());
    EXPECT_FALSE(Archive(*store_, id_of(5)).read_head()->has_value());
    EXPECT_THAT(pieces(6), ElementsAre("1-9"));
    EXPECT_EQ(archive_.list_catalogs()->size(), 1u);
    EXPECT_EQ(pruned->removed_pieces, 3u);
    ASSERT_TRUE(prune(repository_, time_, id_of(9), {.keep_last = 1}));
    EXPECT_THAT(pieces(), ElementsAre("21-30", "31-40", "41-50"));
}

/// Its client gave the request up, so the next backup took its place and a prune went by that one.
TEST_F(ArchiveTest, ABackupWhoseManifestArrivesLateIsFollowedByItsLog) {
    const auto put_young = [&](uint64_t first, uint64_t last) {
        LogPieceWriter writer(id_of(7));
        for (uint64_t sequence = first; sequence <= last; ++sequence) {
            writer.add({sequence, time_.unix_ms(), storage::RecordType::kDelete, body_of(sequence)});
        }
        ASSERT_TRUE(archive_.put_piece(id_of(7), writer.finish()));
    };
    const BackupManifest late = back_up(2, 15);
    const std::string key = "backups/" + late.id.to_string();
    const std::string bytes = store_->get(key, 1 << 20).value();
    ASSERT_TRUE(store_->remove(key));
    time_.pass_us(1'000'000);
    const CatalogCopy copy{time_.unix_ms(), 0, objects::sha256_hex("a catalog")};
    ASSERT_TRUE(archive_.put_catalog(copy, io::MemoryFile("a catalog")));
    put_young(16, 20);
    back_up(3, 20);
    time_.pass_us(1'000'000);
    const CatalogCopy newer{time_.unix_ms(), copy.unix_ms, objects::sha256_hex("another")};
    ASSERT_TRUE(archive_.put_catalog(newer, io::MemoryFile("another")));
    ASSERT_TRUE(archive_.put_head({.through_ms = time_.unix_ms(),
                                   .catalog_ms = newer.unix_ms,
                                   .collections = {{id_of(7), 20, time_.unix_ms()}}}));
    ASSERT_TRUE(prune(repository_, time_, id_of(9), {.keep_last = 1}));
    ASSERT_TRUE(store_->put(key, bytes, objects::PutMode::kOverwrite));
    const auto verified = verify(repository_, late, VerifyDepth::kBytes);
    ASSERT_TRUE(verified) << verified.error().message();
    EXPECT_THAT(verified->faults, IsEmpty());
    EXPECT_THAT(pieces(), ElementsAre("16-20"));

    ASSERT_TRUE(store_->remove(key));
    time_.pass_us(kStrayMs * 1000);
    ASSERT_TRUE(prune(repository_, time_, id_of(9), {.keep_last = 1}));
    EXPECT_THAT(pieces(), IsEmpty()) << "nobody waits for longer than a day";
    EXPECT_EQ(archive_.list_catalogs()->size(), 1u);
}

TEST_F(ArchiveTest, VerifyingNamesWhatIsMissingOrDamaged) {
    const BackupManifest manifest = back_up(2, 15);
    put(1, 20);
    put(21, 30);
    put(31, 40);
    put_head(40);
    const auto faults = [&](VerifyDepth depth) {
        return verify(repository_, manifest, depth).value().faults;
    };
    EXPECT_THAT(faults(VerifyDepth::kBytes), IsEmpty());
    EXPECT_EQ(verify(repository_, manifest, VerifyDepth::kSizes)->pieces, 3u);
    const LogPiece middle = archive_.list_pieces(id_of(7))->at(1);
    const std::string key = archive_.key_of(id_of(7), middle);
    std::string bytes = store_->get(key, 1 << 20).value();
    bytes[100] = static_cast<char>(bytes[100] ^ 1);
    ASSERT_TRUE(store_->put(key, bytes, objects::PutMode::kOverwrite));
    EXPECT_THAT(faults(VerifyDepth::kBytes), ElementsAre(HasSubstr(middle.sha256)));
    ASSERT_TRUE(archive_.remove_piece(id_of(7), middle));
    EXPECT_THAT(faults(VerifyDepth::kSizes),
                ElementsAre(testing::AllOf(HasSubstr("write 21 of collection words"), HasSubstr("missing"))));
    put(21, 30);
    put_head(41);
    EXPECT_THAT(faults(VerifyDepth::kSizes), ElementsAre(HasSubstr("write 41")))
        << "the head knows of one more";
}

TEST_F(ArchiveTest, ChoosesTheNewestBackupThatWillDo) {
    const BackupManifest first = back_up(2, 15);
    const BackupManifest second = back_up(3, 25);
    const BackupManifest of_other = back_up(4, 18, 5);
    using Kind = RestorePoint::Kind;
    const auto choose = [&](const PointRequest& request) {
        const auto chosen = choose_base(repository_, request);
        return chosen ? chosen->id.to_string() : chosen.error().message();
    };
    EXPECT_EQ(choose({.point = {Kind::kLatest, 0}}), of_other.id.to_string());
    EXPECT_EQ(choose({.point = {Kind::kLatest, 0}, .timeline = id_of(1)}), second.id.to_string());
    EXPECT_EQ(choose({.point = {Kind::kTime, second.pinned_ms}}), second.id.to_string());
    EXPECT_EQ(choose({.point = {Kind::kTime, second.pinned_ms - 1}}), first.id.to_string());
    EXPECT_EQ(choose({.point = {Kind::kTime, second.pinned_ms}, .backup = first.id}), first.id.to_string());
    EXPECT_THAT(choose({.point = {Kind::kTime, second.pinned_ms}, .backup = of_other.id}),
                HasSubstr("is of after the point"));
    EXPECT_EQ(choose({.point = {Kind::kSequence, 18}, .collection = "words"}), of_other.id.to_string());
    EXPECT_EQ(choose({.point = {Kind::kSequence, 24}, .collection = "words", .timeline = id_of(1)}),
              first.id.to_string());
    put_head(40);
    EXPECT_THAT(choose({.point = {Kind::kTime, first.pinned_ms - 1}}),
                testing::AllOf(HasSubstr(model::rfc3339(first.pinned_ms)), HasSubstr(id_of(1).to_string())));
    EXPECT_THAT(choose({.point = {Kind::kSequence, 17}, .collection = "words"}), HasSubstr("17 or before"));
}

}  // namespace
}  // namespace akidb::backup
