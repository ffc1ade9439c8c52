// Tokens, quotas and the book, and what accounts refuse.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "catalog/catalog.h"
#include "io/clock_for_tests.h"
#include "service/accounts_for_tests.h"
#include "service/password.h"

namespace akidb::service {
namespace {

TEST(Credentials, TokensAreThereAndBack) {
    const auto random = io::make_seeded_random(7);
    const auto clock = io::make_system_clock();
    std::set<std::string> secrets;
    for (int i = 0; i < 1000; ++i) {
        const std::string secret = make_secret(*random);
        EXPECT_EQ(secret.size(), 43U);
        EXPECT_TRUE(secrets.insert(secret).second);
        const Uuid id = io::make_uuid(*random, *clock);
        for (const TokenKind kind : {TokenKind::kKey, TokenKind::kSession}) {
            const std::string text = write_token(kind, id, secret);
            const auto token = parse_token(text);
            ASSERT_TRUE(token);
            EXPECT_EQ(token->kind, kind);
            EXPECT_EQ(token->id, id);
            EXPECT_EQ(token->secret, secret);
            EXPECT_FALSE(parse_token(text + "x"));
            EXPECT_FALSE(parse_token(text.substr(0, text.size() - 1)));
            EXPECT_FALSE(parse_token("A" + text.substr(1)));
        }
        EXPECT_TRUE(is_secret(secret, hash_secret(secret)));
        EXPECT_FALSE(is_secret(secret + "x", hash_secret(secret)));
    }
    EXPECT_FALSE(parse_token(""));
    EXPECT_FALSE(parse_token(std::string(79, '_')));
    // SHA-256 of "abc" (FIPS 180-4).
    EXPECT_EQ(hash_secret("abc")[0], 0xba);
    EXPECT_EQ(hash_secret("abc")[31], 0xad);
}

TEST(Credentials, SeveralAreNone) {
    EXPECT_EQ(find_token({}).value(), "");
    EXPECT_EQ(find_token({.authorization = {"Bearer x"}}).value(), "x");
    EXPECT_EQ(find_token({.authorization = {"bEARER x"}}).value(), "x");
    EXPECT_EQ(find_token({.api_key = {"x"}}).value(), "x");
    EXPECT_EQ(find_token({.authorization = {"Bearer x", "Bearer x"}}).error().code(), Code::kInvalidArgument);
    EXPECT_EQ(find_token({.authorization = {"Bearer x"}, .api_key = {"x"}}).error().code(),
              Code::kInvalidArgument);
    for (const char* text : {"", "Bearer", "Basic eDp5", "x", " Bearer x"}) {
        EXPECT_EQ(find_token({.authorization = {text}}).error().code(), Code::kUnauthenticated) << text;
    }
}

TEST(Password, OnlyWhatIsHardToGuess) {
    EXPECT_FALSE(validate_password("elevenbytes", "a@b"));
    EXPECT_TRUE(validate_password("twelve bytes", "a@b"));
    EXPECT_TRUE(validate_password(std::string(1024, 'x'), "a@b"));
    EXPECT_FALSE(validate_password(std::string(1025, 'x'), "a@b"));
    EXPECT_FALSE(validate_password("Password1234", "a@b"));
    EXPECT_FALSE(validate_password("Ann@Example.com", "ann@example.com"));
    EXPECT_EQ(normalised_email("Ann@Example.com").value(), "ann@example.com");
    for (const char* text : {"", "@", "a@", "@b", "a@b@c", "a b@c", "a\n@b"}) {
        EXPECT_FALSE(normalised_email(text)) << text;
    }
}

/// One server's accounts over a file that outlives it.
class AccountsTest : public testing::Test {
  protected:
    AccountsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-accounts-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        catalog_ = catalog::Catalog::open(directory_ + "/catalog.db").value();
        start();
    }
    ~AccountsTest() override { std::filesystem::remove_all(directory_); }

    void start() {
        store_ = catalog::AccessStore::open(directory_ + "/catalog.db").value();
        book_ = std::make_unique<AccessBook>();
        control_ = std::make_unique<AccessControl>(*book_, *clock_, metrics_, AccessOptions{});
        accounts_ = std::make_unique<Accounts>(Accounts::Dependencies{
            *store_, *book_, *control_, hasher_, *clock_, *random_,
            [](const std::string&) { return Result<model::Filter>(model::Filter{}); }});
        ASSERT_TRUE(accounts_->load());
    }
    RequestContext context_of(const std::string& token) {
        Admission admission;
        const Result<void> admitted =
            control_->admit(model::Access::anyone_known(), {.authorization = {"Bearer " + token}}, admission);
        EXPECT_TRUE(admitted) << (admitted ? "" : admitted.error().message());
        return {.principal = admission.principal, .session = admission.session};
    }
    Code code_of(const std::string& token) {
        Admission admission;
        const Result<void> admitted =
            control_->admit(model::Access::anyone_known(), {.authorization = {"Bearer " + token}}, admission);
        return admitted ? Code::kInternal : admitted.error().code();
    }
    /// The first administrator's.
    std::string set_up() {
        return service::set_up(*accounts_, accounts_->make_setup_token(),
                               {"root@example.com", "a good long password"})
            .value()
            .token;
    }

    std::string directory_;
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    telemetry::Metrics metrics_;
    io::ThreadPool hashing_{{.name = "hash", .threads = 1}};
    access::PasswordHasher hasher_{*random_, *clock_, hashing_, kCheapPasswords};
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<catalog::AccessStore> store_;
    std::unique_ptr<AccessBook> book_;
    std::unique_ptr<AccessControl> control_;
    std::unique_ptr<Accounts> accounts_;
};

TEST_F(AccountsTest, TheFirstUserTurnsAuthenticationOn) {
    EXPECT_FALSE(control_->is_enabled());
    const RequestContext everybody{.principal = operator_principal()};
    EXPECT_EQ(accounts_->create_key(everybody, {.name = "k", .role = "admin"}).error().code(),
              Code::kConflict);
    EXPECT_EQ(
        create_user(*accounts_, everybody, {"a@b", "a good long password", "viewer", ""}).error().field(),
        "role")
        << "nobody could make the second";
    ASSERT_TRUE(create_user(*accounts_, everybody, {"a@b", "a good long password", "admin", ""}));
    EXPECT_TRUE(control_->is_enabled());
    EXPECT_EQ(accounts_->make_setup_token(), "");
}

class ClockJumps : public AccountsTest {
  protected:
    ClockJumps() {
        auto made = std::make_unique<io::HandClock>();
        time_ = made.get();
        accounts_.reset();
        control_.reset();
        clock_.swap(kept_);
        clock_ = std::move(made);
        start();
    }
    std::unique_ptr<io::Clock> kept_;  // the hasher's
    io::HandClock* time_ = nullptr;
};

TEST_F(ClockJumps, BringNoEndedSessionOrKeyBackAndEndNoneForGood) {
    constexpr uint64_t kHourMs = 3'600'000;
    constexpr uint64_t kYearMs = 365 * 24 * kHourMs;
    const std::string root = set_up();
    const std::string key =
        accounts_
            ->create_key(context_of(root),
                         {.name = "k", .role = "viewer", .expires_at_ms = time_->wall_ms + kHourMs})
            .value()
            .token;
    const auto expect = [&](Code of_session, Code of_key, const char* when) {
        EXPECT_EQ(code_of(root), of_session) << when;
        EXPECT_EQ(code_of(key), of_key) << when;
    };
    constexpr Code kGood = Code::kInternal;
    expect(kGood, kGood, "at first");
    time_->wall_ms += kYearMs;
    expect(Code::kUnauthenticated, Code::kUnauthenticated, "a year on");
    ASSERT_TRUE(accounts_->tend());
    time_->wall_ms -= kYearMs;
    expect(kGood, kGood, "the clock is right again");
    time_->wall_ms -= kYearMs;
    expect(kGood, kGood, "a year back");
    time_->pass_ms(kHourMs);
    expect(kGood, Code::kUnauthenticated, "an hour after the key was made, whatever the clock says");
    time_->pass_ms(365 * 24 * kHourMs / 2);
    EXPECT_EQ(code_of(root), Code::kUnauthenticated) << "nobody used it for so long";
    ASSERT_TRUE(accounts_->tend());
    start();
    EXPECT_EQ(code_of(root), Code::kUnauthenticated) << "nor after a start";
}

TEST_F(AccountsTest, TheSetupTokenIsGoodOnce) {
    const std::string old = accounts_->make_setup_token();
    const std::string token = accounts_->make_setup_token();
    const LoginRequest who{"root@example.com", "a good long password"};
    EXPECT_EQ(service::set_up(*accounts_, old, who).error().code(), Code::kUnauthenticated);
    EXPECT_EQ(service::set_up(*accounts_, token, {"root@example.com", "short"}).error().field(), "password");
    ASSERT_TRUE(service::set_up(*accounts_, token, who));
    EXPECT_FALSE(service::set_up(*accounts_, token, who));
}

TEST_F(AccountsTest, KeepsEverythingOverAStart) {
    const std::string root = set_up();
    const RequestContext context = context_of(root);
    const std::string key = accounts_->create_key(context, {.name = "k", .role = "viewer"}).value().token;
    ASSERT_TRUE(accounts_->tend());
    start();
    EXPECT_EQ(context_of(root).principal->name, "root@example.com");
    EXPECT_EQ(context_of(key).principal->role, "viewer");
    EXPECT_EQ(service::log_in(*accounts_, {"Root@Example.com", "a good long password"})->user.email,
              "root@example.com");
    EXPECT_EQ(service::log_in(*accounts_, {"root@example.com", "a bad long password!"}).error().code(),
              Code::kUnauthenticated);
    EXPECT_EQ(service::log_in(*accounts_, {"nobody@example.com", "a good long password"}).error().message(),
              service::log_in(*accounts_, {"root@example.com", "a bad long password!"}).error().message());
}

TEST_F(AccountsTest, WhatIsTakenBackIsGoneAtOnce) {
    const std::string root = set_up();
    const RequestContext context = context_of(root);
    ASSERT_TRUE(
        create_user(*accounts_, context, {"bob@example.com", "a good long password", "developer", ""}));
    const auto log_in = [&] {
        return service::log_in(*accounts_, {"bob@example.com", "a good long password"}).value().token;
    };
    const std::string session = log_in();
    EXPECT_EQ(code_of(session), Code::kInternal);
    ASSERT_TRUE(update_user(*accounts_, context, "bob@example.com", {.status = "suspended"}));
    EXPECT_EQ(code_of(session), Code::kUnauthenticated);
    EXPECT_FALSE(service::log_in(*accounts_, {"bob@example.com", "a good long password"}));
    ASSERT_TRUE(update_user(*accounts_, context, "bob@example.com", {.status = "active"}));
    EXPECT_EQ(code_of(session), Code::kInternal);
    ASSERT_TRUE(update_user(*accounts_, context, "bob@example.com", {.role = "viewer"}));
    EXPECT_EQ(context_of(session).principal->role, "viewer") << "open sessions have the new role";
    ASSERT_TRUE(accounts_->log_out(context_of(session)));
    EXPECT_EQ(code_of(session), Code::kUnauthenticated);
    const std::string second = log_in();
    ASSERT_TRUE(update_user(*accounts_, context, "bob@example.com", {.password = "another long password"}));
    EXPECT_EQ(code_of(second), Code::kUnauthenticated);
    const MadeKey key = accounts_->create_key(context, {.name = "k", .role = "viewer"}).value();
    ASSERT_TRUE(accounts_->revoke_key(context, key.row.id.to_string()));
    EXPECT_EQ(code_of(key.token), Code::kUnauthenticated);
    ASSERT_TRUE(accounts_->delete_user(context, "bob@example.com"));
    EXPECT_FALSE(accounts_->get_user(context, "bob@example.com"));
    EXPECT_EQ(accounts_->delete_user(context, "root@example.com").error().code(), Code::kConflict);
    EXPECT_EQ(update_user(*accounts_, context, "root@example.com", {.status = "deactivated"}).error().code(),
              Code::kConflict);
}

TEST_F(AccountsTest, AHashOfLessThanTodaysCostIsMadeAnewByALogin) {
    set_up();
    const auto stored = [&] { return book_->find_user(Uuid{}, "root@example.com")->row.password_hash; };
    const LoginRequest right{"root@example.com", "a good long password"};
    const std::string cheap = stored();
    ASSERT_TRUE(service::log_in(*accounts_, right));
    EXPECT_EQ(stored(), cheap) << "it is as dear as it should be";
    access::PasswordHasher dearer(*random_, *clock_, hashing_, {.memory_bytes = 16384, .passes = 1});
    Accounts raised({*store_, *book_, *control_, dearer, *clock_, *random_, {}});
    EXPECT_FALSE(service::log_in(raised, {"root@example.com", "a bad long password!"}));
    EXPECT_EQ(stored(), cheap) << "nobody showed the password";
    ASSERT_TRUE(service::log_in(raised, right));
    const std::string dear = stored();
    EXPECT_TRUE(dear.starts_with("$argon2id$v=19$m=16,t=1,p=1$")) << dear;
    start();
    EXPECT_EQ(stored(), dear) << "it is in the catalog";
    EXPECT_TRUE(service::log_in(*accounts_, right));
}

TEST_F(AccountsTest, NoThreadWaitsForAHash) {
    set_up();
    // A pool that hashes when it is told to.
    struct HeldPool final : io::Executor {
        bool submit(std::string, Job job) override {
            jobs.push_back(std::move(job));
            return true;
        }
        std::vector<Job> jobs;
    } held;
    access::PasswordHasher hasher(*random_, *clock_, held, kCheapPasswords);
    Accounts accounts({*store_, *book_, *control_, hasher, *clock_, *random_, {}});
    std::vector<Result<LoginReply>> replies;
    for (const char* email : {"root@example.com", "nobody@example.com"}) {
        accounts.log_in({email, "a good long password"}, {},
                        [&](Result<LoginReply> reply) { replies.push_back(std::move(reply)); });
    }
    EXPECT_TRUE(replies.empty());
    ASSERT_EQ(held.jobs.size(), 2U) << "an unknown user is hashed for as well";
    held.jobs[0]({});
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_TRUE(replies[0]);
    held.jobs.clear();
    ASSERT_EQ(replies.size(), 2U) << "who is dropped is answered too";
    EXPECT_EQ(replies[1].error().code(), Code::kUnavailable);
}

TEST_F(AccountsTest, AUserHasSoManySessionsAndTheOldestGoes) {
    const std::string first = set_up();
    std::vector<std::string> tokens;
    for (size_t i = 0; i < model::kSessionsOfUserMax; ++i) {
        tokens.push_back(service::log_in(*accounts_, {"root@example.com", "a good long password"})->token);
    }
    EXPECT_EQ(book_->sessions.count(), model::kSessionsOfUserMax);
    EXPECT_EQ(code_of(first), Code::kUnauthenticated);
    for (const std::string& token : tokens) {
        EXPECT_EQ(code_of(token), Code::kInternal);
    }
    start();
    EXPECT_EQ(book_->sessions.count(), model::kSessionsOfUserMax) << "the catalog knows as many";
}

TEST_F(AccountsTest, NobodyGivesWhatHeHasNot) {
    const RequestContext root = context_of(set_up());
    const auto context_with = [&](NewKey key) {
        key.name = "k";
        return context_of(accounts_->create_key(root, key).value().token);
    };
    const RequestContext maker =
        context_with({.actions = {"key::create", "user::create", "user::update", "document::search",
                                  "database::read", "collection::read"}});
    EXPECT_TRUE(accounts_->create_key(maker, {.name = "a", .actions = {"document::search"}}));
    EXPECT_TRUE(accounts_->create_key(maker, {.name = "a", .role = "viewer"}));
    EXPECT_EQ(accounts_->create_key(maker, {.name = "a", .role = "admin"}).error().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(accounts_->create_key(maker, {.name = "a", .actions = {"document::delete"}}).error().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(create_user(*accounts_, maker, {"e@x", "a good long password", "admin", ""}).error().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(update_user(*accounts_, maker, "root@example.com", {.password = "a good new password"})
                  .error()
                  .code(),
              Code::kPermissionDenied)
        << "or he were the administrator";
    const RequestContext narrow = context_with({.role = "admin", .collections = {"words*"}});
    EXPECT_EQ(accounts_->create_key(narrow, {.name = "a", .role = "admin"}).error().code(),
              Code::kPermissionDenied);
    ASSERT_TRUE(accounts_->create_tenant(root, "acme", {}));
    ASSERT_TRUE(create_user(*accounts_, root, {"ann@acme", "a good long password", "admin", "acme"}));
    const RequestContext ann =
        context_of(service::log_in(*accounts_, {"ann@acme", "a good long password", "acme"}).value().token);
    EXPECT_EQ(
        create_user(*accounts_, ann, {"e@x", "a good long password", "viewer", "default"}).error().code(),
        Code::kNotFound);
    EXPECT_EQ(accounts_->get_user(ann, "root@example.com").error().code(), Code::kNotFound);
    EXPECT_EQ(accounts_->get_user(ann, root.principal->id.to_string()).error().code(), Code::kNotFound);
    EXPECT_EQ(accounts_->list_users(ann)->size(), 1U);
    EXPECT_TRUE(accounts_->list_keys(ann)->empty());
    ASSERT_TRUE(accounts_->delete_tenant(root, "acme"));
    EXPECT_FALSE(service::log_in(*accounts_, {"ann@acme", "a good long password", "acme"}));
}

TEST_F(AccountsTest, KeysWithARuleReachNothingElse) {
    const RequestContext root = context_of(set_up());
    EXPECT_EQ(accounts_->create_key(root, {.name = "a", .role = "viewer", .row_rule = "{}"}).error().field(),
              "row_rule");
    EXPECT_TRUE(
        accounts_->create_key(root, {.name = "a", .actions = {"document::search"}, .row_rule = "{}"}));
    for (const NewKey& wrong :
         {NewKey{.name = "", .role = "viewer"}, NewKey{.name = "a"},
          NewKey{.name = "a", .role = "viewer", .actions = {"document::search"}},
          NewKey{.name = "a", .role = "emperor"}, NewKey{.name = "a", .actions = {"burn"}},
          NewKey{.name = "a", .role = "viewer", .collections = {"a/b"}},
          NewKey{.name = "a", .role = "viewer", .expires_at_ms = 1}}) {
        EXPECT_EQ(accounts_->create_key(root, wrong).error().code(), Code::kInvalidArgument);
    }
}

TEST_F(AccountsTest, ManyKeysAndTenantsAreFoundAsFast) {
    constexpr size_t kKeys = 100'000;
    const std::string secret = make_secret(*random_);
    std::vector<std::string> tokens;
    for (size_t i = 0; i < kKeys; ++i) {
        KeyEntry entry;
        entry.row.id = io::make_uuid(*random_, *clock_);
        entry.row.secret_hash = hash_secret(secret);
        entry.principal = std::make_shared<const Principal>(Principal{.kind = PrincipalKind::kKey});
        if (i % 1'000 == 0) {
            tokens.push_back(write_token(TokenKind::kKey, entry.row.id, secret));
        }
        book_->keys.put(std::move(entry));
    }
    for (size_t i = 0; i < 10'000; ++i) {
        book_->tenants.put({.row = {.id = io::make_uuid(*random_, *clock_), .name = std::to_string(i)}});
    }
    set_up();
    for (const std::string& token : tokens) {
        EXPECT_EQ(code_of(token), Code::kInternal);
    }
    EXPECT_EQ(book_->keys.count(), kKeys);
}

}  // namespace
}  // namespace akidb::service
