// Tenants, users, sessions and keys over a reopen, what goes with what, and collections of two tenants that
// have one name.
#include "catalog/access_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

Uuid id_of(uint8_t first) {
    Uuid id;
    id.bytes[0] = first;
    return id;
}

class AccessStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/akidb_access_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        catalog_ = Catalog::open(directory_ + "/catalog.db").value();
        reopen();
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    void reopen() { store_ = AccessStore::open(directory_ + "/catalog.db").value(); }

    std::string directory_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<AccessStore> store_;
};

const TenantRow kAcme{.id = id_of(9), .name = "acme", .created_at_ms = 5, .requests_per_second = 7};
const UserRow kAnn{.id = id_of(1),
                   .tenant = id_of(9),
                   .email = "ann@example.com",
                   .password_hash = "$argon2id$",
                   .role = model::Role::kDeveloper,
                   .created_at_ms = 6};

TEST_F(AccessStoreTest, KeepsEverythingOverAReopen) {
    ASSERT_TRUE(store_->put_tenant(kAcme));
    ASSERT_TRUE(store_->put_user(kAnn));
    ASSERT_TRUE(
        store_->put_session({.id = id_of(2), .user = id_of(1), .created_at_ms = 1, .expires_at_ms = 9}));
    KeyRow key{.id = id_of(3),
               .tenant = id_of(9),
               .name = "loader",
               .actions = model::ActionSet(model::Action::kDocumentInsert, model::Action::kAuditRead),
               .collections = {"a*", "b"},
               .row_rule = R"({"must":[]})",
               .created_by = "ann@example.com",
               .expires_at_ms = 12};
    key.secret_hash[31] = 0xff;
    ASSERT_TRUE(store_->put_key(key));
    ASSERT_TRUE(store_->note_key_uses({{id_of(3), 77}}));
    reopen();
    const AccessRows rows = store_->load().value();
    ASSERT_EQ(rows.tenants.size(), 2U);
    EXPECT_EQ(rows.tenants[0].name, "acme");
    EXPECT_EQ(rows.tenants[0].requests_per_second, 7U);
    EXPECT_EQ(rows.tenants[1].id, Uuid{}) << "the tenant of what was made before there were tenants";
    ASSERT_EQ(rows.users.size(), 1U);
    EXPECT_EQ(rows.users[0].tenant, kAcme.id);
    EXPECT_EQ(rows.users[0].role, model::Role::kDeveloper);
    ASSERT_EQ(rows.sessions.size(), 1U);
    EXPECT_EQ(rows.sessions[0].user, kAnn.id);
    ASSERT_EQ(rows.keys.size(), 1U);
    EXPECT_EQ(rows.keys[0].actions, key.actions);
    EXPECT_FALSE(rows.keys[0].role);
    EXPECT_EQ(rows.keys[0].collections, key.collections);
    EXPECT_EQ(rows.keys[0].row_rule, key.row_rule);
    EXPECT_EQ(rows.keys[0].secret_hash, key.secret_hash);
    EXPECT_EQ(rows.keys[0].last_used_at_ms, 77U);
}

TEST_F(AccessStoreTest, EMailsAreUniqueWithinATenant) {
    ASSERT_TRUE(store_->put_tenant(kAcme));
    ASSERT_TRUE(store_->put_user(kAnn));
    UserRow other = kAnn;
    other.id = id_of(4);
    EXPECT_EQ(store_->put_user(other).error().code(), Code::kAlreadyExists);
    other.tenant = Uuid{};
    EXPECT_TRUE(store_->put_user(other));
    other.id = id_of(5);
    other.tenant = id_of(77);
    EXPECT_EQ(store_->put_user(other).error().code(), Code::kNotFound);
    EXPECT_EQ(store_->load()->users.size(), 2U);
}

TEST_F(AccessStoreTest, WhatBelongsToSomethingGoesWithIt) {
    ASSERT_TRUE(store_->put_tenant(kAcme));
    ASSERT_TRUE(store_->put_user(kAnn));
    ASSERT_TRUE(store_->put_session({.id = id_of(2), .user = id_of(1), .expires_at_ms = 9}));
    ASSERT_TRUE(store_->put_session({.id = id_of(6), .user = id_of(1), .expires_at_ms = 20}));
    ASSERT_TRUE(
        store_->put_key({.id = id_of(3), .tenant = id_of(9), .name = "k", .role = model::Role::kAdmin}));
    ASSERT_TRUE(store_->remove_expired_sessions(9));
    EXPECT_EQ(store_->load()->sessions.size(), 1U);
    model::CollectionSpec words{.name = "words", .dimension = 16};
    words.id = id_of(50);
    ASSERT_TRUE(catalog_->insert_collection(words, kAcme.id));
    EXPECT_EQ(store_->remove_tenant(kAcme.id).error().code(), Code::kConflict);
    ASSERT_TRUE(catalog_->remove_collection(words.id));
    ASSERT_TRUE(store_->remove_tenant(kAcme.id));
    const AccessRows rows = store_->load().value();
    EXPECT_EQ(rows.tenants.size(), 1U);
    EXPECT_TRUE(rows.users.empty());
    EXPECT_TRUE(rows.sessions.empty());
    EXPECT_TRUE(rows.keys.empty());
}

TEST_F(AccessStoreTest, CollectionsAndAliasesBelongToTenants) {
    ASSERT_TRUE(store_->put_tenant(kAcme));
    model::CollectionSpec words{.name = "words", .dimension = 16};
    words.id = id_of(50);
    ASSERT_TRUE(catalog_->insert_collection(words));
    words.id = id_of(51);
    EXPECT_EQ(catalog_->insert_collection(words).error().code(), Code::kAlreadyExists);
    ASSERT_TRUE(catalog_->insert_collection(words, kAcme.id));
    words.id = id_of(52);
    EXPECT_EQ(catalog_->insert_collection(words, id_of(77)).error().code(), Code::kNotFound);
    for (const uint8_t id : {uint8_t{50}, uint8_t{51}}) {
        ASSERT_TRUE(catalog_->set_collection_state(id_of(id), CollectionState::kActive));
    }
    EXPECT_EQ(catalog_->change_aliases({{"live", id_of(51)}}).error().code(), Code::kNotFound)
        << "of another tenant";
    ASSERT_TRUE(catalog_->change_aliases({{"live", id_of(51)}}, kAcme.id));
    ASSERT_TRUE(catalog_->change_aliases({{"live", id_of(50)}}));
    const std::vector<AliasRow> aliases = catalog_->list_aliases().value();
    ASSERT_EQ(aliases.size(), 2U);
    EXPECT_EQ(aliases[0].tenant, Uuid{});
    EXPECT_EQ(aliases[1].tenant, kAcme.id);
    EXPECT_EQ(aliases[1].collection, id_of(51));
    const std::vector<CollectionRow> rows = catalog_->list_collections().value();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].tenant, Uuid{});
    EXPECT_EQ(rows[1].tenant, kAcme.id);
}

}  // namespace
}  // namespace akidb::catalog
