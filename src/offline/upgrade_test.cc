// What is told of a data directory before an upgrade, and what is kept of it: over the golden files of every
// format so far, which are what older servers left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "backup/formats.h"
#include "catalog/catalog.h"
#include "catalog/stored_version.h"
#include "io/pause.h"
#include "io/random.h"
#include "offline/before_upgrade.h"
#include "offline/upgrade_check.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"

namespace akidb::offline {
namespace {

namespace fs = std::filesystem;
using storage::FileKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kGoldenFormats = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/";
constexpr uint64_t kDayMs = 86'400'000;

class WallClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return 1; }
    uint64_t unix_ms() const override { return now_ms; }
    uint64_t now_ms = 1'700'000'000'000;  // 2023-11-14T22:13:20Z
};

/// Relative path and content of every file.
using Tree = std::map<std::string, std::string>;

Tree tree_of(const std::string& directory) {
    Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file()) {
            tree[fs::relative(entry.path(), directory)] = storage::read_bytes(entry.path());
        }
    }
    return tree;
}

class UpgradeTest : public testing::Test {
  protected:
    std::string data() const { return directory_ / "data"; }
    DataPlace place() const { return {data(), data() + "/akidb.db"}; }
    std::string collection() const {
        return data() + "/collections/" + storage::test_collection().to_string();
    }

    /// The golden files of one version of the collection, and of the catalog.
    void make_data(const std::string& files, int64_t catalog) {
        fs::create_directories(data() + "/collections");
        fs::copy(kGoldenFormats + files, collection(), fs::copy_options::recursive);
        fs::copy_file(kGoldenFormats + "catalog/" + std::to_string(catalog) + ".db", place().catalog);
    }

    UpgradePreparation prepare(uint64_t keep_days = 7) {
        auto done = prepare_upgrade(*files_, clock_, place(), keep_days);
        EXPECT_TRUE(done) << done.error().message();
        return done ? std::move(*done) : UpgradePreparation{};
    }

    nlohmann::json check(ExitCode expected, const std::string& backups = {}) {
        std::string text;
        std::string json;
        for (const bool as_json : {false, true}) {
            const UpgradeCheckRequest request{.data = data(),
                                              .catalog = place().catalog,
                                              .keep_days = 7,
                                              .backups = backups,
                                              .json = as_json};
            EXPECT_EQ(check_upgrade({*files_, clock_, *random_, *pause_}, {}, request,
                                    [&](std::string_view part) { (as_json ? json : text) += part; }),
                      expected);
        }
        nlohmann::json answer = nlohmann::json::parse(json, nullptr, false);
        EXPECT_FALSE(answer.is_discarded()) << json;
        if (answer.contains("verdict")) {
            EXPECT_THAT(text, HasSubstr("catalog")) << text;
            EXPECT_EQ(text.find("do not start") != std::string::npos, answer["verdict"] == "newer") << text;
        }
        return answer;
    }

    storage::TempDirectory directory_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    WallClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
};

TEST_F(UpgradeTest, ThereIsAGoldenFileOfEveryFormatThatIsRead) {
    std::map<FileKind, std::set<uint32_t>> found;
    std::set<uint32_t> backups;
    for (const auto& entry : fs::recursive_directory_iterator(kGoldenFormats)) {
        if (!entry.is_regular_file()) {
            continue;
        }
        const std::string bytes = storage::read_bytes(entry.path());
        for (const FileKind kind : {FileKind::kLog, FileKind::kManifest, FileKind::kSegment}) {
            if (const auto format = storage::format_of(kind, bytes)) {
                found[kind].insert(*format);
            }
        }
        if (const auto format = backup::backup_format_of(bytes)) {
            backups.insert(*format);
        }
    }
    for (const FileKind kind : {FileKind::kLog, FileKind::kManifest, FileKind::kSegment}) {
        const storage::FormatRange known = storage::known_formats(kind);
        for (uint32_t format = known.oldest; format <= known.newest; ++format) {
            EXPECT_TRUE(found[kind].contains(format))
                << "no golden " << storage::kFileKindNames.at(static_cast<size_t>(kind)) << " of format "
                << format;
        }
        EXPECT_EQ(found[kind].size(), known.newest - known.oldest + 1) << "one that is not read";
    }
    const storage::FormatRange known = backup::known_backup_formats();
    EXPECT_EQ(backups.size(), known.newest - known.oldest + 1);
}

TEST_F(UpgradeTest, TellsEveryFormatAndWhatAStartWouldChange) {
    make_data("v1", 1);
    const Tree before = tree_of(data());
    const nlohmann::json old = check(ExitCode::kClean);
    EXPECT_EQ(old["verdict"], "upgrades");
    EXPECT_EQ(old["way_back"], "copy");
    EXPECT_THAT(old["changes"], SizeIs(2));
    EXPECT_EQ(
        old["formats"][0],
        (nlohmann::json{
            {"kind", "catalog"}, {"format", 1}, {"files", 1}, {"reads", {1, catalog::newest_version()}}}));
    EXPECT_EQ(old["formats"][1]["kind"], "log");
    EXPECT_EQ(old["formats"][1]["format"], 1);
    EXPECT_EQ(old["formats"][2]["kind"], "manifest");
    EXPECT_EQ(old["formats"][3]["files"], 3);
    EXPECT_EQ(tree_of(data()), before) << "it changes nothing";
    fs::remove_all(data());
    make_data("v5", catalog::newest_version());
    const nlohmann::json now = check(ExitCode::kClean);
    EXPECT_EQ(now["verdict"], "current");
    EXPECT_EQ(now["way_back"], "same_formats");
}

TEST_F(UpgradeTest, RefusesWhatANewerAkiDBWroteAndNamesIt) {
    make_data("v5", catalog::newest_version());
    const std::string log = collection() + "/log/" + storage::log_name(1);
    const uint32_t newer = storage::known_formats(FileKind::kLog).newest + 1;
    std::string bytes = storage::read_bytes(log);
    bytes[8] = static_cast<char>(newer);
    storage::write_bytes(log, bytes);
    const nlohmann::json found = check(ExitCode::kIo);
    EXPECT_EQ(found["verdict"], "newer");
    EXPECT_THAT(found["newer"][0].get<std::string>(),
                HasSubstr(log + " has log format " + std::to_string(newer)));
    fs::remove_all(data());
    make_data("v5", catalog::newest_version());
    storage::write_bytes(data() + "/" + kFormatsName, "log " + std::to_string(newer) + "\n");
    EXPECT_EQ(check(ExitCode::kIo)["verdict"], "newer");
    const Tree before = tree_of(data());
    EXPECT_EQ(prepare_upgrade(*files_, clock_, place(), 7).error().code(), Code::kConflict);
    EXPECT_EQ(tree_of(data()), before);
    fs::remove(data() + "/" + kFormatsName);
    std::string catalog = storage::read_bytes(place().catalog);
    catalog[63] = 99;
    storage::write_bytes(place().catalog, catalog);
    EXPECT_THAT(check(ExitCode::kIo)["newer"][0].get<std::string>(), HasSubstr("version 99"));
    prepare();
    EXPECT_FALSE(fs::exists(data() + "/" + kFormatsName)) << "nothing is written where no start may be";
}

TEST_F(UpgradeTest, LooksAtBackupsAsWell) {
    make_data("v5", catalog::newest_version());
    const std::string place = directory_ / "backups";
    fs::create_directories(place + "/backups");
    const Uuid id = make_uuid_v7(1'700'000'000'000, 1, 2);
    fs::copy_file(kGoldenFormats + "backup/manifest-2", place + "/backups/" + id.to_string());
    EXPECT_EQ(check(ExitCode::kClean, place)["formats"].back()["kind"], "backup");
    std::string bytes = storage::read_bytes(place + "/backups/" + id.to_string());
    bytes[8] = static_cast<char>(backup::known_backup_formats().newest + 1);
    storage::write_bytes(place + "/backups/" + id.to_string(), bytes);
    EXPECT_THAT(check(ExitCode::kIo, place)["newer"][0].get<std::string>(), HasSubstr(id.to_string()));
}

TEST_F(UpgradeTest, WhatIsNoDataDirectoryIsTold) {
    EXPECT_EQ(check(ExitCode::kUsage).value("verdict", ""), "");
    make_data("v1", 1);
    storage::write_bytes(collection() + "/seg/" + storage::dead_name(1), "rubbish");
    EXPECT_THAT(check(ExitCode::kClean)["damaged"], SizeIs(1));
}

TEST_F(UpgradeTest, KeepsTheVeryFilesBeforeAFormatChanges) {
    for (const auto& [files, version] :
         {std::pair("v1", 1), std::pair("v2", 3), std::pair("v3", 5), std::pair("v5", 6)}) {
        fs::remove_all(data());
        make_data(files, version);
        storage::write_bytes(place().catalog + "-wal", "");
        fs::create_directories(collection() + "/lost");
        const Tree before = tree_of(data());
        const UpgradePreparation done = prepare();
        EXPECT_FALSE(done.changes.empty());
        ASSERT_EQ(done.copy, data() + "/before-upgrade-" + std::to_string(version) + "-2023-11-14T22-13-20Z");
        EXPECT_EQ(tree_of(done.copy), before);
        struct stat seen {};
        ASSERT_EQ(::stat((collection() + "/seg/" + storage::graph_name(1)).c_str(), &seen), 0);
        EXPECT_EQ(seen.st_nlink, 2u) << "one file by two names";
        EXPECT_GT(done.linked_bytes, done.copied_bytes - fs::file_size(place().catalog));
        EXPECT_FALSE(fs::exists(data() + "/staging/before-upgrade"));
        EXPECT_EQ(storage::read_bytes(data() + "/" + kFormatsName), formats_marker());
        // The migration, and then the next start, change nothing of it.
        ASSERT_TRUE(catalog::Catalog::open(place().catalog).value()->close());
        EXPECT_THAT(prepare().changes, IsEmpty());
        EXPECT_EQ(tree_of(done.copy), before);
        EXPECT_EQ(check(ExitCode::kClean)["copies"].size(), 1u);
    }
}

TEST_F(UpgradeTest, NothingIsKeptWhereNoFormatChangesOrNobodyWantsIt) {
    make_data("v5", catalog::newest_version());
    EXPECT_THAT(prepare().copy, IsEmpty());
    EXPECT_EQ(storage::read_bytes(data() + "/" + kFormatsName), formats_marker());
    fs::remove_all(data());
    make_data("v1", 1);
    const UpgradePreparation done = prepare(0);
    EXPECT_THAT(done.changes, SizeIs(2));
    EXPECT_THAT(done.copy, IsEmpty());
    fs::remove_all(data());
    fs::create_directories(data());
    EXPECT_THAT(prepare().changes, IsEmpty()) << "a new directory";
}

TEST_F(UpgradeTest, OneIsKeptAndForSoManyDays) {
    make_data("v1", 1);
    prepare();
    clock_.now_ms += kDayMs;
    fs::remove(data() + "/" + kFormatsName);  // as an older server leaves it that went on with the same data
    prepare();
    EXPECT_THAT(*list_upgrade_copies(*files_, data()), ElementsAre("before-upgrade-1-2023-11-15T22-13-20Z"));
    clock_.now_ms += 7 * kDayMs;
    EXPECT_THAT(*remove_old_upgrade_copies(*files_, clock_, data(), 7), IsEmpty());
    clock_.now_ms -= 400 * kDayMs;
    EXPECT_THAT(*remove_old_upgrade_copies(*files_, clock_, data(), 7), IsEmpty())
        << "a clock that went back";
    clock_.now_ms += 400 * kDayMs + 1;
    EXPECT_THAT(*remove_old_upgrade_copies(*files_, clock_, data(), 7), SizeIs(1));
    EXPECT_THAT(*list_upgrade_copies(*files_, data()), IsEmpty());
}

/// Fails at one file of the copy.
class FullAt final : public storage::FaultyFileSystem {
  public:
    Result<void> rename(const std::string& from, const std::string& to) override {
        return to.find("before-upgrade-") != std::string::npos ? Error(Code::kDiskFull, "no space left")
                                                               : storage::FaultyFileSystem::rename(from, to);
    }
};

TEST_F(UpgradeTest, AStartThatCannotKeepItChangesNothing) {
    make_data("v1", 1);
    const Tree before = tree_of(data());
    FullAt full;
    const auto refused = prepare_upgrade(full, clock_, place(), 7);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kDiskFull);
    EXPECT_THAT(refused.error().message(), HasSubstr("upgrade.copy_days"));
    EXPECT_EQ(tree_of(data()), before);
    EXPECT_TRUE(prepare_upgrade(full, clock_, place(), 0)) << "without, it goes";
}

}  // namespace
}  // namespace akidb::offline
