// repair over every kind of damage: what it tells, what it keeps, and that neither a crash nor a failing disk
// in the middle of it makes more of the loss.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "offline/collection_for_tests.h"
#include "offline/verbs.h"

namespace akidb::offline {
namespace {

using Versions = std::map<std::string, uint64_t>;
using Call = storage::FaultyFileSystem::Call;

class RepairTest : public testing::Test {
  protected:
    ExitCode repair_now(bool accept_loss, std::string collection = "words") {
        std::string json;
        const ExitCode code =
            repair(made_.files, *clock_,
                   {made_.data, made_.data + "/akidb.db", std::move(collection), accept_loss, true},
                   [&](std::string_view text) { json += text; });
        report_ = nlohmann::json::parse(json, nullptr, false);
        return code;
    }

    /// Tells without changing anything, then repairs, and answers what is served then.
    Versions tell_and_repair() {
        const auto before = made_.content();
        EXPECT_EQ(repair_now(false), ExitCode::kIo);
        EXPECT_EQ(made_.content(), before) << "only told, yet changed";
        const nlohmann::json told = report_;
        EXPECT_EQ(repair_now(true), ExitCode::kClean) << report_;
        EXPECT_EQ(told["lost_documents"], report_["lost_documents"]);
        EXPECT_EQ(told["lost_sequences"], report_["lost_sequences"]);
        const auto after = made_.content();
        for (const auto& [path, bytes] : before) {
            const bool is_kept = std::any_of(after.begin(), after.end(), [&wanted = bytes](const auto& file) {
                return file.second == wanted;
            });
            EXPECT_TRUE(is_kept) << path << " is gone";
        }
        EXPECT_EQ(repair_now(false), ExitCode::kClean);
        return made_.served();
    }

    explicit RepairTest(model::CollectionSpec shape = CollectionOnDisk::plain()) : made_(std::move(shape)) {}

    CollectionOnDisk made_;
    const std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    const Versions whole_ = made_.served();
    nlohmann::json report_;
};

TEST_F(RepairTest, LeavesAWholeCollectionAlone) {
    const auto before = made_.content();
    EXPECT_EQ(repair_now(true), ExitCode::kClean);
    EXPECT_EQ(made_.content(), before);
    EXPECT_EQ(whole_.size(), kRowCount - kRowCount / kDeadEvery - kLogGroups + 2 * kLogGroups);
    EXPECT_EQ(repair_now(true, "nothing"), ExitCode::kUsage);
    EXPECT_EQ(repair_now(false, made_.spec.id.to_string()), ExitCode::kClean);
    const auto held = made_.files.lock(made_.data + "/LOCK");
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(repair_now(false), ExitCode::kLockHeld);
}

TEST_F(RepairTest, ADamagedGraphCostsNothing) {
    made_.flip(made_.graph(), 5000);
    EXPECT_EQ(tell_and_repair(), whole_);
    EXPECT_EQ(report_["damage"].size(), 0u);
}

TEST_F(RepairTest, DamagedKeysAreToldAndThoseOfTheLogStay) {
    made_.flip(made_.keys(), 4096 + 40);
    EXPECT_EQ(tell_and_repair(), whole_);
    EXPECT_TRUE(report_["damage"].empty());
    const std::vector<storage::RememberedKey> left = made_.remembered();
    ASSERT_EQ(left.size(), kLogGroups);
    EXPECT_EQ(left.front().key.key, CollectionOnDisk::key_of(1).key);
}

TEST_F(RepairTest, KeysOfTheKeptPartOfADamagedLogGoIntoTheFile) {
    made_.flip(made_.log + "/" + storage::names_in(made_.log).at(1), 64 + 100);
    const Versions served = tell_and_repair();
    EXPECT_LT(served.size(), whole_.size());
    const std::vector<storage::RememberedKey> left = made_.remembered();
    ASSERT_GT(left.size(), 3u);
    ASSERT_LT(left.size(), kLogGroups);
    EXPECT_EQ(left[0].count, 7u);
    for (uint64_t number = 0; number < left.size(); ++number) {
        EXPECT_EQ(left[number].key.key, CollectionOnDisk::key_of(number).key);
        // The third group's is a delete.
        EXPECT_EQ(left[number].count, number == 0 ? 7 : number % 3 == 0 ? storage::kCountLost : 1) << number;
    }
    EXPECT_TRUE(storage::names_in(made_.log).empty());
}

TEST_F(RepairTest, ADamagedBlockOfVectorsCostsItsRows) {
    constexpr uint64_t kRowsPerBlock = (64 << 10) / (32 * sizeof(float));
    made_.flip(made_.first_rows(), 4096 + (64 << 10) + 77);
    Versions expected = whole_;
    for (uint64_t row = kRowsPerBlock; row < kFirstRows; ++row) {
        expected.erase(CollectionOnDisk::id_of(row));
    }
    EXPECT_EQ(tell_and_repair(), expected);
}

class RepairOfStorageTest : public RepairTest, public testing::WithParamInterface<model::VectorStorage> {
  protected:
    RepairOfStorageTest() : RepairTest(CollectionOnDisk::plain(GetParam())) {}
};

INSTANTIATE_TEST_SUITE_P(Storages, RepairOfStorageTest,
                         testing::Values(model::VectorStorage::kF16, model::VectorStorage::kInt8));

TEST_P(RepairOfStorageTest, KeepsWhatIsWholeInFilesAndLog) {
    constexpr uint64_t kRowBytes = 64;
    made_.flip(made_.first_rows(), 4096 + 3 * kRowBytes);
    made_.flip(made_.log + "/" + storage::names_in(made_.log).at(1), 64 + 100);
    const Versions served = tell_and_repair();  // which looks at each vector
    EXPECT_GT(served.size(), kSecondRows / 2);
    EXPECT_LT(served.size(), whole_.size());
    for (const auto& [id, version] : served) {
        const auto at = whole_.find(id);
        EXPECT_TRUE(at == whole_.end() || at->second == version);
    }
}

/// Of collections whose documents have several vectors, with and without one that has no name.
class RepairOfVectorsTest : public RepairTest, public testing::WithParamInterface<uint32_t> {
  protected:
    RepairOfVectorsTest()
        : RepairTest({.name = "words",
                      .dimension = GetParam(),
                      .vectors = {{"title", 24, model::Metric::kDot, model::VectorStorage::kF16},
                                  {"image", 20, model::Metric::kL2, model::VectorStorage::kInt8}}}) {}
};

INSTANTIATE_TEST_SUITE_P(Dimensions, RepairOfVectorsTest, testing::Values(kDimension, 0));

TEST_P(RepairOfVectorsTest, KeepsADocumentWithAllItsVectorsOrNot) {
    made_.flip(made_.first_rows(), 4096 + (64 << 10) + 77);
    made_.flip(made_.log + "/" + storage::names_in(made_.log).at(1), 64 + 100);
    const Versions served = tell_and_repair();  // which looks at each vector
    EXPECT_GT(served.size(), kSecondRows / 2);
    EXPECT_LT(served.size(), whole_.size());
    for (const auto& [id, version] : served) {
        const auto at = whole_.find(id);
        EXPECT_TRUE(at == whole_.end() || at->second == version);
    }
}

TEST_P(RepairOfVectorsTest, ADamagedGraphOfOneCostsNothing) {
    made_.flip(made_.seg + "/" + storage::graph_name(1, 1), 5000);
    EXPECT_EQ(tell_and_repair(), whole_);
    EXPECT_EQ(report_["damage"].size(), 0u);
}

TEST_F(RepairTest, WhatRootRepairsIsOfTheOwnerOfTheData) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    constexpr uid_t kOwner = 12'345;
    ASSERT_EQ(::chown(made_.data.c_str(), kOwner, kOwner), 0);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(made_.data)) {
        ASSERT_EQ(::chown(entry.path().c_str(), kOwner, kOwner), 0);
    }
    made_.flip(made_.first_rows(), 4096 + 77);
    EXPECT_EQ(repair_now(false), ExitCode::kIo);
    EXPECT_EQ(repair_now(true), ExitCode::kClean) << report_;
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(made_.data)) {
        struct stat found {};
        ASSERT_EQ(::lstat(entry.path().c_str(), &found), 0);
        EXPECT_EQ(found.st_uid, kOwner) << entry.path();
        EXPECT_EQ(found.st_gid, kOwner) << entry.path();
        ++files;
    }
    EXPECT_GT(files, 10u);
    EXPECT_TRUE(std::filesystem::exists(made_.directory + "/lost"));
    EXPECT_TRUE(std::filesystem::exists(made_.data + "/LOCK"));
}

TEST_F(RepairTest, AMissingFileCostsItsRows) {
    std::filesystem::remove(made_.second_rows());
    Versions expected = whole_;
    for (uint64_t row = kFirstRows; row < kRowCount; ++row) {
        expected.erase(CollectionOnDisk::id_of(row));
    }
    EXPECT_EQ(tell_and_repair(), expected);
}

TEST_F(RepairTest, DamagedTombstonesBringNothingBack) {
    made_.flip(made_.dead(), 4096 + 50);
    const Versions served = tell_and_repair();
    for (const auto& [id, version] : served) {
        const auto at = whole_.find(id);
        ASSERT_TRUE(at != whole_.end() && at->second == version) << "a deleted document is back";
    }
    // One block was all: of no row of the files it is known that it lives. The log's documents are there.
    EXPECT_EQ(served.size(), 2 * kLogGroups);
}

TEST_F(RepairTest, ADamagedLogKeepsItsUnbrokenBeginning) {
    const std::string first = made_.log + "/" + storage::names_in(made_.log).front();
    std::vector<storage::LogSpan> spans;
    auto seen =
        storage::survey_log_file(made_.files, first, [&](const storage::LogSpan& span) -> Result<void> {
            spans.push_back(span);
            return {};
        });
    ASSERT_TRUE(seen.has_value() && spans.size() > 4);
    made_.flip(first, spans[3].offset + 60);
    const uint64_t kept_groups = 3;
    Versions expected = whole_;
    for (uint64_t group = kept_groups; group < kLogGroups; ++group) {
        expected.erase(CollectionOnDisk::id_of(10'000 + group * 2));
        expected.erase(CollectionOnDisk::id_of(10'001 + group * 2));
        // Its delete is lost. Row 50 n is alive, for those that were deleted before end in 5.
        expected[CollectionOnDisk::id_of(group * 50)] = group * 50 + 1;
    }
    const uint64_t last = 2 * kRowCount + 3 * kLogGroups;
    EXPECT_EQ(tell_and_repair(), expected);
    const auto manifest = storage::read_manifest(made_.files, made_.directory);
    ASSERT_TRUE(manifest.has_value() && manifest->has_value());
    EXPECT_EQ((*manifest)->covered_sequence, last) << "a sequence must not be given twice";
    EXPECT_TRUE((*manifest)->graph.has_value()) << "no row moved";
}

TEST_F(RepairTest, ALostLogFileIsALossAndDamageThatHidesNoRecordIsNone) {
    const std::vector<std::string> logs = storage::names_in(made_.log);
    ASSERT_GE(logs.size(), 3u);
    // Rubbish longer than a clean stop behind the last frame of a file whose successor goes on: the numbers
    // prove that no record is missing.
    const std::string first = made_.log + "/" + logs[0];
    std::string bytes = storage::read_bytes(first);
    bytes.resize(bytes.size() + 256, 'x');
    storage::write_bytes(first, bytes);
    EXPECT_EQ(tell_and_repair(), whole_);
}

TEST_F(RepairTest, ALogFileWhoseHeaderIsDamagedIsALossOfUnknownSize) {
    const std::string newest = storage::names_in(made_.log).back();
    const uint64_t first = *storage::parse_log_name(newest);
    made_.flip(made_.log + "/" + newest, 8);
    const Versions served = tell_and_repair();
    for (const auto& [id, version] : served) {
        EXPECT_LT(version, first);
    }
    const auto manifest = storage::read_manifest(made_.files, made_.directory);
    ASSERT_TRUE(manifest.has_value() && manifest->has_value());
    EXPECT_GE((*manifest)->covered_sequence, 2 * kRowCount + 3 * kLogGroups)
        << "a sequence must not be given twice";
}

TEST_F(RepairTest, AMissingLogFileLosesWhatCameAfter) {
    const std::vector<std::string> logs = storage::names_in(made_.log);
    ASSERT_GE(logs.size(), 3u);
    std::filesystem::remove(made_.log + "/" + logs[1]);
    const Versions served = tell_and_repair();
    const uint64_t kept_up_to = *storage::parse_log_name(logs[1]) - 1;
    for (const auto& [id, version] : served) {
        EXPECT_LE(version, kept_up_to);
    }
}

TEST_F(RepairTest, WithoutAManifestThereIsNoRepair) {
    made_.flip(made_.only(made_.directory, "MANIFEST"), 30);
    const auto before = made_.content();
    EXPECT_EQ(repair_now(true), ExitCode::kIo);
    EXPECT_EQ(made_.content(), before);
}

// Whatever call fails, and with it every later one: either the collection is as damaged as before, or it is
// repaired; and a second run ends where an undisturbed one ends.
TEST_F(RepairTest, AnInterruptedRepairIsFinishedByTheNext) {
    const auto damage = [](CollectionOnDisk& made) {
        made.flip(made.first_rows(), 4096 + 77);
        made.flip(made.log + "/" + storage::names_in(made.log).front(), 300);
    };
    damage(made_);
    const Versions expected = tell_and_repair();
    for (const Call call :
         {Call::kCreate, Call::kAppend, Call::kSync, Call::kRename, Call::kRemove, Call::kSyncDirectory}) {
        for (int skip = 0;; ++skip) {
            CollectionOnDisk other;
            damage(other);
            other.files.fail(call, Code::kInternal, skip);
            const auto run = [&] {
                return repair(other.files, *clock_,
                              {other.data, other.data + "/akidb.db", "words", true, true},
                              [](std::string_view) {});
            };
            const ExitCode first = run();
            other.files.heal();
            const auto between = assess(other.files, other.directory, &other.spec, other.stride());
            ASSERT_TRUE(between.has_value());
            if (between->is_whole()) {
                EXPECT_EQ(other.served(), expected);
            }
            ASSERT_EQ(run(), ExitCode::kClean) << static_cast<int>(call) << " " << skip;
            ASSERT_EQ(other.served(), expected) << static_cast<int>(call) << " " << skip;
            if (first == ExitCode::kClean) {
                break;
            }
        }
    }
}

}  // namespace
}  // namespace akidb::offline
