// What the tests of audit logs share: a log on a real disk whose calls may fail, and its survey. For tests
// only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "access/audit_log.h"
#include "access/audit_survey.h"
#include "io/clock_for_tests.h"
#include "storage/files_for_tests.h"

namespace akidb::access {

class AuditFixture : public ::testing::Test {
  protected:
    /// What power cuts do is tested under the simulator (sim/audit_log_test.cc).
    AuditFixture() { files_.skip_syncs(); }
    /// When one is open already: as after kill -9, nothing is closed in an orderly way.
    void open() {
        log_.reset();
        options_.on_checkpoint = [this](const std::string& line) { checkpoints_.push_back(line); };
        auto opened = AuditLog::open(files_, clock_, *random_, directory_, key_, options_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        log_ = std::move(opened).value();
    }
    static AuditEntry entry(std::string action) {
        return {.actor = "user:ada",
                .tenant = "acme",
                .action = std::move(action),
                .resource = "collection:words",
                .source = "192.0.2.1",
                .user_agent = "akidb/0.1",
                .request_id = "r-1"};
    }
    uint64_t append(std::string action) {
        const Result<uint64_t> sequence = log_->append(entry(std::move(action)));
        EXPECT_TRUE(sequence.has_value()) << sequence.error().message();
        return sequence ? *sequence : 0;
    }
    AuditSurvey survey(const std::vector<std::string>& outside = {}) {
        auto found = survey_audit(files_, directory_, key_.public_key(), outside);
        EXPECT_TRUE(found.has_value()) << found.error().message();
        return found ? *found : AuditSurvey{};
    }

    storage::TempDirectory root_;
    storage::FaultyFileSystem files_;
    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    AuditKey key_ = AuditKey::make(*random_);
    std::string directory_ = root_ / "audit";
    AuditOptions options_;
    std::vector<std::string> checkpoints_;
    std::unique_ptr<AuditLog> log_;
};

}  // namespace akidb::access
