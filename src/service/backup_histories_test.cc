// Random histories of collections of each storage, with a damaged collection beside, backed up now and then
// to a directory and to objects in memory. Each restore is equal to a model of that moment, or refused with
// the name of what is damaged or missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "backup/upkeep.h"
#include "objects/memory_store.h"
#include "service/backups.h"
#include "service/histories_for_tests.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"

namespace akidb::service {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kBroken = "broken";

class BackupHistories : public testing::TestWithParam<uint64_t> {
  protected:
    struct Point {
        std::string place;
        Uuid backup;
        Models models;
    };

    void SetUp() override {
        ASSERT_TRUE(files_->make_directory(data_));
        ASSERT_TRUE(files_->make_directory(data_ + "/collections"));
        ASSERT_TRUE(files_->make_directory(data_ + "/staging"));
        open();
        for (const Kind& kind : kKinds) {
            ASSERT_TRUE(server_->directory().create({}, spec_of(kind, kind.name)));
            now_[kind.name] = {};
        }
        make_broken();
    }

    void open() {
        server_.reset();
        server_ = std::make_unique<Opened>(*files_, *clock_, *random_, data_);
        Backups::Dependencies given{server_->directory(),
                                    server_->catalog(),
                                    {*files_, *clock_, *random_, *pause_},
                                    idle_,
                                    logger_,
                                    metrics_};
        given.data = data_;
        given.version = "0.1.0";
        given.owner.bytes.fill(1);
        given.open_target = [this](const std::string& place, backup::TargetUse use) {
            return open_target(place, use);
        };
        backups_ = std::make_unique<Backups>(std::move(given));
    }

    Result<std::unique_ptr<backup::Target>> open_target(const std::string& place, backup::TargetUse use) {
        if (backup::is_s3_place(place)) {
            return backup::Target::over(std::make_unique<Sharing>(*memory_));
        }
        return backup::Target::open({*files_, *clock_, *random_, *pause_}, place, {}, use);
    }

    /// A record in the middle of its log is damaged, so it is quarantined.
    void make_broken() {
        const auto entry = server_->directory().create({}, {.name = kBroken, .dimension = 16}).value();
        for (uint64_t id = 1; id < 20; ++id) {
            ASSERT_TRUE(entry.collection->upsert({document(kKinds[0], id, {0, id})}));
        }
        const std::string log = data_ + "/collections/" + entry.spec.id.to_string() + "/" +
                                std::string(storage::kLogDirectory) + "/" + storage::log_name(1);
        server_.reset();
        std::string bytes = storage::read_bytes(log);
        storage::write_bytes(log, storage::with_flipped_bit(bytes, 8 * 300));
        open();
        ASSERT_EQ(server_->directory().quarantined(), std::vector<std::string>{kBroken});
    }

    uint64_t draw(uint64_t below) { return writes_.draw(below); }

    void step() {
        const Kind& kind = kKinds[draw(std::size(kKinds))];
        const auto collection = server_->find(kind.name);
        ASSERT_NE(collection, nullptr);
        switch (draw(8)) {
            case 6:
                ASSERT_TRUE(collection->run_maintenance_now());
                return;
            case 7:
                if (draw(3) == 0) {
                    return open();
                }
                ASSERT_TRUE(collection->rewrite());
                return;
            default:
                writes_.write(kind, *collection, now_[kind.name]);
        }
    }

    void back_up(const std::string& place) {
        const auto made = backups_->make(place, {});
        ASSERT_TRUE(made) << made.error().message();
        ASSERT_EQ(made->left_out.size(), 1u);
        EXPECT_EQ(made->left_out[0].name, kBroken);
        points_.push_back({place, made->id, now_});
    }

    Result<backup::RestoreReport> restore(const Point& point, const std::string& collection = {},
                                          const std::string& as = {}) {
        ++restores_;
        const auto target = open_target(point.place, backup::TargetUse::kRead).value();
        backup::Repository repository(target->store(), *clock_);
        return backup::restore(
            *files_, repository,
            {.backup = point.backup, .data = restored_, .collection = collection, .as = as});
    }

    void expect_whole(const Point& point) {
        const auto report = restore(point);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(report->collections, std::size(kKinds));
        {
            Opened again(*files_, *clock_, *random_, restored_);
            for (const Kind& kind : kKinds) {
                const auto collection = again.find(kind.name);
                ASSERT_NE(collection, nullptr);
                expect_equal(kind, *collection, point.models.at(kind.name));
                // It is a collection like another.
                ASSERT_TRUE(collection->upsert({document(kind, kIdsMax, {1, 1})}));
                EXPECT_EQ(collection->count(nullptr).value(), point.models.at(kind.name).size() + 1);
            }
            EXPECT_EQ(again.directory().quarantined(), std::vector<std::string>{kBroken})
                << "what was left out must not come back empty";
        }
        fs::remove_all(restored_);
        const auto left_out = restore(point, kBroken);
        ASSERT_FALSE(left_out);
        EXPECT_THAT(left_out.error().message(), HasSubstr("left collection broken out"));
    }

    void expect_one(const Point& point) {
        const Kind& kind = kKinds[draw(std::size(kKinds))];
        const auto report = restore(point, kind.name, "another");
        ASSERT_TRUE(report) << report.error().message();
        expect_another(kind, point);
    }

    void expect_another(const Kind& kind, const Point& point) {
        {
            Opened again(*files_, *clock_, *random_, restored_);
            EXPECT_EQ(again.directory().list_all().size(), 1u);
            const auto collection = again.find("another");
            ASSERT_NE(collection, nullptr);
            expect_equal(kind, *collection, point.models.at(kind.name));
        }
        fs::remove_all(restored_);
    }

    static std::vector<std::string> keys_of_all(objects::ObjectStore& store) {
        std::vector<std::string> keys;
        for (const char* prefix : {"blobs/", "backups/"}) {
            const objects::ObjectPage page = store.list({.prefix = prefix}).value();
            EXPECT_TRUE(page.is_last);
            for (const objects::ObjectFacts& object : page.objects) {
                keys.push_back(object.key);
            }
        }
        return keys;
    }

    std::vector<std::string> keys_of(objects::ObjectStore& store, const Point& point) const {
        backup::Repository repository(store, *clock_);
        const backup::BackupManifest manifest = repository.read_manifest(point.backup).value();
        std::vector<std::string> keys{"backups/" + point.backup.to_string(),
                                      backup::blob_key(manifest.catalog.sha256)};
        for (const backup::BackedUpCollection& collection : manifest.collections) {
            for (const backup::BackupFile& file : collection.files) {
                keys.push_back(backup::blob_key(file.sha256));
            }
        }
        return keys;
    }

    /// An object is damaged or gone, and put right again.
    void expect_refusal(const Point& point) {
        const auto target = open_target(point.place, backup::TargetUse::kWrite).value();
        objects::ObjectStore& store = target->store();
        const std::vector<std::string> keys = draw(3) == 0 ? keys_of_all(store) : keys_of(store, point);
        const std::string key = keys[draw(keys.size())];
        const std::string whole = store.get(key, objects::kSinglePutBytesMax).value();
        if (whole.empty() || draw(3) == 0) {
            ASSERT_TRUE(store.remove(key));
        } else {
            ASSERT_TRUE(store.put(key, storage::with_flipped_bit(whole, draw(whole.size() * 8)),
                                  objects::PutMode::kOverwrite));
        }
        const bool is_one = draw(2) == 0;
        const Kind& kind = kKinds[draw(std::size(kKinds))];
        const auto outcome = is_one ? restore(point, kind.name, "another") : restore(point);
        if (!outcome) {
            ++refused_;
            EXPECT_THAT(outcome.error().message(), HasSubstr(key.substr(key.rfind('/') + 1)));
            for (const auto& entry : fs::directory_iterator(root_.path())) {
                EXPECT_THAT(entry.path().filename().string(), testing::Not(testing::StartsWith("restored")));
            }
        } else if (is_one) {  // it was of no file of these
            expect_another(kind, point);
        } else {
            Opened again(*files_, *clock_, *random_, restored_);
            for (const Kind& each : kKinds) {
                expect_equal(each, *again.find(each.name), point.models.at(each.name));
            }
        }
        fs::remove_all(restored_);
        ASSERT_TRUE(store.put(key, whole, objects::PutMode::kOverwrite));
    }

    storage::TempDirectory root_;
    const std::string data_ = root_ / "data";
    const std::string restored_ = root_ / "restored";
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    RandomWrites writes_{GetParam()};
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    std::unique_ptr<objects::ObjectStore> memory_ = objects::make_memory_store();
    JoblessExecutor idle_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Opened> server_;
    std::unique_ptr<Backups> backups_;
    Models now_;
    std::vector<Point> points_;
    size_t restores_ = 0;
    size_t refused_ = 0;
};

TEST_P(BackupHistories, RestoreToTheModelOrAreRefusedByName) {
    for (size_t i = 0; i < 6; ++i) {
        for (uint64_t steps = 5 + draw(25); steps > 0; --steps) {
            ASSERT_NO_FATAL_FAILURE(step());
        }
        ASSERT_NO_FATAL_FAILURE(back_up(draw(2) == 0 ? root_ / "backups" : "s3://memory/backups"));
    }
    for (const Point& point : points_) {  // later writes and rewrites touched none of them
        ASSERT_NO_FATAL_FAILURE(expect_whole(point));
        ASSERT_NO_FATAL_FAILURE(expect_one(point));
        for (int i = 0; i < 3; ++i) {
            ASSERT_NO_FATAL_FAILURE(expect_refusal(point));
        }
    }
    std::printf("seed %llu: %zu backups, %zu restores, %zu of them refused by name\n",
                static_cast<unsigned long long>(GetParam()), points_.size(), restores_, refused_);
    EXPECT_GT(refused_, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BackupHistories, testing::Values(1, 2, 3));

}  // namespace
}  // namespace akidb::service
