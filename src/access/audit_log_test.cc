#include "access/audit_log.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "access/audit_for_tests.h"
#include "access/audit_survey.h"
#include "io/clock_for_tests.h"

namespace akidb::access {
namespace {

class AuditLogTest : public AuditFixture {};

TEST_F(AuditLogTest, NumbersEntriesAndGoesOnAfterAStart) {
    open();
    EXPECT_EQ(append("collection::create"), 1u);
    EXPECT_EQ(append("collection::delete"), 2u);
    open();  // as after kill -9
    EXPECT_EQ(append("user::create"), 3u);
    ASSERT_TRUE(log_->close().has_value());
    EXPECT_EQ(log_->append(entry("user::create")).error().code(), Code::kUnavailable);
    open();
    const AuditPage page = log_->query({}).value();
    ASSERT_EQ(page.entries.size(), 3u);
    EXPECT_EQ(page.entries[0].action, "user::create");
    EXPECT_EQ(page.entries[2].sequence, 1u);
    EXPECT_EQ(page.entries[2].actor, "user:ada");
    EXPECT_EQ(page.next_before, 0u);
    const AuditSurvey found = survey();
    EXPECT_EQ(found.faults.size(), 0u) << found.faults.front().what;
    EXPECT_EQ(found.last, 3u);
    EXPECT_EQ(found.signed_through, 3u) << "a close signs";
}

TEST_F(AuditLogTest, KeepsWhatClientsWriteOnOneLine) {
    open();
    AuditEntry hostile = entry("document::search");
    hostile.user_agent = "x\"}\n{\"seq\":99}\r\xff\xc3" + std::string("\0", 1) + std::string(1000, 'y');
    hostile.resource = std::string(255, 'a') + "é";
    ASSERT_TRUE(log_->append(hostile).has_value());
    const AuditEntry read = log_->query({}).value().entries.at(0);
    EXPECT_LE(read.user_agent.size(), kAuditFieldBytesMax + 6);
    EXPECT_TRUE(read.user_agent.starts_with("x\"}\n{\"seq\":99}\r\xef\xbf\xbd"));
    EXPECT_EQ(read.resource, std::string(255, 'a')) << "not cut inside a letter";
    EXPECT_EQ(survey().last, 1u);
    EXPECT_EQ(survey().faults.size(), 0u);
}

TEST_F(AuditLogTest, SignsEachThousandEntriesAndAfterAMinute) {
    open();
    for (uint64_t i = 1; i <= 2500; ++i) {
        append("user::read");
        EXPECT_EQ(checkpoints_.size(), i / 1000);
    }
    ASSERT_TRUE(log_->tick().has_value());
    EXPECT_EQ(checkpoints_.size(), 2u);
    clock_.advance_s(60);
    ASSERT_TRUE(log_->tick().has_value());
    ASSERT_EQ(checkpoints_.size(), 3u);
    ASSERT_TRUE(log_->tick().has_value());
    EXPECT_EQ(checkpoints_.size(), 3u) << "nothing new to sign";
    const AuditSurvey found = survey(checkpoints_);
    EXPECT_EQ(found.faults.size(), 0u);
    EXPECT_EQ(found.signed_through, 2500u);
}

TEST_F(AuditLogTest, BeginsFilesAnewAndReadsThemAll) {
    options_.file_bytes = 8 << 10;
    open();
    for (int i = 0; i < 200; ++i) {
        append(i % 2 == 0 ? "user::read" : "user::delete");
    }
    EXPECT_GT(log_->figures().files, 5u);
    EXPECT_EQ(survey().faults.size(), 0u);
    EXPECT_EQ(survey().last, 200u);
    std::set<uint64_t> seen;
    AuditQuery query{.action = "user::delete", .limit = 7};
    uint64_t pages = 0;
    do {
        const AuditPage page = log_->query(query).value();
        for (const AuditEntry& read : page.entries) {
            EXPECT_EQ(read.sequence % 2, 0u);
            EXPECT_TRUE(seen.insert(read.sequence).second);
        }
        query.before = page.next_before;
        ++pages;
    } while (query.before != 0);
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_GE(pages, 15u);
}

TEST_F(AuditLogTest, AnswersByTenantActorOutcomeAndTime) {
    open();
    const uint64_t start = clock_.unix_ms();
    for (int i = 0; i < 40; ++i) {
        AuditEntry made = entry("user::read");
        made.tenant = i % 2 == 0 ? "acme" : "umbrella";
        made.actor = i % 4 < 2 ? "user:ada" : "key:k1";
        made.outcome = i % 8 == 0 ? AuditOutcome::kDenied : AuditOutcome::kAllowed;
        ASSERT_TRUE(log_->append(made).has_value());
        clock_.advance_s(1);
    }
    EXPECT_EQ(log_->query({.tenant = "acme"})->entries.size(), 20u);
    EXPECT_EQ(log_->query({.tenant = "acme", .actor = "key:k1"})->entries.size(), 10u);
    EXPECT_EQ(log_->query({.outcome = AuditOutcome::kDenied})->entries.size(), 5u);
    EXPECT_EQ(log_->query({.from_ms = start + 10'000, .to_ms = start + 20'000})->entries.size(), 10u);
    EXPECT_EQ(log_->query({.tenant = "nobody"})->entries.size(), 0u);
    for (const uint32_t limit : {0U, kAuditQueryLimitMax + 1}) {
        EXPECT_EQ(log_->query({.limit = limit}).error().field(), "limit");
    }
    EXPECT_EQ(log_->query({.limit = kAuditQueryLimitMax})->entries.size(), 40u);
}

TEST_F(AuditLogTest, WritesTenNotesASecondAndCountsTheRest) {
    open();
    for (int i = 0; i < 500; ++i) {
        log_->note(entry("document::search"));
    }
    ASSERT_TRUE(log_->tick().has_value());
    const AuditPage page = log_->query({}).value();
    ASSERT_EQ(page.entries.size(), 11u);
    EXPECT_EQ(page.entries[0].action, kAuditOmit);
    EXPECT_EQ(page.entries[0].resource, "490 denials");
    EXPECT_EQ(log_->figures().omitted, 490u);
}

TEST_F(AuditLogTest, RefusesWhileTheDiskIsFullAndGoesOnAfterwards) {
    for (const auto call :
         {storage::FaultyFileSystem::Call::kCreate, storage::FaultyFileSystem::Call::kAppend,
          storage::FaultyFileSystem::Call::kSync, storage::FaultyFileSystem::Call::kSyncDirectory}) {
        storage::TempDirectory place;
        directory_ = place / "audit";
        open();
        append("user::create");
        if (call == storage::FaultyFileSystem::Call::kCreate ||
            call == storage::FaultyFileSystem::Call::kSyncDirectory) {
            open();  // so that the next entry begins a file
        }
        files_.fail(call, Code::kDiskFull);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(log_->append(entry("user::delete")).error().code(), Code::kDiskFull);
        }
        EXPECT_EQ(log_->query({})->entries.size(), 1u);
        files_.heal();
        EXPECT_EQ(append("user::update"), 2u);
        EXPECT_EQ(log_->figures().failures, 3u);
        open();
        EXPECT_EQ(append("user::read"), 3u);
        EXPECT_EQ(survey().faults.size(), 0u) << survey().faults.front().what;
        EXPECT_EQ(log_->query({.action = "user::delete"})->entries.size(), 0u);
    }
}

TEST_F(AuditLogTest, RemovesFilesOlderThanTheRetentionAndSaysSo) {
    options_.file_bytes = 8 << 10;
    options_.retention_ms = 100'000;
    open();
    for (int i = 0; i < 300; ++i) {
        append("user::read");
        clock_.advance_s(1);
    }
    const uint64_t before = log_->figures().files;
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(log_->tick().has_value());
    }
    EXPECT_LT(log_->figures().files, before);
    const AuditSurvey found = survey();
    EXPECT_GT(found.first, 100u);
    EXPECT_EQ(found.faults.size(), 0u) << found.faults.front().what;
    EXPECT_GT(log_->query({.action = std::string(kAuditExpire)})->entries.size(), 2u);
    open();
    EXPECT_EQ(survey().faults.size(), 0u);
}

TEST_F(AuditLogTest, RefusesToGoOnBehindAChangedEnd) {
    open();
    append("user::create");
    append("user::delete");
    log_.reset();
    const std::string path = directory_ + "/" + audit_file_name(1);
    std::string bytes = storage::read_bytes(path);
    bytes.replace(bytes.rfind("user::delete"), 12, "user::create");
    storage::write_bytes(path, bytes);
    const auto refused = AuditLog::open(files_, clock_, *random_, directory_, key_, options_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::kDataLoss);
    const auto other_key =
        AuditLog::open(files_, clock_, *random_, directory_, AuditKey::make(*random_), options_);
    EXPECT_EQ(other_key.error().code(), Code::kDataLoss);
}

TEST_F(AuditLogTest, GivesEachOfManyWritersItsOwnNumber) {
    open();
    constexpr uint64_t kThreads = 8;
    constexpr uint64_t kEach = 300;
    std::vector<std::thread> threads;
    std::vector<std::vector<uint64_t>> given(kThreads);
    for (uint64_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (uint64_t i = 0; i < kEach; ++i) {
                given[t].push_back(log_->append(entry("user::read")).value());
                log_->note(entry("user::update"));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::set<uint64_t> all;
    for (const std::vector<uint64_t>& numbers : given) {
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
        all.insert(numbers.begin(), numbers.end());
    }
    EXPECT_EQ(all.size(), kThreads * kEach);
    ASSERT_TRUE(log_->close().has_value());
    EXPECT_EQ(survey(checkpoints_).faults.size(), 0u);
}

}  // namespace
}  // namespace akidb::access
