// Every way to tamper with a log that the survey's header lists, and that it is told.
#include "access/audit_survey.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "access/audit_for_tests.h"

namespace akidb::access {
namespace {

namespace fs = std::filesystem;

class AuditSurveyTest : public AuditFixture {
  protected:
    /// Three files: entries 1 to 20, 21 to 40, 41 to 60, of which all are signed.
    void write() {
        for (int file = 0; file < 3; ++file) {
            open();
            for (int i = 0; i < 20; ++i) {
                append("user::read");
                clock_.advance_s(1);
            }
            ASSERT_TRUE(log_->close().has_value());
        }
        log_.reset();
    }
    std::string path(uint64_t first) const { return directory_ + "/" + audit_file_name(first); }
    std::vector<std::string> lines(uint64_t first) {
        std::vector<std::string> found;
        std::string text = storage::read_bytes(path(first));
        for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
            found.push_back(text.substr(0, end));
            text.erase(0, end + 1);
        }
        return found;
    }
    void put(uint64_t first, const std::vector<std::string>& lines) {
        std::string text;
        for (const std::string& line : lines) {
            text += line + "\n";
        }
        storage::write_bytes(path(first), text);
    }
    /// The log as a liar without the key makes it: entries as he likes, and all hashes right.
    void rehash(uint64_t first, std::vector<std::string> all) {
        Sha256 hash = std::get<AuditHeader>(*parse_audit_line(all.at(0))).previous;
        for (std::string& line : all) {
            const auto parsed = parse_audit_line(line);
            if (const auto* read = std::get_if<AuditEntryLine>(&*parsed)) {
                AuditEntry changed = read->entry;
                if (changed.sequence == first + 5) {
                    changed.actor = "user:somebody else";
                }
                line = encode_audit_entry(changed, hash);
            }
        }
        put(first, all);
    }
    ::testing::AssertionResult is_told(std::string_view words, const std::vector<std::string>& outside = {}) {
        std::string all;
        for (const AuditFinding& fault : survey(outside).faults) {
            all += fault.file + ": " + fault.what + "\n";
        }
        return all.find(words) != std::string::npos ? ::testing::AssertionSuccess()
                                                    : ::testing::AssertionFailure() << "told: " << all;
    }
};

TEST_F(AuditSurveyTest, FindsNothingInALogAsItWasWritten) {
    write();
    const AuditSurvey found = survey(checkpoints_);
    EXPECT_EQ(found.faults.size(), 0u);
    EXPECT_EQ(found.remarks.size(), 0u);
    EXPECT_EQ(found.first, 1u);
    EXPECT_EQ(found.last, 60u);
    EXPECT_EQ(found.files, 3u);
    EXPECT_EQ(found.signed_through, 60u);
    EXPECT_EQ(checkpoints_.size(), 3u);
}

TEST_F(AuditSurveyTest, TellsOfEveryChangedByte) {
    write();
    const std::string bytes = storage::read_bytes(path(21));
    auto dice = io::make_seeded_random(5);
    for (size_t at = 0; at < bytes.size(); at += 1 + dice->next_u64() % 60) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ (1 << dice->next_u64() % 7));
        storage::write_bytes(path(21), changed);
        ASSERT_FALSE(survey().faults.empty()) << at << ": " << bytes[at] << " became " << changed[at];
    }
}

TEST_F(AuditSurveyTest, TellsOfADeletedEntry) {
    write();
    for (const size_t gone : {1u, 7u, 20u}) {
        std::vector<std::string> kept = lines(21);
        const std::vector<std::string> all = kept;
        kept.erase(kept.begin() + static_cast<ptrdiff_t>(gone));
        put(21, kept);
        EXPECT_FALSE(survey().faults.empty()) << gone;
        put(21, all);
    }
}

TEST_F(AuditSurveyTest, TellsOfMovedAndRepeatedEntries) {
    write();
    std::vector<std::string> all = lines(21);
    std::swap(all[5], all[6]);
    put(21, all);
    EXPECT_TRUE(is_told("entry 25 should stand before entry 26"));
    std::swap(all[5], all[6]);
    all.insert(all.begin() + 6, all[5]);
    put(21, all);
    EXPECT_TRUE(is_told("entry 25 stands after entry 25"));
}

TEST_F(AuditSurveyTest, TellsOfAChainMadeAnewWithoutTheKey) {
    write();
    rehash(41, lines(41));
    EXPECT_TRUE(is_told("the checkpoint of entry 60 is of other entries"));
    std::vector<std::string> all = lines(41);
    all.pop_back();  // the checkpoint too
    put(41, all);
    EXPECT_TRUE(is_told("a fork: entry 60 is not the one of the checkpoint kept elsewhere", checkpoints_));
}

TEST_F(AuditSurveyTest, TellsOfAFileTakenOut) {
    write();
    fs::remove(path(21));
    EXPECT_TRUE(is_told("entries 21 to 40 should stand before this file"));
}

TEST_F(AuditSurveyTest, TellsOfABeginningTakenAway) {
    write();
    fs::remove(path(1));
    EXPECT_TRUE(is_told("entries 1 to 20 are gone, and no entry says that they expired"));
}

TEST_F(AuditSurveyTest, NeedsACheckpointKeptElsewhereToSeeTheEndCutOff) {
    write();
    fs::remove(path(41));
    EXPECT_EQ(survey().faults.size(), 0u);
    EXPECT_TRUE(is_told("cut off: the checkpoint kept elsewhere has entry 60, and the log ends with entry 40",
                        {"2026-01-31T12:00:00Z INFO checkpoint line=" + checkpoints_.back()}));
    std::string escaped = checkpoints_.back();
    for (size_t at = 0; (at = escaped.find('"', at)) != std::string::npos; at += 2) {
        escaped.insert(at, "\\");
    }
    EXPECT_TRUE(
        is_told("cut off: ", {R"({"level":"info","event":"audit checkpoint )" + escaped + R"(","more":{}})"}))
        << "from a log of JSON lines";
    EXPECT_TRUE(is_told("holds no checkpoint", {"another file"}));
    // And a server that goes on behind the cut makes another entry 60.
    open();
    for (int i = 0; i < 30; ++i) {
        append("user::read");
    }
    EXPECT_TRUE(is_told("a fork: entry 60", {checkpoints_[2]}));
}

TEST_F(AuditSurveyTest, TellsOfAnotherLogInItsPlace) {
    write();
    fs::remove_all(directory_);
    open();
    for (int i = 0; i < 70; ++i) {
        append("user::read");
    }
    EXPECT_EQ(survey().faults.size(), 0u);
    EXPECT_TRUE(is_told("kept elsewhere is of log", {checkpoints_[2]}));
}

TEST_F(AuditSurveyTest, TellsOfAForkInFiles) {
    write();
    const std::string copied = storage::read_bytes(path(41));
    fs::remove(path(41));
    open();
    for (int i = 0; i < 10; ++i) {
        append("user::delete");
    }
    ASSERT_TRUE(log_->close().has_value());
    storage::write_bytes(directory_ + "/" + audit_file_name(45), copied);
    EXPECT_TRUE(is_told("a fork: entries 41 to 50 are there already"));
}

TEST_F(AuditSurveyTest, TellsOfAnotherKey) {
    write();
    auto found = survey_audit(files_, directory_, AuditKey::make(*random_).public_key(), checkpoints_);
    ASSERT_TRUE(found.has_value());
    EXPECT_GE(found->faults.size(), 6u);
}

TEST_F(AuditSurveyTest, TellsOfAClockThatWentBack) {
    open();
    append("user::read");
    clock_.set_unix_ms(clock_.unix_ms() - 59'000);
    append("user::read");
    EXPECT_EQ(survey().faults.size(), 0u) << "a correction";
    clock_.set_unix_ms(clock_.unix_ms() - 3'600'000);
    append("user::read");
    EXPECT_TRUE(is_told("the clock went back by 3600 s before entry 3"));
    open();
    clock_.set_unix_ms(clock_.unix_ms() - 7'200'000);
    append("user::read");
    EXPECT_TRUE(is_told("the clock went back by 7200 s before entry 4"));
}

TEST_F(AuditSurveyTest, TellsOfMissingCheckpoints) {
    open();
    for (int i = 0; i < 1001; ++i) {
        append("user::read");
    }
    EXPECT_EQ(survey().faults.size(), 0u);
    std::vector<std::string> all = lines(1);
    all.erase(all.begin() + 1001);
    put(1, all);
    EXPECT_TRUE(is_told("entry 1001 and the 1,000 before it have no checkpoint"));
}

TEST_F(AuditSurveyTest, RemarksOnATornEndAndEntriesNotSigned) {
    open();
    append("user::read");
    append("user::read");
    log_.reset();
    const std::string bytes = storage::read_bytes(path(1));
    for (size_t cut = bytes.find('\n') + 1; cut < bytes.size(); cut += 13) {
        storage::write_bytes(path(1), bytes.substr(0, cut));
        EXPECT_EQ(survey().faults.size(), 0u) << cut;
        std::string zeros = bytes;
        std::fill(zeros.begin() + static_cast<ptrdiff_t>(cut), zeros.end() - 1, '\0');
        storage::write_bytes(path(1), zeros);
        EXPECT_EQ(survey().faults.size(), 0u) << cut;
    }
    const auto nothing = survey_audit(files_, root_.path(), key_.public_key(), {});
    EXPECT_EQ(nothing.error().code(), Code::kNotFound);
}

/// What docs/formats/audit.md shows. Written anew with AKIDB_UPDATE_DOCS=1, which only a new format may need.
TEST(AuditGolden, IsWrittenAndReadAsTheFormatSays) {
    const std::string golden = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/audit/";
    storage::TempDirectory root;
    storage::FaultyFileSystem files;
    io::HandClock clock;
    const auto random = io::make_seeded_random(1);
    const AuditKey key = AuditKey::parse(std::string(62, '0') + "01").value();
    std::string checkpoints;
    AuditOptions options;
    options.on_checkpoint = [&](const std::string& line) { checkpoints += line + "\n"; };
    {
        auto log = AuditLog::open(files, clock, *random, root / "audit", key, options).value();
        ASSERT_TRUE(log->append({.actor = "user:ada",
                                 .tenant = "acme",
                                 .action = "collection::delete",
                                 .resource = "collection:words",
                                 .source = "192.0.2.1",
                                 .user_agent = "akidb/0.1",
                                 .request_id = "r-1"})
                        .has_value());
        clock.advance_s(1);
        ASSERT_TRUE(log->append({.actor = "key:k7",
                                 .tenant = "acme",
                                 .action = "user::create",
                                 .resource = "user:\"é\"\n",
                                 .outcome = AuditOutcome::kDenied,
                                 .reason = "the role viewer may not",
                                 .source = "2001:db8::1",
                                 .request_id = "r-2"})
                        .has_value());
        log->note({.action = "auth::login", .outcome = AuditOutcome::kFailed, .reason = "wrong password"});
        ASSERT_TRUE(log->close().has_value());
    }
    const std::string name = audit_file_name(1);
    const std::string written = storage::read_bytes(root / ("audit/" + name));
    if (getenv("AKIDB_UPDATE_DOCS") != nullptr) {
        fs::create_directories(golden);
        storage::write_bytes(golden + name, written);
        storage::write_bytes(golden + "checkpoints.txt", checkpoints);
        storage::write_bytes(golden + "public.key", to_hex(key.public_key()) + "\n");
    }
    EXPECT_EQ(written, storage::read_bytes(golden + name));
    EXPECT_EQ(checkpoints, storage::read_bytes(golden + "checkpoints.txt"));
    const std::string page = storage::read_bytes(std::string(AKIDB_SOURCE_DIR) + "/docs/formats/audit.md");
    EXPECT_NE(page.find(written), std::string::npos) << "the page shows another file:\n" << written;
}

}  // namespace
}  // namespace akidb::access
