// Accounts: who may use the server: tenants, users with their sessions, and API keys, as use cases. Each
// change is in the catalog first, then in the book that requests are held against, so what was acknowledged
// survives a crash, and is in force when the answer is written. Nobody can give what he has not: neither
// another tenant (but from the tenant "default", which runs the server), nor an action that he may not do.
// Thread-safe; calls block for the disk. Those that take a password answer by callback, exactly once: on the
// caller's thread, or on one of the hasher's pool when the hash is made, so no thread waits for a hash.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/login_guard.h"
#include "access/password.h"
#include "base/mutex.h"
#include "io/random.h"
#include "service/access_book.h"
#include "service/access_control.h"
#include "service/context.h"

namespace akidb::service {

struct LoginRequest {
    std::string email;
    std::string password;
    std::string tenant = "default";
    std::string proof{};         // of work, when one was asked for
    std::string device_token{};  // of an earlier login on this device
};

struct LoginReply {
    /// Not empty: nobody is logged in yet, a proof of work is wanted; JSON.
    std::string challenge{};
    std::string why{};
    std::string device_token{};
    std::string token{};
    uint64_t expires_at_ms = 0;
    catalog::UserRow user{};
};

struct ChallengeRequest {
    std::string email;
    std::string tenant = "default";
    std::string device_token{};
};

struct Challenge {
    bool is_required = false;  // a login now would be asked for it
    std::string json{};
};

struct NewUser {
    std::string email;
    std::string password;
    std::string role;
    std::string tenant;  // empty: that of who asks
};

struct UserChange {
    std::optional<std::string> password;
    std::optional<std::string> role;
    std::optional<std::string> status;  // active, suspended, deactivated
};

struct NewKey {
    std::string name;
    std::string role;                  // either this, or…
    std::vector<std::string> actions;  // …these
    std::vector<std::string> collections;
    std::string row_rule;        // a filter as JSON; empty: none
    uint64_t expires_at_ms = 0;  // 0: never
    uint64_t requests_per_second = 0;
    std::string tenant;
};

struct MadeKey {
    catalog::KeyRow row;
    std::string token;  // told once
};

struct TenantChange {
    std::optional<bool> is_suspended;
    std::optional<uint64_t> requests_per_second;
    std::optional<uint64_t> documents_max;
};

struct UserView {
    catalog::UserRow row;  // without the hash
    std::string tenant;
};

std::string_view name_of(catalog::UserStatus status);

class Accounts {
  public:
    /// Makes a filter of JSON, which this layer does not read.
    using ReadFilter = std::function<Result<model::Filter>(const std::string& json)>;
    using LoginDone = std::function<void(Result<LoginReply>)>;
    using UserDone = std::function<void(Result<UserView>)>;
    struct Dependencies {
        catalog::AccessStore& store;
        AccessBook& book;
        const AccessControl& control;
        access::PasswordHasher& hasher;  // its pool is stopped before the accounts go
        const io::Clock& clock;
        io::Random& random;
        ReadFilter read_filter;
        access::LoginGuard* guard = nullptr;  // null: every attempt goes on
    };
    explicit Accounts(Dependencies dependencies);

    /// Reads the catalog into the book; once, before anything else.
    Result<void> load();
    /// Of an enabled server without users: makes a new token of the first start, the only one from now on.
    /// Empty when there are users.
    std::string make_setup_token();

    /// The first user, an administrator of the tenant "default", logged in. kUnauthenticated.
    void set_up(std::string_view token, LoginRequest request, const Asking& asking, LoginDone done);
    /// kUnauthenticated, with one text for whatever is wrong; kRateLimited, or a challenge, after failures
    /// (access/login_guard.h), before anything is hashed. A hash of less than today's cost is made anew.
    void log_in(LoginRequest request, const Asking& asking, LoginDone done);
    /// Before a login, of which it tells nothing but how often it failed lately. kRateLimited.
    Result<Challenge> make_challenge(const ChallengeRequest& request, const Asking& asking);
    Result<void> log_out(const RequestContext& context);

    void create_user(const RequestContext& context, NewUser request, UserDone done);
    /// Of the tenant of who asks; operators see all, or those of one tenant.
    Result<std::vector<UserView>> list_users(const RequestContext& context);
    /// `user`: an id, or an e-mail of the tenant of who asks. Sessions end by a new password, and with the
    /// user. kConflict for the last active administrator of the tenant "default".
    Result<UserView> get_user(const RequestContext& context, std::string_view user);
    void update_user(const RequestContext& context, std::string_view user, UserChange change, UserDone done);
    Result<void> delete_user(const RequestContext& context, std::string_view user);

    Result<MadeKey> create_key(const RequestContext& context, const NewKey& request);
    Result<std::vector<catalog::KeyRow>> list_keys(const RequestContext& context);
    Result<catalog::KeyRow> get_key(const RequestContext& context, std::string_view id);
    /// For good.
    Result<catalog::KeyRow> revoke_key(const RequestContext& context, std::string_view id);
    Result<void> delete_key(const RequestContext& context, std::string_view id);

    Result<catalog::TenantRow> create_tenant(const RequestContext& context, const std::string& name,
                                             const TenantChange& settings);
    Result<std::vector<catalog::TenantRow>> list_tenants(const RequestContext& context);
    Result<catalog::TenantRow> get_tenant(const RequestContext& context, const std::string& name);
    Result<catalog::TenantRow> update_tenant(const RequestContext& context, const std::string& name,
                                             const TenantChange& change);
    /// With its users and keys. kConflict while it has collections.
    Result<void> delete_tenant(const RequestContext& context, const std::string& name);

    /// By name or id; an id may be that of a tenant that was deleted.
    Result<Uuid> find_tenant_id(const RequestContext& context, const std::string& tenant) const;

    /// Those of the tenant "default" read all, others their own. kUnavailable when there is no audit log.
    Result<access::AuditPage> query_audit(const RequestContext& context, access::AuditQuery query) const;

    std::string tenant_name(const Uuid& id) const;
    /// Writes down when keys were used last, ends what expired. Every few seconds; what a crash loses is a
    /// moment of use.
    Result<void> tend();

  private:
    struct Login;
    Result<void> check_set_up(std::string_view token, const LoginRequest& request);
    Result<LoginReply> finish_set_up(const std::string& email, std::string hash);
    bool stops_at_guard(Login& login);
    void find_user(Login& login) const;
    void check_password(const std::shared_ptr<Login>& login);
    /// `hash`: a new one of the same password, or nothing.
    Result<LoginReply> let_in(const Login& login, std::optional<std::string> hash);
    void end_login(Login& login, Result<LoginReply> reply);
    Result<catalog::UserRow> read_new_user(const RequestContext& context, const NewUser& request) const;
    Result<UserView> finish_new_user(const RequestContext& context, catalog::UserRow row);
    Result<UserView> finish_change(const RequestContext& context, const Uuid& user, const UserChange& change,
                                   std::string hash);
    Result<std::shared_ptr<const TenantEntry>> find_tenant(const RequestContext& context,
                                                           const std::string& name) const;
    Result<std::shared_ptr<const UserEntry>> find_user(const RequestContext& context,
                                                       std::string_view user) const;
    Result<std::shared_ptr<const KeyEntry>> find_key(const RequestContext& context,
                                                     std::string_view id) const;
    bool sees(const RequestContext& context, const Uuid& tenant) const;
    Result<model::Role> grantable_role(const RequestContext& context, const std::string& name) const;
    Result<catalog::KeyRow> read_new_key(const RequestContext& context, const NewKey& request) const;
    Result<void> read_actions(const RequestContext& context, const NewKey& request,
                              catalog::KeyRow& row) const;
    Result<std::shared_ptr<const model::Filter>> read_rule(const std::string& json) const;
    Result<void> check_keeps_an_administrator(const catalog::UserRow& row) const AKIDB_REQUIRES(changing_);
    Result<LoginReply> open_session(const catalog::UserRow& user) AKIDB_REQUIRES(changing_);
    void end_sessions(const Uuid& user) AKIDB_REQUIRES(changing_);
    Result<void> put_user(const catalog::UserRow& row, const catalog::UserRow* before)
        AKIDB_REQUIRES(changing_);
    Result<void> put_key(catalog::KeyRow row) AKIDB_REQUIRES(changing_);
    Result<void> end_due_sessions() AKIDB_REQUIRES(changing_);
    /// It is used now.
    SessionEntry begun(const catalog::SessionRow& row) const;
    Result<void> put_tenant(const catalog::TenantRow& row) AKIDB_REQUIRES(changing_);
    UserView view_of(const catalog::UserRow& row) const;
    Uuid new_id() { return io::make_uuid(given_.random, given_.clock); }

    const Dependencies given_;
    Mutex changing_;  // of those who change something: catalog and book in one order
    std::optional<catalog::SecretHash> setup_token_ AKIDB_GUARDED_BY(changing_);
};

}  // namespace akidb::service
