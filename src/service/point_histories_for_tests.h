// Random histories whose log is archived to a directory or to objects in memory while backups are made now
// and then, collections come and go, and the server starts again; and what a restore to a point of them must
// give. For tests only; not thread-safe.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <set>

#include "backup/upkeep.h"
#include "objects/memory_store.h"
#include "service/backups.h"
#include "service/histories_for_tests.h"
#include "service/log_archiver.h"
#include "storage/files_for_tests.h"

namespace akidb::service {

namespace fs = std::filesystem;
using backup::RestorePoint;
using testing::AnyOf;
using testing::HasSubstr;
using PointKind = RestorePoint::Kind;

inline constexpr uint64_t kHeldBytes = 64 << 20;
inline constexpr const char* kLate = "late";    // made in the middle
inline constexpr const char* kShort = "short";  // deleted in the middle

/// Time passes when the history says so.
class SteppedClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_ms_ * 1000; }
    uint64_t unix_ms() const override { return now_ms_; }
    void pass(uint64_t ms) { now_ms_ += ms; }

  private:
    std::atomic<uint64_t> now_ms_{1'800'000'000'000};
};

/// What a collection was from a write on.
struct Version {
    uint64_t sequence = 0;
    uint64_t unix_ms = 0;
    Model model;
};

class PointHistories : public testing::TestWithParam<uint64_t> {
  protected:
    struct Life {
        Kind kind;
        std::vector<Version> versions;  // the first: empty
        uint64_t known_from_ms = 0;     // the catalog of this moment has it
        uint64_t gone_ms = UINT64_MAX;
    };
    using History = std::map<std::string, Life>;

    /// A server on a data directory, with what makes backups of it.
    struct Server {
        Server(PointHistories& test, const std::string& data)
            : opened(*test.files_, test.clock_, *test.random_, data, kHeldBytes) {
            Backups::Dependencies given{opened.directory(), opened.catalog(), test.doors(),
                                        test.idle_,         test.logger_,     test.metrics_};
            given.data = data;
            given.version = "0.1.0";
            given.owner.bytes.fill(1);
            given.open_target = [&test](const std::string& place, backup::TargetUse use) {
                return test.open_target(place, use);
            };
            LogArchiver::Dependencies of_log{opened.directory(), opened.catalog(), test.doors(),
                                             test.idle_,         test.logger_,     test.metrics_};
            of_log.data = data;
            of_log.owner = given.owner;
            of_log.open_target = given.open_target;
            archiver = std::make_unique<LogArchiver>(std::move(of_log), ArchivePlan{test.place_, 20'000});
            given.timeline = [this] { return archiver->timeline(); };
            backups = std::make_unique<Backups>(std::move(given));
        }
        Opened opened;
        std::unique_ptr<LogArchiver> archiver;
        std::unique_ptr<Backups> backups;
    };

    void SetUp() override {
        make_data(data_);
        place_ = GetParam() % 2 == 0 ? root_ / "backups" : "s3://memory/backups";
        server_ = std::make_unique<Server>(*this, data_);
        for (const Kind& kind : kKinds) {
            create(kind);
        }
        create({kShort, 16, model::Metric::kCosine, model::VectorStorage::kF32});
    }

    void make_data(const std::string& data) {
        for (const std::string& made : {data, data + "/collections", data + "/staging"}) {
            ASSERT_TRUE(files_->make_directory(made));
        }
    }

    backup::TargetDoors doors() { return {*files_, clock_, *random_, *pause_}; }

    Result<std::unique_ptr<backup::Target>> open_target(const std::string& place, backup::TargetUse use) {
        if (backup::is_s3_place(place)) {
            return backup::Target::over(std::make_unique<Sharing>(*memory_));
        }
        return backup::Target::open(doors(), place, {}, use);
    }

    uint64_t draw(uint64_t below) { return writes_.draw(below); }

    void create(const Kind& kind) {
        ASSERT_TRUE(server_->opened.directory().create({}, spec_of(kind, kind.name)));
        history_[kind.name] = {
            .kind = kind, .versions = {{0, clock_.unix_ms(), {}}}, .known_from_ms = UINT64_MAX};
    }

    void archive() {
        clock_.pass(1 + draw(1000));
        const Result<void> done = server_->archiver->archive_now();
        ASSERT_TRUE(done) << done.error().message();
        archived_ms_ = clock_.unix_ms();
        for (auto& [name, life] : history_) {
            life.known_from_ms = std::min(life.known_from_ms, archived_ms_);
        }
    }

    void back_up() {
        clock_.pass(1 + draw(1000));
        const auto made = server_->backups->make(place_, {});
        ASSERT_TRUE(made) << made.error().message();
        EXPECT_EQ(made->timeline, server_->archiver->timeline());
        if (first_backup_ms_ == 0) {
            first_backup_ms_ = clock_.unix_ms() + 1;
            for (const auto& [name, life] : history_) {
                oldest_[name] = life.versions.back().sequence;
            }
        }
    }

    void write(Life& life) {
        clock_.pass(1 + draw(3000));
        const auto collection = server_->opened.find(life.kind.name);
        ASSERT_NE(collection, nullptr);
        Model now = life.versions.back().model;
        writes_.write(life.kind, *collection, now);
        const uint64_t sequence = collection->stats().last_sequence;
        if (sequence == life.versions.back().sequence) {  // it met no document
            return;
        }
        // A group is stamped one later than the clock when the log was looked at in that very millisecond.
        life.versions.push_back({sequence, clock_.unix_ms(), std::move(now)});
    }

    void step() {
        auto at = history_.begin();
        std::advance(at, draw(history_.size()));
        Life& life = at->second;
        if (life.gone_ms != UINT64_MAX) {
            return;
        }
        switch (draw(12)) {
            case 0:
                return archive();
            case 1:
                ASSERT_TRUE(server_->opened.find(at->first)->run_maintenance_now());
                return;
            case 2:
                ASSERT_TRUE(server_->opened.find(at->first)->rewrite());
                return;
            case 3:
                server_.reset();
                server_ = std::make_unique<Server>(*this, data_);
                return;
            default:
                return write(life);
        }
    }

    void play(size_t backups) {
        for (size_t i = 0; i < backups; ++i) {
            for (uint64_t steps = 15 + draw(25); steps > 0; --steps) {
                ASSERT_NO_FATAL_FAILURE(step());
            }
            ASSERT_NO_FATAL_FAILURE(archive());
            ASSERT_NO_FATAL_FAILURE(back_up());
            if (i == 1) {
                create({kLate, 16, model::Metric::kL2, model::VectorStorage::kF32});
                ASSERT_NO_FATAL_FAILURE(archive());
                ASSERT_TRUE(server_->opened.directory().remove({{}, kShort}));
                unknown_from_ms_ = archived_ms_;
                ASSERT_NO_FATAL_FAILURE(archive());
                history_[kShort].gone_ms = archived_ms_;
            }
        }
        for (uint64_t steps = 20; steps > 0; --steps) {
            ASSERT_NO_FATAL_FAILURE(step());
        }
        ASSERT_NO_FATAL_FAILURE(archive());
    }

    Result<backup::RestoreReport> restore(const backup::PointRequest& request, const std::string& to) {
        ++restores_;
        const auto target = open_target(place_, backup::TargetUse::kRead).value();
        backup::Repository repository(target->store(), clock_);
        AKIDB_TRY(const backup::BackupManifest base, backup::choose_base(repository, request));
        return backup::restore(*files_, repository,
                               {.backup = base.id,
                                .data = to,
                                .collection = request.collection,
                                .as = request.collection.empty() ? "" : "another",
                                .point = request.point});
    }

    static const Version& version_at(const Life& life, uint64_t unix_ms) {
        const Version* found = &life.versions.front();
        for (const Version& version : life.versions) {
            found = version.unix_ms <= unix_ms ? &version : found;
        }
        return *found;
    }

    void expect_one(const Version& version, const Kind& kind, const std::string& data) {
        {
            Opened again(*files_, clock_, *random_, data);
            const auto collection = again.find("another");
            ASSERT_NE(collection, nullptr);
            EXPECT_EQ(collection->stats().last_sequence, version.sequence);
            expect_equal(kind, *collection, version.model);
            // It is a collection like another.
            ASSERT_TRUE(collection->upsert({document(kind, kIdsMax, {1, 1})}));
            EXPECT_EQ(collection->count(nullptr).value(), version.model.size() + 1);
        }
        fs::remove_all(data);
    }

    void expect_all(const History& history, uint64_t unix_ms, const std::string& data) {
        {
            Opened again(*files_, clock_, *random_, data);
            std::set<std::string> there;
            for (const DirectoryEntry& entry : again.directory().list_all()) {
                there.insert(entry.spec.name);
            }
            for (const auto& [name, life] : history) {
                const bool is_there = life.known_from_ms <= unix_ms && unix_ms < life.gone_ms;
                EXPECT_EQ(there.contains(name), is_there) << name << " at " << unix_ms;
                if (is_there && there.contains(name)) {
                    expect_equal(life.kind, *again.find(name), version_at(life, unix_ms).model);
                }
            }
        }
        fs::remove_all(data);
    }

    /// Drawn from what can be restored.
    struct Drawn {
        backup::PointRequest request;
        const Life* life = nullptr;
        const Version* version = nullptr;
    };
    Drawn draw_point() {
        while (true) {
            auto at = history_.begin();
            std::advance(at, draw(history_.size()));
            const Life& life = at->second;
            const Version& version = life.versions[draw(life.versions.size())];
            if (draw(2) == 0) {
                if (version.sequence >= oldest_[at->first] && version.sequence > 0) {
                    return {{.point = {PointKind::kSequence, version.sequence}, .collection = at->first},
                            &life,
                            &version};
                }
            } else if (const uint64_t at_ms = version.unix_ms + draw(50);
                       at_ms > first_backup_ms_ && at_ms < through_ms() && !is_unknown(at_ms)) {
                return {{.point = {PointKind::kTime, at_ms}}};
            }
        }
    }

    /// Whether the last writes of the collection that was deleted then were archived, nothing tells.
    bool is_unknown(uint64_t unix_ms) const {
        const auto life = history_.find(kShort);
        return life != history_.end() && unknown_from_ms_ < unix_ms && unix_ms < life->second.gone_ms;
    }

    uint64_t through_ms() {
        const auto target = open_target(place_, backup::TargetUse::kRead).value();
        const auto head = backup::Archive(target->store(), server_->archiver->timeline()).read_head();
        return head.value()->through_ms;
    }

    void expect_point(const Drawn& drawn, const std::string& data) {
        return drawn.life != nullptr ? expect_one(*drawn.version, drawn.life->kind, data)
                                     : expect_all(history_, drawn.request.point.value, data);
    }

    std::vector<std::string> keys_of_all(objects::ObjectStore& store) {
        std::vector<std::string> keys;
        for (const char* prefix : {"archive/", "blobs/", "backups/"}) {
            const objects::ObjectPage page = store.list({.prefix = prefix}).value();
            EXPECT_TRUE(page.is_last);
            for (const objects::ObjectFacts& object : page.objects) {
                keys.push_back(object.key);
            }
        }
        return keys;
    }

    /// An object is damaged or gone, and put right again.
    void expect_equal_or_refused() {
        const Drawn drawn = draw_point();
        const auto target = open_target(place_, backup::TargetUse::kWrite).value();
        objects::ObjectStore& store = target->store();
        const std::vector<std::string> keys = keys_of_all(store);
        const std::string key = keys[draw(keys.size())];
        const std::string whole = store.get(key, objects::kSinglePutBytesMax).value();
        const bool is_gone = whole.empty() || draw(3) == 0;
        if (is_gone) {
            ASSERT_TRUE(store.remove(key));
        } else {
            ASSERT_TRUE(store.put(key, storage::with_flipped_bit(whole, draw(whole.size() * 8)),
                                  objects::PutMode::kOverwrite));
        }
        const auto outcome = restore(drawn.request, restored_);
        if (!outcome) {
            ++refused_;
            EXPECT_THAT(outcome.error().message(),
                        AnyOf(HasSubstr(key.substr(key.rfind('/') + 1)), HasSubstr("missing"),
                              HasSubstr("no known moment"), HasSubstr("points in time that there are")))
                << key << (is_gone ? " is gone" : " is damaged");
            for (const auto& entry : fs::directory_iterator(root_.path())) {
                EXPECT_THAT(entry.path().filename().string(), testing::Not(testing::StartsWith("restored")));
            }
        } else {
            ASSERT_NO_FATAL_FAILURE(expect_point(drawn, restored_));
        }
        fs::remove_all(restored_);
        ASSERT_TRUE(store.put(key, whole, objects::PutMode::kOverwrite));
    }

    void expect_refusal(const backup::PointRequest& request, const std::string& word) {
        const auto outcome = restore(request, restored_);
        ASSERT_FALSE(outcome);
        ++refused_;
        EXPECT_THAT(outcome.error().message(), HasSubstr(word));
        EXPECT_FALSE(fs::exists(restored_));
    }

    storage::TempDirectory root_;
    std::string data_ = root_ / "data";
    const std::string restored_ = root_ / "restored";
    std::string place_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    SteppedClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    std::unique_ptr<objects::ObjectStore> memory_ = objects::make_memory_store();
    RandomWrites writes_{GetParam()};
    JoblessExecutor idle_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Server> server_;
    History history_;
    std::map<std::string, uint64_t> oldest_;  // sequence numbers of the first backup
    uint64_t first_backup_ms_ = 0;
    uint64_t archived_ms_ = 0;
    uint64_t unknown_from_ms_ = UINT64_MAX;  // up to where a collection is known to be deleted
    size_t restores_ = 0;
    size_t refused_ = 0;
};

}  // namespace akidb::service
