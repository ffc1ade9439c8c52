// What is written down of administration and refusals, and that nothing is done which could not be.
#include "access/audit_survey.h"
#include "server/access_stack_for_tests.h"

namespace akidb::server {
namespace {

class AccessAudit : public AccessStack {
  protected:
    std::vector<access::AuditEntry> entries(const access::AuditQuery& query = {}) {
        EXPECT_TRUE(audit_->tick());  // notes go in with it
        return audit_->query(query).value().entries;
    }
};

TEST_F(AccessAudit, WritesDownWhoDidWhat) {
    const std::string root = set_up();
    EXPECT_EQ(ask(root, "POST", "/api/v1/collections", R"({"name":"words","dimension":16})").status, 201);
    const std::string key = make_key(root, R"("role":"viewer")");
    EXPECT_EQ(ask(key, "DELETE", "/api/v1/collections/words").status, 403);
    EXPECT_EQ(ask("", "GET", "/api/v1/users").status, 401);
    EXPECT_EQ(call({}, "CollectionService/List", "").error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(ask(key, "GET", "/api/v1/collections").status, 200);
    std::vector<std::string> told;
    for (const access::AuditEntry& entry : entries()) {
        told.insert(told.begin(), entry.actor.substr(0, entry.actor.find(' ')) + " " + entry.action + " " +
                                      std::string(access::name_of(entry.outcome)));
    }
    const std::string id =
        accounts_->list_keys({.principal = service::operator_principal()})->at(0).id.to_string();
    EXPECT_EQ(told, (std::vector<std::string>{
                        "user:root@example.com auth::setup allowed",
                        "user:root@example.com collection::create allowed",
                        "user:root@example.com key::create allowed",
                        "key:" + id + " DELETE /api/v1/collections/{collection} denied",
                        " GET /api/v1/users denied",
                        " CollectionService/List denied",
                    }));
    const rest::HttpResponse page = ask(root, "GET", "/api/v1/audit?outcome=denied&limit=1");
    EXPECT_EQ(page.status, 200) << page.body;
    EXPECT_TRUE(says(page.body, "CollectionService/List") && says(page.body, R"("next_before":6)"))
        << page.body;
    EXPECT_EQ(ask(key, "GET", "/api/v1/audit").status, 403);
    EXPECT_EQ(ask(root, "GET", "/api/v1/audit?outcome=perhaps").status, 400);
    EXPECT_EQ(ask(root, "GET", "/api/v1/audit?limit=0").status, 400);
}

TEST_F(AccessAudit, TenantsReadTheirOwn) {
    const std::string root = set_up();
    EXPECT_EQ(ask(root, "POST", "/api/v1/tenants", R"({"name":"acme"})").status, 201);
    const std::string acme = make_key(root, R"("role":"admin","tenant":"acme")");
    EXPECT_EQ(ask(acme, "POST", "/api/v1/collections", R"({"name":"c","dimension":16})").status, 201);
    const rest::HttpResponse own = ask(acme, "GET", "/api/v1/audit?tenant=default");
    EXPECT_EQ(own.status, 200);
    EXPECT_TRUE(says(own.body, "collection:c") && !says(own.body, "root@example.com")) << own.body;
    EXPECT_TRUE(says(ask(root, "GET", "/api/v1/audit").body, "collection:c"));
}

TEST_F(AccessAudit, WhatCannotBeWrittenDownIsNotDone) {
    const std::string root = set_up();
    const std::string key = make_key(root, R"("role":"viewer")");
    audit_files_.fail(storage::FaultyFileSystem::Call::kAppend, Code::kDiskFull);
    for (const auto& [method, path, body] :
         {std::tuple{"POST", "/api/v1/collections", R"({"name":"words","dimension":16})"},
          {"POST", "/api/v1/users", R"({"email":"a@b","password":"a good long password","role":"viewer"})"},
          {"POST", "/api/v1/keys", R"({"name":"k","role":"viewer"})"},
          {"POST", "/api/v1/tenants", R"({"name":"acme"})"}}) {
        const rest::HttpResponse refused = ask(root, method, path, body);
        EXPECT_GE(refused.status, 500) << refused.body;
        EXPECT_TRUE(says(refused.body, "audit log")) << refused.body;
    }
    EXPECT_EQ(ask(key, "GET", "/api/v1/collections").body, R"({"collections":[]})");
    EXPECT_EQ(ask(root, "GET", "/api/v1/users/a@b").status, 404);
    audit_files_.heal();
    EXPECT_EQ(ask(root, "POST", "/api/v1/collections", R"({"name":"words","dimension":16})").status, 201);
    EXPECT_TRUE(audit_->tick());
    const auto survey = access::survey_audit(audit_files_, root_ + "/audit", audit_key_.public_key(), {});
    ASSERT_TRUE(survey);
    EXPECT_TRUE(survey->faults.empty());
}

TEST_F(AccessAudit, GuessingMeetsTheGuard) {
    access::ProofOfWork proofs(*clock_, *random_);
    access::LoginGuard guard(*clock_, *random_, proofs, {});
    service::Accounts guarded(service::Accounts::Dependencies{*store_, book_, *control_, hasher_, *clock_,
                                                              *random_, rest::read_row_rule, &guard});
    set_up();
    const service::Asking asking{.what = "auth::login", .source = "192.0.2.1"};
    service::LoginRequest wrong{"root@example.com", "a bad long password"};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(service::log_in(guarded, wrong, asking).error().code(), Code::kUnauthenticated);
    }
    const service::LoginRequest right{"root@example.com", kPassword};
    const auto asked = service::log_in(guarded, right, asking);
    ASSERT_TRUE(asked.has_value()) << "a proof of work, whatever the password";
    EXPECT_FALSE(asked->challenge.empty());
    EXPECT_TRUE(asked->token.empty());
    wrong.proof = "bm9uc2Vuc2U=";
    EXPECT_FALSE(service::log_in(guarded, wrong, asking)->challenge.empty());
    // Another source that never failed is still asked for this account, and lets others in without.
    EXPECT_FALSE(service::log_in(guarded, right, {.what = "auth::login", .source = "198.51.100.7"})
                     ->challenge.empty());
    EXPECT_TRUE(says(metrics_.expose(), "akidb_login_challenges_total{outcome=\"issued\"} 3\n"));
    EXPECT_TRUE(says(metrics_.expose(), "akidb_login_challenges_total{outcome=\"refused\"} 1\n"));
}

TEST_F(AccessAudit, KeysAndSessionsAreCounted) {
    const std::string root = set_up();
    make_key(root, R"("role":"viewer")");
    const std::string used = make_key(root, R"("role":"viewer")");
    EXPECT_EQ(ask(used, "GET", "/api/v1/collections").status, 200);
    const rest::HttpResponse made = ask(root, "POST", "/api/v1/keys", R"({"name":"gone","role":"viewer"})");
    EXPECT_EQ(ask(root, "PATCH", "/api/v1/keys/" + text_in(made.body, "id"), R"({"revoked":true})").status,
              200);
    EXPECT_TRUE(accounts_->tend());
    for (const char* line :
         {"akidb_api_keys{state=\"active\"} 2\n", "akidb_api_keys{state=\"revoked\"} 1\n",
          "akidb_api_keys{state=\"expired\"} 0\n", "akidb_api_keys_used 1\n", "akidb_sessions 1\n"}) {
        EXPECT_TRUE(says(metrics_.expose(), line)) << line;
    }
}

}  // namespace
}  // namespace akidb::server
