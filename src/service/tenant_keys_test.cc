// A key that is destroyed takes what all backups, all copies of them and the archived log hold of its tenant,
// and nothing else.
#include "service/held_copies.h"
#include "service/scheduled_backups.h"
#include "service/tenant_keys_for_tests.h"

namespace akidb::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TenantKeysAndErase : public TenantKeysOfServer {
  protected:
    HeldCopies held(const Uuid& collection) {
        const auto target = open_target(place_, backup::TargetUse::kRead).value();
        backup::Repository repository(target->store(), clock_, &keys_->keyring());
        const BackupPlan plan{.to = place_, .times = BackupTimes::parse("6h").value()};
        return find_held_copies(repository, plan, clock_.unix_ms(), collection).value();
    }
};

TEST_F(TenantKeysAndErase, ADestroyedKeyTakesItsTenantOutOfAllBackupsAndTheirCopies) {
    archive();
    const backup::BackupManifest first = back_up();
    ASSERT_TRUE(restore(first));
    expect_restored({kAnn, kBob}, model_);
    ASSERT_TRUE(holds(data_, kSecret));
    EXPECT_FALSE(holds(place_, kSecret));
    EXPECT_FALSE(holds(place_of_keys_, std::string(64, 'c')));
    const std::string copy = root_ / "copy";
    fs::copy(place_, copy, fs::copy_options::recursive);

    const Uuid of_ann =
        first.collections[0].tenant == kAnn.tenant ? first.collections[0].id : first.collections[1].id;
    EXPECT_EQ(held(of_ann).backups.size(), 1u);
    EXPECT_TRUE(held(of_ann).log_until_ms);
    EXPECT_EQ(backups_->destroy_tenant_keys(kAnn.tenant).value(), 1u);
    EXPECT_THAT(held(of_ann).backups, IsEmpty()) << "what nobody can read is held by nobody";
    EXPECT_FALSE(held(of_ann).log_until_ms);
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
