// What is told of damaged files: stretches of a log, and the rows and tombstones that are still proved.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "model/document_id.h"
#include "model/metadata.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_survey.h"
#include "storage/log_writer.h"
#include "storage/segment_container.h"
#include "storage/segment_salvage.h"

namespace akidb::storage {
namespace {

constexpr uint32_t kRowStride = 32;
constexpr uint64_t kRows = 2000;
constexpr uint64_t kRowsPerBlock = kSegmentBlockBytes / (kRowStride * sizeof(float));

class SalvageTest : public testing::Test {
  protected:
    SalvageTest() { files_.skip_syncs(); }

    ManifestRows write_rows() {
        const RowsSegmentSpec spec{test_collection(), 0, kRows, {kRowStride}};
        std::vector<float> vector(kRowStride);
        std::string id;
        const std::string name = rows_name(0, kRows, 1);
        Result<ManifestFile> file = write_rows_segment(files_, segments_, name, spec, [&](uint64_t index) {
            std::fill(vector.begin(), vector.end(), static_cast<float>(index));
            id = model::DocumentId(index).encoded();
            return RowRecord{as_text(std::as_bytes(std::span(vector))), index + 1, id,
                             model::empty_metadata()};
        });
        EXPECT_TRUE(file.has_value());
        path_ = segments_ + "/" + name;
        return {*file, 0, kRows};
    }

    const Section& section(const SegmentContainer& container, SectionType type) {
        return *std::find_if(container.sections().begin(), container.sections().end(),
                             [type](const Section& one) { return one.type == type; });
    }

    uint64_t offset_of(SectionType type) {
        Result<SegmentContainer> container = SegmentContainer::open_alone(files_, path_);
        EXPECT_TRUE(container.has_value());
        return section(*container, type).offset;
    }

    void damage_at(uint64_t offset) {
        write_bytes(path_, with_flipped_bit(read_bytes(path_), offset * 8 + 3));
    }

    /// Ordinals that are not whole; those that are must hold what was written.
    std::set<uint64_t> lost_rows(const ManifestRows& entry) {
        Result<std::shared_ptr<const SalvagedRows>> rows =
            SalvagedRows::open(files_, segments_, entry, {kRowStride});
        EXPECT_TRUE(rows.has_value());
        faults_ = (*rows)->faults();
        std::set<uint64_t> lost;
        for (uint64_t i = 0; i < kRows; ++i) {
            if (!(*rows)->is_whole(i)) {
                lost.insert(i);
                continue;
            }
            const RowRecord row = (*rows)->row(i);
            EXPECT_EQ(row.version, i + 1);
            EXPECT_EQ(row.id, model::DocumentId(i).encoded());
            EXPECT_EQ(ByteReader(row.vector).get<float>(), static_cast<float>(i));
        }
        return lost;
    }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string segments_ = directory_ / "seg";
    std::string path_;
    std::vector<SegmentFault> faults_;
};

TEST_F(SalvageTest, LosesTheRowsOfADamagedBlockAndNoOthers) {
    const ManifestRows entry = write_rows();
    EXPECT_TRUE(lost_rows(entry).empty());
    const uint64_t offset = offset_of(SectionType::kVectors) + kSegmentBlockBytes;
    damage_at(offset + 100);
    const std::set<uint64_t> lost = lost_rows(entry);
    EXPECT_EQ(lost.size(), kRowsPerBlock);
    EXPECT_EQ(*lost.begin(), kRowsPerBlock);
    EXPECT_EQ(*lost.rbegin(), 2 * kRowsPerBlock - 1);
    ASSERT_EQ(faults_.size(), 1u);
    EXPECT_EQ(faults_[0].offset, offset);
}

TEST_F(SalvageTest, NeedsEverySectionOfARow) {
    for (const SectionType type : {SectionType::kVersions, SectionType::kIdOffsets, SectionType::kIds,
                                   SectionType::kMetadataOffsets, SectionType::kMetadata}) {
        const ManifestRows entry = write_rows();
        damage_at(offset_of(type) + 1);
        // All these sections have one block here, or a row whose offsets lie in two.
        EXPECT_GE(lost_rows(entry).size(), kRows - 1) << static_cast<int>(type);
        std::filesystem::remove(path_);
    }
}

TEST_F(SalvageTest, ADamagedHeaderLosesNothingAndADamagedFooterAll) {
    const ManifestRows entry = write_rows();
    damage_at(20);
    EXPECT_FALSE(RowsSegment::open(files_, segments_, entry, test_collection(), {kRowStride}).has_value());
    EXPECT_TRUE(lost_rows(entry).empty());
    damage_at(entry.file.bytes - 10);
    EXPECT_EQ(lost_rows(entry).size(), kRows);
    std::filesystem::remove(path_);
    EXPECT_EQ(lost_rows(entry).size(), kRows);
    EXPECT_EQ(faults_.size(), 1u);
}

TEST_F(SalvageTest, EveryDeadRowIsKnownOrInDoubtWhicheverBlockIsDamaged) {
    std::vector<DeadRow> dead;
    for (uint32_t i = 0; i < 15'000; ++i) {
        dead.push_back({i * 3 + 7, i + 1});
    }
    Result<ManifestFile> entry = write_dead_segment(files_, segments_, dead_name(1), test_collection(), dead);
    ASSERT_TRUE(entry.has_value());
    path_ = segments_ + "/" + dead_name(1);
    const std::string whole = read_bytes(path_);
    const uint64_t first = offset_of(SectionType::kDeadRows);
    const uint64_t blocks = (dead.size() * 12 + kSegmentBlockBytes - 1) / kSegmentBlockBytes;
    ASSERT_EQ(blocks, 3u);
    for (uint64_t block = 0; block < blocks; ++block) {
        write_bytes(path_, whole);
        damage_at(first + block * kSegmentBlockBytes + 5);
        Result<SalvagedDead> found = salvage_dead_segment(files_, segments_, *entry);
        ASSERT_TRUE(found.has_value());
        ASSERT_EQ(found->unknown.size(), 1u);
        const RowRange range = found->unknown[0];
        size_t in_doubt = 0;
        for (const DeadRow& mark : dead) {
            const bool is_known = std::any_of(
                found->dead.begin(), found->dead.end(),
                [&](const DeadRow& one) { return one.row == mark.row && one.sequence == mark.sequence; });
            const bool is_in_doubt = range.begin <= mark.row && mark.row < range.end;
            ASSERT_TRUE(is_known != is_in_doubt) << mark.row;
            in_doubt += is_in_doubt ? 1 : 0;
        }
        EXPECT_LE(in_doubt, kSegmentBlockBytes / 12 + 2);
        EXPECT_GT(found->dead.size(), 0u);
    }
    write_bytes(path_, whole.substr(0, whole.size() - 1));
    Result<SalvagedDead> nothing = salvage_dead_segment(files_, segments_, *entry);
    ASSERT_TRUE(nothing.has_value() && nothing->unknown.size() == 1);
    EXPECT_EQ(nothing->unknown[0].begin, 0u);
    EXPECT_GT(nothing->unknown[0].end, uint64_t{1} << 32);
}

class LogSurveyTest : public testing::Test {
  protected:
    LogSurveyTest() {
        files_.skip_syncs();
        auto writer = LogWriter::open(files_, directory_.path(), test_collection(), 1,
                                      {.file_bytes = 1 << 20, .preallocate_bytes_min = 4096});
        EXPECT_TRUE(writer.has_value());
        for (int group = 0; group < 5; ++group) {
            const std::vector<LogRecord> records(
                2, {RecordType::kDelete, encode_delete({model::DocumentId(7).encoded()})});
            EXPECT_TRUE((*writer)->append_group(records).has_value());
        }
        path_ = directory_ / log_name(1);
        whole_ = read_bytes(path_);
    }

    LogFileSurvey survey() {
        spans_.clear();
        Result<LogFileSurvey> found =
            survey_log_file(files_, path_, [this](const LogSpan& span) -> Result<void> {
                spans_.push_back(span);
                return {};
            });
        EXPECT_TRUE(found.has_value());
        uint64_t end = kLogHeaderBytes;
        for (const LogSpan& span : spans_) {
            EXPECT_EQ(span.offset, end) << "a stretch is left out";
            end += span.bytes;
        }
        EXPECT_TRUE(spans_.empty() || end == found->bytes);
        return *found;
    }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string path_;
    std::string whole_;
    std::vector<LogSpan> spans_;
};

TEST_F(LogSurveyTest, TellsFramesWithTheirRecordsThenReservedSpace) {
    const LogFileSurvey found = survey();
    EXPECT_TRUE(found.faults.empty());
    EXPECT_EQ(found.records, 10u);
    EXPECT_EQ(found.last_sequence, 10u);
    ASSERT_EQ(spans_.size(), 6u);
    EXPECT_EQ(spans_[1].records.at(1).sequence, 4u);
    EXPECT_EQ(spans_[5].kind, LogSpanKind::kReserved);
}

TEST_F(LogSurveyTest, TellsAHoleFromATornTail) {
    const uint64_t third = spans_.empty() ? (survey(), spans_[2].offset) : spans_[2].offset;
    const uint64_t last = spans_[4].offset;
    write_bytes(path_, with_flipped_bit(whole_, (third + 50) * 8));
    LogFileSurvey found = survey();
    ASSERT_GE(found.faults.size(), 1u);
    EXPECT_EQ(found.faults[0].offset, third);
    EXPECT_EQ(spans_[2].kind, LogSpanKind::kHole);
    EXPECT_EQ(found.torn_bytes, 0u);
    EXPECT_EQ(found.last_sequence, 10u);
    write_bytes(path_, with_flipped_bit(whole_, (last + 50) * 8));
    found = survey();
    EXPECT_TRUE(found.faults.empty());
    EXPECT_GT(found.torn_bytes, 0u);
    EXPECT_EQ(spans_.back().kind, LogSpanKind::kTornTail);
    EXPECT_EQ(found.last_sequence, 8u);
}

TEST_F(LogSurveyTest, NoFlippedBitOfAFrameGoesUnseen) {
    const LogFileSurvey clean = survey();
    for (const LogSpan& span : std::vector<LogSpan>(spans_)) {
        if (span.kind != LogSpanKind::kFrame) {
            continue;
        }
        const uint64_t used = kFrameHeaderBytes + 2 * (kRecordHeaderBytes + 4 + 4 + 9);
        for (uint64_t byte = 0; byte < used; byte += 3) {
            write_bytes(path_, with_flipped_bit(whole_, (span.offset + byte) * 8 + byte % 8));
            const LogFileSurvey found = survey();
            EXPECT_TRUE(!found.faults.empty() || found.torn_bytes > 0) << span.offset + byte;
            EXPECT_LT(found.records, clean.records);
        }
    }
    write_bytes(path_, with_flipped_bit(whole_, 100));
    EXPECT_FALSE(survey().header.has_value());
    EXPECT_EQ(survey().faults.size(), 1u);
}

}  // namespace
}  // namespace akidb::storage
