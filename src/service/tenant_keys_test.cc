// A server with two tenants of equal documents, backups and an archived log under their own keys: a key that
// is destroyed takes what all backups and all copies of them hold of its tenant, and nothing else.
#include "backup/tenant_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "backup/practice.h"
#include "catalog/access_store.h"
#include "service/point_histories_for_tests.h"
#include "service/practice.h"

namespace akidb::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kMinuteMs = 60'000;

Uuid tenant_of(uint8_t number) {
    Uuid id;
    id.bytes.fill(number);
    return id;
}

struct Owner {
    Uuid tenant;
    const char* name;        // his own
    const char* collection;  // what his is called
};
const Owner kAnn{tenant_of(0xa1), "ann", "anns"};
const Owner kBob{tenant_of(0xb0), "bob", "bobs"};

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
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            if (entry.is_regular_file() && content.find(text) != std::string::npos) {
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

TEST_F(TenantKeysOfServer, ADestroyedKeyTakesItsTenantOutOfAllBackupsAndTheirCopies) {
    archive();
    const backup::BackupManifest first = back_up();
    ASSERT_TRUE(restore(first));
    expect_restored({kAnn, kBob}, model_);
    ASSERT_TRUE(holds(data_, kSecret));
    EXPECT_FALSE(holds(place_, kSecret));
    EXPECT_FALSE(holds(place_of_keys_, std::string(64, 'c')));
    const std::string copy = root_ / "copy";
    fs::copy(place_, copy, fs::copy_options::recursive);

    EXPECT_EQ(backups_->destroy_tenant_keys(kAnn.tenant).value(), 1u);
    for (const std::string& place : {place_, copy}) {
        const auto report = restore(first, "", place);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_THAT(names_of(report->left_out), ElementsAre(left_out_));
        EXPECT_EQ(report->collections, 1u);
        expect_restored({kBob}, model_);
        const auto refused = restore(first, kAnn.collection, place);
        EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
        EXPECT_THAT(refused.error().message(),
                    testing::AllOf(HasSubstr("anns"), HasSubstr(backup::kKeyIsGone)));
        EXPECT_FALSE(fs::exists(restored_));
        ASSERT_TRUE(restore(first, kBob.collection, place));
        EXPECT_THAT(verify(first, place).faults, IsEmpty());
        EXPECT_EQ(verify(first, place).unreadable, 1u);
    }

    // It lives on: with a new key, and everything sent anew.
    write(3);
    const backup::BackupManifest second = back_up();
    EXPECT_GT(second.sent_bytes, 0u);
    ASSERT_TRUE(restore(second));
    expect_restored({kAnn, kBob}, model_);
    EXPECT_EQ(verify(second).unreadable, 0u);
    const auto of_before = restore(first);
    ASSERT_TRUE(of_before);
    EXPECT_THAT(names_of(of_before->left_out), ElementsAre(left_out_));

    // Neither prune nor a list needs the key of any tenant.
    const auto target =
        backup::Target::open(doors(), place_, {}, backup::TargetUse::kWrite, key_file_).value();
    backup::Repository repository(target->store(), clock_);
    const auto pruned = backup::prune(repository, clock_, tenant_of(9), {.keep_last = 1});
    ASSERT_TRUE(pruned) << pruned.error().message();
    EXPECT_THAT(pruned->removed, ElementsAre(first.id));
    EXPECT_THAT(verify(second).faults, IsEmpty());
    ASSERT_TRUE(restore(second));
    expect_restored({kAnn, kBob}, model_);
}

TEST_F(TenantKeysOfServer, WithoutThePlaceOfKeysNothingOfTenantsIsRead) {
    archive();
    const backup::BackupManifest made = back_up();
    const auto target =
        backup::Target::open(doors(), place_, {}, backup::TargetUse::kRead, key_file_).value();
    backup::Repository repository(target->store(), clock_);
    for (const std::string& collection : {std::string(), std::string(kBob.collection)}) {
        const auto refused = backup::restore(
            *files_, repository, {.backup = made.id, .data = restored_, .collection = collection});
        EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
        EXPECT_THAT(refused.error().message(),
                    testing::AllOf(HasSubstr("collection "), HasSubstr("--tenant-keys")));
    }
    for (const backup::BackedUpCollection& collection : made.collections) {
        for (const backup::BackupFile& file : collection.files) {
            const auto read = repository.read_blob(file, [](std::string_view) { return Result<void>(); });
            EXPECT_EQ(read.error().code(), Code::kPermissionDenied) << file.name;
        }
    }
}

TEST_F(TenantKeysOfServer, TheArchivedLogGoesOnUnderANewKeyAndAsksForABackup) {
    archive();
    const backup::BackupManifest first = back_up();
    EXPECT_FALSE(archiver_->wants_backup());
    write(5);
    archive();
    ASSERT_TRUE(restore_latest());
    expect_restored({kAnn, kBob}, model_);
    EXPECT_FALSE(holds(place_, kSecret));

    ASSERT_TRUE(backups_->destroy_tenant_keys(kAnn.tenant));
    const auto after = restore_latest();
    ASSERT_TRUE(after) << after.error().message();
    EXPECT_THAT(names_of(after->left_out), ElementsAre(left_out_));
    expect_restored({kBob}, model_);
    EXPECT_EQ(restore_latest(kAnn.collection).error().code(), Code::kPermissionDenied);
    EXPECT_TRUE(restore_latest(kBob.collection));
    EXPECT_EQ(verify(first).unreadable, 1u);
    EXPECT_THAT(verify(first).faults, IsEmpty());

    archive();  // though nothing was written: all that there is of the tenant cannot be read
    EXPECT_TRUE(archiver_->wants_backup());
    write(5);
    archive();
    const backup::BackupManifest second = back_up();
    EXPECT_FALSE(archiver_->wants_backup());
    write(5);
    archive();
    const auto whole = restore_latest();
    ASSERT_TRUE(whole) << whole.error().message();
    EXPECT_THAT(whole->left_out, IsEmpty());
    expect_restored({kAnn, kBob}, model_);
    EXPECT_EQ(verify(second).unreadable, 0u);
    EXPECT_THAT(verify(second).faults, IsEmpty());
    const auto from_first = restore_latest("", first.id);
    ASSERT_TRUE(from_first) << from_first.error().message();
    EXPECT_THAT(names_of(from_first->left_out), ElementsAre(left_out_));
    expect_restored({kBob}, model_);
}

/// It was in no backup yet: all that there is of it is in the archived log.
TEST_F(TenantKeysOfServer, ACollectionThatOnlyTheArchivedLogHasIsLeftOut) {
    archive();
    back_up();
    const Owner young{kAnn.tenant, "ann", "young"};
    ASSERT_TRUE(server_->directory().create(young.tenant, spec_of(kKinds[0], young.collection)).has_value());
    const auto collection = server_->directory().find({young.tenant, young.collection}).value();
    ASSERT_TRUE(collection->upsert({document(kKinds[0], 1, {1, 1})}));
    archive();
    ASSERT_TRUE(restore_latest(young.collection));
    ASSERT_TRUE(backups_->destroy_tenant_keys(kAnn.tenant));
    EXPECT_EQ(restore_latest(young.collection).error().code(), Code::kPermissionDenied);
    const auto rest = restore_latest();
    ASSERT_TRUE(rest) << rest.error().message();
    EXPECT_EQ(rest->left_out.size(), 2u);
    expect_restored({kBob}, model_);
}

TEST_F(TenantKeysOfServer, AKeyThatAnotherProcessDestroyedIsUsedForNoOtherBackup) {
    archive();
    const std::string before = back_up().collections[0].files[0].key;
    backup::TenantKeys other(open_keys(), clock_, *random_);
    EXPECT_EQ(other.destroy(kAnn.tenant).value(), 1u);
    const backup::BackupManifest made = back_up();
    EXPECT_EQ(made.collections[0].name, kAnn.collection);
    for (const backup::BackupFile& file : made.collections[0].files) {
        EXPECT_NE(file.key, before);
    }
    ASSERT_TRUE(restore(made));
    expect_restored({kAnn, kBob}, model_);
}

TEST_F(TenantKeysOfServer, AKeyThatWasDestroyedWhileNoServerRanIsMissedByTheNextOne) {
    archive();
    back_up();
    start();
    archive();
    EXPECT_FALSE(archiver_->wants_backup()) << "the key is there";
    start();
    ASSERT_TRUE(backup::TenantKeys(open_keys(), clock_, *random_).destroy(kAnn.tenant));
    archive();
    EXPECT_TRUE(archiver_->wants_backup());
    back_up();
    write(2);
    archive();
    ASSERT_TRUE(restore_latest());
    expect_restored({kAnn, kBob}, model_);
}

TEST_F(TenantKeysOfServer, ADrillLeavesOutWhatCannotBeReadAndIsNoFailure) {
    archive();
    const backup::BackupManifest made = back_up();
    ASSERT_TRUE(backups_->destroy_tenant_keys(kAnn.tenant));
    const auto open = [&](const std::string& directory, const model::CollectionSpec& spec) {
        return open_for_practice(*files_, clock_, directory, spec);
    };
    const auto report = with_repository(place_, [&](backup::Repository& repository) {
        return backup::practise(*files_, repository, made, root_ / "data/staging", open);
    });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(report->faults, IsEmpty());
    EXPECT_THAT(names_of(report->left_out), ElementsAre(left_out_));
    EXPECT_THAT(backup::describe(*report, made, 1), HasSubstr("not restored: collection anns"));
}

TEST_F(TenantKeysOfServer, NoBackupGoesToWhereTheKeysAre) {
    for (const std::string& to : {place_of_keys_, place_of_keys_ + "/", place_of_keys_ + "/backups"}) {
        EXPECT_EQ(backups_->make(to, {}).error().field(), "to") << to;
    }
    EXPECT_TRUE(are_places_apart("/a/keys", "/a/keys2"));
    EXPECT_TRUE(are_places_apart("s3://a/keys", "s3://b/keys"));
    EXPECT_FALSE(are_places_apart("/a/keys/", "/a/keys"));
    EXPECT_FALSE(are_places_apart("s3://a", "s3://a/keys"));
}

}  // namespace
}  // namespace akidb::service
