// Accounts over gRPC: what one protocol made the other one tells, in the same words.
#include <akidb/v1/access.pb.h>

#include "server/access_stack_for_tests.h"
#include "service/backups.h"

namespace akidb::server {
namespace {

class AccessRpc : public AccessStack {
  protected:
    template <class Reply, class Message>
    Reply must(const std::string& token, const std::string& method, const Message& message) {
        std::string bytes;
        const grpc::Status status =
            call(bearer(token), "AccessService/" + method, message.SerializeAsString(), &bytes);
        EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
        Reply reply;
        EXPECT_TRUE(reply.ParseFromString(bytes));
        return reply;
    }
    template <class Message>
    grpc::Status refused(const std::string& token, const std::string& method, const Message& message) {
        return call(token.empty() ? service::Credentials{} : bearer(token), "AccessService/" + method,
                    message.SerializeAsString());
    }
};

TEST_F(AccessRpc, AUserComesWorksAndGoes) {
    v1::SetUpRequest first;
    first.set_token(accounts_->make_setup_token());
    first.set_email("Root@example.com");
    first.set_password(kPassword);
    std::string bytes;
    ASSERT_TRUE(call({}, "AccessService/SetUp", first.SerializeAsString(), &bytes).ok());
    v1::Session session;
    ASSERT_TRUE(session.ParseFromString(bytes));
    EXPECT_EQ(session.user().email(), "root@example.com");
    const std::string root = session.token();
    EXPECT_TRUE(says(ask(root, "GET", "/api/v1/auth/me").body, R"("name":"root@example.com")"));
    EXPECT_FALSE(call({}, "AccessService/SetUp", first.SerializeAsString()).ok()) << "once";

    v1::CreateUserRequest bob;
    bob.set_email("bob@example.com");
    bob.set_password(kPassword);
    bob.set_role("viewer");
    EXPECT_EQ(must<v1::User>(root, "CreateUser", bob).role(), "viewer");
    EXPECT_EQ(refused(root, "CreateUser", bob).error_code(), grpc::StatusCode::ALREADY_EXISTS);
    EXPECT_TRUE(says(ask(root, "GET", "/api/v1/users").body, "bob@example.com"));
    v1::UpdateUserRequest change;
    change.set_user("bob@example.com");
    EXPECT_EQ(refused(root, "UpdateUser", change).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    change.set_role("developer");
    EXPECT_EQ(must<v1::User>(root, "UpdateUser", change).role(), "developer");

    v1::LogInRequest login;
    login.set_email("bob@example.com");
    login.set_password("a bad long password");
    const std::string right = log_in("bob@example.com", "default");
    EXPECT_EQ(refused("", "LogIn", login).error_code(), grpc::StatusCode::UNAUTHENTICATED);
    login.set_password(kPassword);
    const std::string own = must<v1::Session>(root, "LogIn", login).token();
    const auto who = must<v1::WhoAmIResponse>(own, "WhoAmI", v1::WhoAmIRequest());
    EXPECT_EQ(who.kind(), "user");
    EXPECT_EQ(who.role(), "developer");
    EXPECT_EQ(who.actions_size(), 9);
    must<v1::LogOutResponse>(own, "LogOut", v1::LogOutRequest());
    EXPECT_EQ(ask(own, "GET", "/api/v1/auth/me").status, 401) << "over REST, too";
    EXPECT_EQ(ask(right, "GET", "/api/v1/auth/me").status, 200);
    v1::DeleteUserRequest gone;
    gone.set_user("bob@example.com");
    must<v1::DeleteUserResponse>(root, "DeleteUser", gone);
    EXPECT_EQ(ask(right, "GET", "/api/v1/auth/me").status, 401);
    EXPECT_EQ(must<v1::ListUsersResponse>(root, "ListUsers", v1::ListUsersRequest()).users_size(), 1);
}

TEST_F(AccessRpc, KeysAndTenantsAreThoseOfRest) {
    const std::string root = set_up();
    v1::CreateTenantRequest acme;
    acme.set_name("acme");
    acme.set_documents_max(7);
    EXPECT_EQ(must<v1::Tenant>(root, "CreateTenant", acme).documents_max(), 7U);
    EXPECT_TRUE(says(ask(root, "GET", "/api/v1/tenants/acme").body, R"("documents_max":7)"));
    v1::UpdateTenantRequest quota;
    quota.set_tenant("acme");
    quota.set_requests_per_second(5);
    EXPECT_EQ(must<v1::Tenant>(root, "UpdateTenant", quota).requests_per_second(), 5U);
    EXPECT_EQ(must<v1::ListTenantsResponse>(root, "ListTenants", v1::ListTenantsRequest()).tenants_size(), 2);

    v1::CreateKeyRequest reader;
    reader.set_name("reader");
    reader.add_actions("document::search");
    reader.add_collections("words*");
    reader.set_row_rule(R"({"must":[{"key":"owner","match":{"value":"ann"}}]})");
    reader.mutable_expires_at()->set_seconds(4'000'000'000);
    const auto made = must<v1::ApiKey>(root, "CreateKey", reader);
    const auto known = must<v1::WhoAmIResponse>(made.key(), "WhoAmI", v1::WhoAmIRequest());
    EXPECT_EQ(known.kind(), "key");
    EXPECT_TRUE(known.has_row_rule());
    EXPECT_EQ(known.collections(0), "words*");
    const rest::HttpResponse told = ask(root, "GET", "/api/v1/keys/" + made.id());
    EXPECT_TRUE(says(told.body, "2096-10-02T07:06:40") && says(told.body, R"("owner")")) << told.body;
    EXPECT_FALSE(says(told.body, made.key()));
    reader.set_row_rule("no filter");
    EXPECT_EQ(refused(root, "CreateKey", reader).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    reader.clear_actions();
    reader.clear_row_rule();
    reader.add_actions("burn");
    EXPECT_EQ(refused(root, "CreateKey", reader).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    v1::GetKeyRequest get;
    get.set_key(made.id());
    EXPECT_EQ(must<v1::ApiKey>(root, "GetKey", get).key(), "") << "told once";
    v1::RevokeKeyRequest revoke;
    revoke.set_key(made.id());
    EXPECT_TRUE(must<v1::ApiKey>(root, "RevokeKey", revoke).revoked());
    EXPECT_EQ(ask(made.key(), "GET", "/api/v1/auth/me").status, 401);
    EXPECT_EQ(must<v1::ListKeysResponse>(root, "ListKeys", v1::ListKeysRequest()).keys_size(), 1);
    v1::DeleteKeyRequest drop;
    drop.set_key(made.id());
    must<v1::DeleteKeyResponse>(root, "DeleteKey", drop);
    EXPECT_EQ(refused(root, "GetKey", get).error_code(), grpc::StatusCode::NOT_FOUND);
    v1::DeleteTenantRequest end;
    end.set_tenant("acme");
    must<v1::DeleteTenantResponse>(root, "DeleteTenant", end);

    v1::QueryAuditRequest query;
    query.set_action("key::create");
    const auto page = must<v1::QueryAuditResponse>(root, "QueryAudit", query);
    ASSERT_EQ(page.entries_size(), 1);
    EXPECT_EQ(page.entries(0).actor(), "user:root@example.com");
    EXPECT_TRUE(says(page.entries(0).resource(), made.id()));
    query.set_outcome("perhaps");
    EXPECT_EQ(refused(root, "QueryAudit", query).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

/// With backups that tenants have keys in.
class BackupKeys : public AccessRpc {
  protected:
    BackupKeys() {
        service::Backups::Dependencies given{*directory_, *catalog_, {*files_, *clock_, *random_, *pause_},
                                             *pool_,      logger_,   metrics_};
        given.data = root_;
        given.tenant_keys = &keys_;
        backups_ = std::make_unique<service::Backups>(std::move(given));
        with_backups_ = std::make_unique<service::Service>(*directory_, *clock_, *random_, control_.get(),
                                                           accounts_.get(), backups_.get());
        api_->attach_service(*with_backups_);
        server_->attach_service(*with_backups_);
    }
    ~BackupKeys() override {
        api_->attach_service(*service_);
        server_->attach_service(*service_);
    }

    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    const std::string place_ = root_ + "/keys";
    backup::TenantKeys keys_{
        [this](backup::TargetUse use) {
            return backup::Target::open({*files_, *clock_, *random_, *pause_}, place_, {}, use);
        },
        *clock_, *random_};
    std::unique_ptr<service::Backups> backups_;
    std::unique_ptr<service::Service> with_backups_;
};

TEST_F(BackupKeys, AreDestroyedByNameAndByTheIdOfATenantThatWasDeleted) {
    const std::string root = set_up();
    const rest::HttpResponse made = ask(root, "POST", "/api/v1/tenants", R"({"name":"acme"})");
    ASSERT_EQ(made.status, 201);
    const std::string id = text_in(made.body, "id");
    const Uuid acme = Uuid::parse(id).value();
    ASSERT_TRUE(keys_.key_of(acme));
    ASSERT_TRUE(keys_.key_of(Uuid{}));
    const rest::HttpResponse destroyed = ask(root, "DELETE", "/api/v1/tenants/acme/backup-keys");
    EXPECT_EQ(destroyed.status, 200);
    EXPECT_EQ(destroyed.body, R"({"destroyed":1})");
    EXPECT_FALSE(keys_.key_of(Uuid{})->is_new) << "that of another stays";
    EXPECT_TRUE(keys_.key_of(acme)->is_new);
    v1::DestroyBackupKeysRequest request;
    request.set_tenant("acme");
    const auto destroy = [&](const std::string& token) {
        return must<v1::DestroyBackupKeysResponse>(token, "DestroyBackupKeys", request).destroyed();
    };
    EXPECT_EQ(destroy(root), 1U);
    EXPECT_EQ(destroy(root), 0U);
    ASSERT_TRUE(keys_.key_of(acme));
    EXPECT_EQ(ask(root, "DELETE", "/api/v1/tenants/acme").status, 200);
    EXPECT_EQ(ask(root, "DELETE", "/api/v1/tenants/acme/backup-keys").status, 404);
    EXPECT_EQ(ask(root, "DELETE", "/api/v1/tenants/" + id + "/backup-keys").body, R"({"destroyed":1})");
    request.set_tenant("");
    EXPECT_EQ(refused(root, "DestroyBackupKeys", request).error_code(), grpc::StatusCode::NOT_FOUND)
        << "not those of who asks";
    request.set_tenant("nobody");
    EXPECT_EQ(refused(root, "DestroyBackupKeys", request).error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_FALSE(keys_.key_of(Uuid{})->is_new);

    const std::string viewer = make_key(root, R"("role":"viewer")");
    EXPECT_EQ(ask(viewer, "DELETE", "/api/v1/tenants/default/backup-keys").status, 403);
    EXPECT_EQ(ask(root, "POST", "/api/v1/tenants", R"({"name":"other"})").status, 201);
    const std::string admin = make_key(root, R"("role":"admin","tenant":"other")");
    EXPECT_EQ(ask(admin, "DELETE", "/api/v1/tenants/other/backup-keys").status, 403);
    v1::QueryAuditRequest query;
    query.set_action("tenant::delete");
    query.set_outcome("allowed");
    const auto page = must<v1::QueryAuditResponse>(root, "QueryAudit", query);
    ASSERT_EQ(page.entries_size(), 5);
    EXPECT_EQ(page.entries(4).resource(), "backup-keys:acme");
    EXPECT_EQ(page.entries(4).actor(), "user:root@example.com");
    EXPECT_EQ(page.entries(0).resource(), "backup-keys:" + id);
}

TEST_F(AccessRpc, BackupKeysAreRefusedWhereTenantsHaveNone) {
    const std::string root = set_up();
    const rest::HttpResponse refusal = ask(root, "DELETE", "/api/v1/tenants/default/backup-keys");
    EXPECT_EQ(refusal.status, 409) << refusal.body;
    v1::DestroyBackupKeysRequest request;
    request.set_tenant("default");
    EXPECT_EQ(refused(root, "DestroyBackupKeys", request).error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(AccessRpc, ATenantReadsItsOwnAuditAlone) {
    const std::string root = set_up();
    EXPECT_EQ(ask(root, "POST", "/api/v1/tenants", R"({"name":"acme"})").status, 201);
    const std::string acme = make_key(root, R"("role":"admin","tenant":"acme")");
    EXPECT_EQ(ask(acme, "POST", "/api/v1/collections", R"({"name":"c","dimension":16})").status, 201);
    v1::QueryAuditRequest query;
    query.set_tenant("default");
    const auto page = must<v1::QueryAuditResponse>(acme, "QueryAudit", query);
    ASSERT_EQ(page.entries_size(), 1);
    EXPECT_EQ(page.entries(0).resource(), "collection:c");
}

}  // namespace
}  // namespace akidb::server
