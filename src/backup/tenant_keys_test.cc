// Keys of tenants over objects in memory: which one is used, what is read once they are gone, and that
// neither prune nor verify needs them. Backups of whole servers are tried where there is one
// (service/tenant_keys_test.cc).
#include "backup/tenant_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/archive.h"
#include "backup/point.h"
#include "backup/upkeep.h"
#include "objects/encrypted_store.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Uuid numbered(uint8_t number) {
    Uuid id;
    id.bytes.fill(number);
    return id;
}

/// Objects that outlive who opens them.
class SharedStore final : public objects::ForwardingStore<SharedStore> {
  public:
    using ForwardingStore::ForwardingStore;
    template <class Call>
    auto around(uint64_t, Call call) {
        return call();
    }
};

const Uuid kAnn = numbered(1);
const Uuid kBob = numbered(2);

class TenantKeysTest : public testing::Test {
  protected:
    objects::EncryptionKey main_key() { return objects::EncryptionKey::parse(std::string(64, 'a')).value(); }

    TenantKeys::Open open_keys() {
        return [this](TargetUse) -> Result<std::unique_ptr<Target>> {
            return Target::over(std::make_unique<SharedStore>(*encrypted_keys_));
        };
    }

    std::string behind(objects::ObjectStore& store) {
        std::string all;
        const objects::ObjectPage page = store.list({}).value();
        for (const objects::ObjectFacts& object : page.objects) {
            all += object.key + store.get(object.key, objects::kSinglePutBytesMax).value();
        }
        return all;
    }

    /// Of a collection of each tenant, with the same content.
    BackupManifest back_up(uint8_t number) {
        time_.pass_us(60'000'000);
        EXPECT_TRUE(repository_.lock(numbered(9)));
        BackupManifest manifest{.id = numbered(number),
                                .previous = repository_.latest()->value_or(Uuid{}),
                                .created_ms = time_.unix_ms(),
                                .timeline = numbered(5),
                                .pinned_ms = time_.unix_ms(),
                                .catalog = repository_.put_file("", objects::TextFile("catalog"))->file};
        for (const Uuid& tenant : {kAnn, kBob}) {
            BackedUpCollection made{
                .id = tenant, .tenant = tenant, .name = tenant == kAnn ? "ann's" : "bob's", .sequence = 5};
            const auto put = repository_.put_file("log/" + storage::log_name(1), objects::TextFile("content"),
                                                  keys_.key_of(tenant)->id);
            EXPECT_TRUE(put) << put.error().message();
            sent_ += put->sent_bytes > 0 ? 1 : 0;
            made.files = {put->file};
            manifest.collections.push_back(made);
        }
        EXPECT_TRUE(repository_.put_manifest(manifest));
        repository_.unlock();
        return manifest;
    }

    void put_piece(const Uuid& tenant, uint64_t first, uint64_t last) {
        LogPieceWriter writer(tenant);
        for (uint64_t sequence = first; sequence <= last; ++sequence) {
            writer.add({sequence, time_.unix_ms(), storage::RecordType::kDelete, "a write"});
        }
        LogPieceWriter::Made made = writer.finish();
        made.piece.key = keys_.key_of(tenant)->id;
        ASSERT_TRUE(archive_.put_piece(tenant, std::move(made)));
    }

    objects::PassingTime time_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(7);
    std::unique_ptr<objects::ObjectStore> place_ = objects::make_memory_store();
    std::unique_ptr<objects::ObjectStore> place_of_keys_ = objects::make_memory_store();
    std::unique_ptr<objects::ObjectStore> encrypted_keys_ =
        objects::make_encrypted_store(*place_of_keys_, main_key(), *random_);
    TenantKeys keys_{open_keys(), time_, *random_};
    std::unique_ptr<objects::ObjectStore> store_ =
        objects::make_encrypted_store(*place_, main_key(), *random_, &keys_.keyring());
    Repository repository_{*store_, time_, &keys_.keyring()};
    Archive archive_{*store_, numbered(5)};
    int sent_ = 0;
};

TEST_F(TenantKeysTest, EachTenantHasOneThatOutlivesTheProcess) {
    const auto first = keys_.key_of(kAnn);
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_TRUE(first->is_new);
    EXPECT_EQ(keys_.key_of(kAnn)->id, first->id);
    EXPECT_FALSE(keys_.key_of(kAnn)->is_new);
    EXPECT_NE(keys_.key_of(kBob)->id, first->id);
    EXPECT_NE(keys_.key_of(Uuid{})->id, first->id) << "the tenant default has one, too";
    TenantKeys other(open_keys(), time_, *random_);
    ASSERT_TRUE(other.load(TargetUse::kRead));
    EXPECT_EQ(other.key_of(kAnn)->id, first->id);
    EXPECT_TRUE(other.keyring().find(first->id));
    EXPECT_EQ(encrypted_keys_->list({})->objects.size(), 4u);
    EXPECT_EQ(encrypted_keys_->list({})->objects[1].key, kAnn.to_string() + "/" + first->id);
    // Of two that were made side by side all go by the younger.
    time_.pass_us(5'000'000);
    TenantKeys third(open_keys(), time_, *random_);
    const auto younger = third.key_of(kAnn);
    ASSERT_TRUE(younger->is_new);
    ASSERT_TRUE(keys_.load(TargetUse::kWrite));
    EXPECT_EQ(keys_.key_of(kAnn)->id, younger->id);
    EXPECT_TRUE(keys_.keyring().find(first->id)) << "to read what was encrypted with it";
    EXPECT_EQ(keys_.destroy(kAnn).value(), 2u);
}

TEST_F(TenantKeysTest, WhatWasDestroyedIsGoneForAllFromTheirNextLookOn) {
    TenantKeys other(open_keys(), time_, *random_);
    const std::string id = keys_.key_of(kAnn)->id;
    const std::string of_bob = keys_.key_of(kBob)->id;
    ASSERT_TRUE(other.load(TargetUse::kRead));
    EXPECT_EQ(other.destroy(kAnn).value(), 1u);
    EXPECT_FALSE(other.keyring().find(id));
    EXPECT_EQ(keys_.key_of(kAnn)->id, id);
    ASSERT_TRUE(keys_.load(TargetUse::kWrite));
    EXPECT_FALSE(keys_.keyring().find(id));
    EXPECT_TRUE(keys_.key_of(kAnn)->is_new);
    EXPECT_EQ(keys_.key_of(kBob)->id, of_bob);
    EXPECT_EQ(keys_.destroy(numbered(8)).value(), 0u) << "it never had one";
}

TEST_F(TenantKeysTest, APlaceThatIsAnotherOneIsNotTakenForOneWithoutKeys) {
    EXPECT_EQ(TenantKeys(open_keys(), time_, *random_).load(TargetUse::kRead).error().code(),
              Code::kNotFound);
    ASSERT_TRUE(keys_.load(TargetUse::kWrite)) << "before the first key";
    ASSERT_TRUE(keys_.key_of(kAnn));
    ASSERT_TRUE(keys_.destroy(kAnn));
    EXPECT_TRUE(TenantKeys(open_keys(), time_, *random_).load(TargetUse::kRead)) << "all were destroyed";
    const std::string id = keys_.key_of(kAnn)->id;
    const auto mounted = std::move(place_of_keys_);
    place_of_keys_ = objects::make_memory_store();
    encrypted_keys_ = objects::make_encrypted_store(*place_of_keys_, main_key(), *random_);
    EXPECT_EQ(keys_.load(TargetUse::kWrite).error().code(), Code::kUnavailable);
    EXPECT_EQ(keys_.key_of(kAnn)->id, id);
}

TEST_F(TenantKeysTest, AKeyThatIsDamagedOrOfAnotherNameIsRefused) {
    const std::string id = keys_.key_of(kAnn)->id;
    const std::string name = kAnn.to_string() + "/" + id;
    const std::string whole = encrypted_keys_->get(name, 1000).value();
    const auto code = [&] {
        return TenantKeys(open_keys(), time_, *random_).load(TargetUse::kRead).error().code();
    };
    for (const std::string& wrong :
         {std::string(), std::string("5"), std::string(" "), whole + "0", "x" + whole,
          whole.substr(0, whole.size() - 1) + (whole.back() == '0' ? "1" : "0")}) {
        ASSERT_TRUE(encrypted_keys_->put(name, wrong, objects::PutMode::kOverwrite));
        EXPECT_EQ(code(), Code::kDataLoss) << wrong;
    }
}

TEST_F(TenantKeysTest, ADestroyedKeyTakesOneTenantAndNoOther) {
    const BackupManifest first = back_up(1);
    EXPECT_EQ(sent_, 2) << "the same content, a blob for each";
    EXPECT_EQ(decode_backup_manifest(encode_backup_manifest(first))->collections[0].files[0].key,
              keys_.key_of(kAnn)->id);
    put_piece(kAnn, 1, 8);
    put_piece(kBob, 1, 8);
    ASSERT_TRUE(archive_.put_head({.through_ms = time_.unix_ms(),
                                   .collections = {{kAnn, 8, time_.unix_ms()}, {kBob, 8, time_.unix_ms()}}}));
    const auto verify_all = [&](const BackupManifest& manifest) {
        return verify(repository_, manifest, VerifyDepth::kBytes).value();
    };
    EXPECT_EQ(verify_all(first).blobs, 3u);
    EXPECT_EQ(verify_all(first).unreadable, 0u);
    EXPECT_THAT(behind(*place_), Not(HasSubstr("content")));
    EXPECT_THAT(behind(*place_), Not(HasSubstr("a write")));

    // The key of the place alone reads the manifest, and no file of a tenant.
    const auto main_only = objects::make_encrypted_store(*place_, main_key(), *random_);
    Repository without(*main_only, time_);
    EXPECT_TRUE(without.read_manifest(first.id));
    EXPECT_EQ(without.check_blob(first.collections[0].files[0]).error().code(), Code::kPermissionDenied);
    const auto refused = verify(without, first, VerifyDepth::kSizes);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(refused.error().message(), HasSubstr("--tenant-keys"));

    ASSERT_EQ(keys_.destroy(kAnn).value(), 1u);
    EXPECT_FALSE(repository_.can_read(first.collections[0]).value());
    EXPECT_TRUE(repository_.can_read(first.collections[1]).value());
    EXPECT_THAT(verify_all(first).faults, IsEmpty());
    EXPECT_EQ(verify_all(first).unreadable, 1u);
    EXPECT_EQ(verify_all(first).blobs, 2u);
    EXPECT_EQ(verify_all(first).pieces, 1u);

    // It goes on with a new one, under which everything is sent anew.
    sent_ = 0;
    const BackupManifest second = back_up(2);
    EXPECT_EQ(sent_, 1);
    EXPECT_EQ(verify_all(second).unreadable, 1u) << "writes 6 to 8 of the archived log";
    put_piece(kAnn, 6, 9);
    EXPECT_EQ(verify_all(second).unreadable, 0u);
    EXPECT_THAT(verify_all(second).faults, IsEmpty());

    // Prune goes by names: without any key of a tenant.
    const auto pruned = prune(without, time_, numbered(9), {.keep_last = 1});
    ASSERT_TRUE(pruned) << pruned.error().message();
    EXPECT_EQ(pruned->removed.size(), 1u);
    EXPECT_EQ(pruned->removed_blobs, 1u) << "of the key that is gone";
    EXPECT_THAT(verify_all(second).faults, IsEmpty());
    EXPECT_EQ(verify_all(second).blobs, 3u);
}

TEST_F(TenantKeysTest, APutWithAKeyThatWasDestroyedMeanwhileIsRefused) {
    const std::string id = keys_.key_of(kAnn)->id;
    ASSERT_TRUE(keys_.destroy(kAnn));
    ASSERT_TRUE(repository_.lock(numbered(9)));
    EXPECT_EQ(repository_.put_file("log/a", objects::TextFile("content"), id).error().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(place_->list({.prefix = "blobs/"})->objects.size(), 0u);
}

TEST_F(TenantKeysTest, ReadablePiecesGoFirstAndWhatOnlyOthersHoldIsLost) {
    put_piece(kAnn, 1, 10);
    std::vector<LogPiece> pieces = archive_.list_pieces(kAnn).value();
    EXPECT_TRUE(keep_readable(repository_, pieces, 0).value());
    ASSERT_TRUE(keys_.destroy(kAnn));
    put_piece(kAnn, 9, 20);
    const std::vector<LogPiece> listed = archive_.list_pieces(kAnn).value();
    ASSERT_EQ(listed.size(), 2u);
    for (const auto& [have, can] : {std::pair{0, false}, {7, false}, {8, true}, {20, true}}) {
        pieces = listed;
        EXPECT_EQ(keep_readable(repository_, pieces, static_cast<uint64_t>(have)).value(), can) << have;
        EXPECT_EQ(pieces.size(), 1u);
    }
    EXPECT_EQ(archive_.read_piece(kAnn, listed[0], [](const auto&) { return true; }).error().code(),
              Code::kPermissionDenied);
    EXPECT_TRUE(archive_.read_piece(kAnn, listed[1], [](const auto&) { return true; }));
}

}  // namespace
}  // namespace akidb::backup
