// A server with two tenants of equal documents, whose backups and archived log are encrypted with their own
// keys, and the verbs that read them. For tests only; not thread-safe.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "backup/practice.h"
#include "backup/tenant_keys.h"
#include "catalog/access_store.h"
#include "service/point_histories_for_tests.h"
#include "service/practice.h"

namespace akidb::service {

inline constexpr uint64_t kMinuteMs = 60'000;

inline Uuid tenant_of(uint8_t number) {
    Uuid id;
    id.bytes.fill(number);
    return id;
}

struct Owner {
    Uuid tenant;
    const char* name;        // his own
    const char* collection;  // what his is called
};
inline const Owner kAnn{tenant_of(0xa1), "ann", "anns"};
inline const Owner kBob{tenant_of(0xb0), "bob", "bobs"};

class TenantKeysOfServer : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* name : {"", "/collections", "/staging"}) {
            ASSERT_TRUE(files_->make_directory(data_ + name));
        }
        std::ofstream(key_file_) << std::string(64, 'c') << "\n";
        fs::permissions(key_file_, fs::perms::owner_read | fs::perms::owner_write);
        start();
        {
            const auto tenants = catalog::AccessStore::open(data_ + "/akidb.db").value();
            for (const Owner& owner : {kAnn, kBob}) {
                const auto put = tenants->put_tenant({.id = owner.tenant, .name = owner.name});
                ASSERT_TRUE(put) << put.error().message();
            }
            ASSERT_TRUE(tenants->close());
        }
        for (const Owner& owner : {kAnn, kBob}) {
            ASSERT_TRUE(
                server_->directory().create(owner.tenant, spec_of(kKinds[0], owner.collection)).has_value());
        }
        write(20);
    }

    backup::TargetDoors doors() { return {*files_, clock_, *random_, *pause_}; }

    backup::TenantKeys::Open open_keys() {
        return [this](backup::TargetUse use) {
            return backup::Target::open(doors(), place_of_keys_, {}, use, key_file_);
        };
    }

    Result<std::unique_ptr<backup::Target>> open_target(const std::string& place, backup::TargetUse use) {
        return backup::Target::open(doors(), place, {}, use, key_file_, &keys_->keyring());
    }

    /// As a process: nothing of the one before is known.
    void start() {
        backups_.reset();
        archiver_.reset();
        server_.reset();
        keys_ = std::make_unique<backup::TenantKeys>(open_keys(), clock_, *random_);
        server_ = std::make_unique<Opened>(*files_, clock_, *random_, data_, kHeldBytes);
        const backup::OpenTarget open = [this](const std::string& place, backup::TargetUse use) {
            return open_target(place, use);
        };
        LogArchiver::Dependencies of_log{
            server_->directory(), server_->catalog(), doors(), idle_, logger_, metrics_};
        of_log.data = data_;
        of_log.owner.bytes.fill(1);
        of_log.open_target = open;
        of_log.tenant_keys = keys_.get();
        archiver_ = std::make_unique<LogArchiver>(std::move(of_log), ArchivePlan{place_, 20'000});
        Backups::Dependencies given{
            server_->directory(), server_->catalog(), doors(), idle_, logger_, metrics_};
        given.data = data_;
        given.version = "0.1.0";
        given.owner.bytes.fill(1);
        given.open_target = open;
        given.tenant_keys = keys_.get();
        given.place_of_keys = place_of_keys_;
        given.timeline = [this] { return archiver_->timeline(); };
        backups_ = std::make_unique<Backups>(std::move(given));
    }

    /// The same to both, and that nobody may read in the clear.
    void write(uint64_t count) {
        for (; count > 0; --count) {
            clock_.pass(1000);
            const uint64_t id = model_.size() + 1;
            model_[id] = {static_cast<int64_t>(id), 100 + id};
            for (const Owner& owner : {kAnn, kBob}) {
                const auto collection = server_->directory().find({owner.tenant, owner.collection}).value();
                ASSERT_TRUE(collection->upsert({document(kKinds[0], id, model_[id])}));
                ASSERT_TRUE(collection->upsert({secret_document(id + 1000)}));
                ASSERT_TRUE(collection->remove({model::DocumentId(id + 1000)}));
            }
        }
    }

    backup::BackupManifest back_up() {
        clock_.pass(kMinuteMs);
        const auto made = backups_->make(place_, {});
        EXPECT_TRUE(made) << made.error().message();
        archiver_->note_backup(made->timeline, made->started_ms);
        const auto target = open_target(place_, backup::TargetUse::kRead).value();
        return backup::Repository(target->store(), clock_).read_manifest(made->id).value();
    }

    void archive() {
        clock_.pass(20'000);
        const Result<void> done = archiver_->archive_now();
        ASSERT_TRUE(done) << done.error().message();
    }

    /// Does with the place what a verb does, with tenants' keys as they are now.
    template <class Act>
    auto with_repository(const std::string& place, Act act) {
        backup::TenantKeys keys(open_keys(), clock_, *random_);
        EXPECT_TRUE(keys.load(backup::TargetUse::kRead));
        const auto target =
            backup::Target::open(doors(), place, {}, backup::TargetUse::kRead, key_file_, &keys.keyring())
                .value();
        backup::Repository repository(target->store(), clock_, &keys.keyring());
        return act(repository);
    }

    Result<backup::RestoreReport> restore(const backup::BackupManifest& from,
                                          const std::string& collection = "", const std::string& place = "") {
        fs::remove_all(restored_);
        return with_repository(place.empty() ? place_ : place, [&](backup::Repository& repository) {
            return backup::restore(*files_, repository,
                                   {.backup = from.id, .data = restored_, .collection = collection});
        });
    }

    Result<backup::RestoreReport> restore_latest(const std::string& collection = "",
                                                 std::optional<Uuid> backup = {}) {
        fs::remove_all(restored_);
        return with_repository(place_, [&](backup::Repository& repository) -> Result<backup::RestoreReport> {
            const RestorePoint latest{PointKind::kLatest, 0};
            AKIDB_TRY(const backup::BackupManifest base,
                      backup::choose_base(repository,
                                          {.point = latest, .collection = collection, .backup = backup}));
            return backup::restore(
                *files_, repository,
                {.backup = base.id, .data = restored_, .collection = collection, .point = latest});
        });
    }

    backup::VerifyReport verify(const backup::BackupManifest& manifest, const std::string& place = "") {
        return with_repository(place.empty() ? place_ : place, [&](backup::Repository& repository) {
            return backup::verify(repository, manifest, backup::VerifyDepth::kBytes).value();
        });
    }

    /// Of those that are in service there.
    void expect_restored(const std::vector<Owner>& owners, const Model& expected) {
        Opened again(*files_, clock_, *random_, restored_);
        std::vector<std::string> there;
        for (const DirectoryEntry& entry : again.directory().list_all()) {
            EXPECT_EQ(entry.condition, Condition::kServing) << entry.spec.name;
            there.push_back(entry.spec.name);
        }
        EXPECT_EQ(there.size(), owners.size());
        for (const Owner& owner : owners) {
            const auto found = again.directory().find({owner.tenant, owner.collection});
            ASSERT_TRUE(found) << owner.collection;
            expect_equal(kKinds[0], **found, expected);
        }
    }

    static std::vector<std::string> names_of(const std::vector<backup::LeftOut>& left_out) {
        std::vector<std::string> names;
        for (const backup::LeftOut& left : left_out) {
            names.push_back(left.name + ": " + left.reason);
        }
        return names;
    }

    static bool holds(const std::string& directory, const std::string& text) {
        for (const auto& entry : fs::recursive_directory_iterator(directory)) {
            std::string content;
            if (entry.is_regular_file()) {
                std::ifstream file(entry.path(), std::ios::binary);
                content.assign(std::istreambuf_iterator<char>(file), {});
            }
            if (content.find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    const std::string left_out_ = std::string(kAnn.collection) + ": " + backup::kKeyIsGone;

    storage::TempDirectory root_;
    const std::string data_ = root_ / "data";
    const std::string place_ = root_ / "backups";
    const std::string place_of_keys_ = root_ / "keys";
    const std::string key_file_ = root_ / "key";
    const std::string restored_ = root_ / "restored";
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    SteppedClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    JoblessExecutor idle_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    Model model_;
    std::unique_ptr<backup::TenantKeys> keys_;
    std::unique_ptr<Opened> server_;
    std::unique_ptr<LogArchiver> archiver_;
    std::unique_ptr<Backups> backups_;
};

}  // namespace akidb::service
