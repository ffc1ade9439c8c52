#include "service/accounts.h"

#include <algorithm>

#include "model/collection_spec.h"
#include "model/limits.h"

namespace akidb::service {
namespace {

constexpr uint64_t kSessionMs = uint64_t{24} * 3600 * 1000;

constexpr std::array<std::string_view, 3> kStatusNames{"active", "suspended", "deactivated"};

std::shared_ptr<const Principal> principal_of(const catalog::UserRow& row) {
    const model::RoleRow& role = model::row_of(row.role);
    return std::make_shared<const Principal>(Principal{.kind = PrincipalKind::kUser,
                                                       .name = row.email,
                                                       .id = row.id,
                                                       .tenant = row.tenant,
                                                       .role = std::string(role.name),
                                                       .actions = role.actions});
}

Error wrong_password() {
    return Error(Code::kUnauthenticated, "the e-mail, the password or the tenant is wrong");
}

}  // namespace

std::string_view name_of(catalog::UserStatus status) {
    return kStatusNames.at(static_cast<size_t>(status));
}

Accounts::Accounts(Dependencies dependencies) : given_(std::move(dependencies)) {}

Result<void> Accounts::load() {
    AKIDB_TRY(catalog::AccessRows rows, given_.store.load());
    AccessBook& book = given_.book;
    for (catalog::TenantRow& row : rows.tenants) {
        book.rename_tenant(row.name, &row);
        book.tenants.put({std::move(row)});
    }
    for (const catalog::UserRow& row : rows.users) {
        book.rename_user(nullptr, &row);
        book.users.put({row, principal_of(row)});
    }
    const uint64_t now_ms = given_.clock.unix_ms();
    for (const catalog::SessionRow& row : rows.sessions) {
        if (row.expires_at_ms > now_ms) {
            // Idle times are not kept over a restart: it counts as a use.
            book.sessions.put({row, std::make_shared<std::atomic<uint64_t>>(now_ms)});
        }
    }
    MutexLock lock(changing_);
    for (catalog::KeyRow& row : rows.keys) {
        AKIDB_TRY(put_key(std::move(row)));
    }
    return {};
}

std::string Accounts::make_setup_token() {
    MutexLock lock(changing_);
    if (given_.book.users.count() > 0) {
        return {};
    }
    const std::string token = "setup_" + make_secret(given_.random);
    setup_token_ = hash_secret(token);
    return token;
}

// ---- coming and going ------------------------------------------------------------------------------------

Result<LoginReply> Accounts::set_up(std::string_view token, const LoginRequest& request,
                                    const Asking& asking) {
    Result<LoginReply> reply = try_set_up(token, request);
    given_.control.count_attempt("setup", reply.has_value());
    given_.control.note_login(asking, "default", request.email, reply ? nullptr : &reply.error());
    return reply;
}

Result<LoginReply> Accounts::log_in(const LoginRequest& request, const Asking& asking) {
    Result<LoginReply> reply = guarded_log_in(request, asking);
    if (reply && !reply->challenge.empty()) {
        return reply;
    }
    given_.control.count_attempt("password", reply.has_value());
    given_.control.note_login(asking, request.tenant, request.email, reply ? nullptr : &reply.error());
    return reply;
}

Result<LoginReply> Accounts::guarded_log_in(const LoginRequest& request, const Asking& asking) {
    if (given_.guard == nullptr) {
        return try_log_in(request);
    }
    // One account has one spelling, whether it is there or not.
    const std::string account =
        request.tenant + "/" + normalised_email(request.email).value_or(request.email);
    const access::LoginAttempt attempt{
        .source = access::IpAddress::parse(asking.source).value_or(access::IpAddress{}),
        .account = account,
        .device_token = request.device_token,
        .proof = request.proof};
    access::LoginDecision decision = given_.guard->decide(attempt);
    switch (decision.step) {
        case access::LoginStep::kWait:
            return Error(Code::kRateLimited, decision.why).with_retry_after(decision.retry_after_s);
        case access::LoginStep::kProve:
            return LoginReply{.challenge = std::move(decision.challenge), .why = std::move(decision.why)};
        case access::LoginStep::kGoOn:
            break;
    }
    Result<LoginReply> reply = try_log_in(request);
    if (reply) {
        reply->device_token = given_.guard->succeeded(attempt);
    } else if (reply.error().code() == Code::kUnauthenticated) {
        given_.guard->failed(attempt);
    }
    return reply;
}

Result<LoginReply> Accounts::try_set_up(std::string_view token, const LoginRequest& request) {
    AKIDB_TRY(const std::string email, normalised_email(request.email));
    AKIDB_TRY(validate_password(request.password, email));
    {
        MutexLock lock(changing_);
        if (!setup_token_ || !is_secret(token, *setup_token_)) {
            return Error(Code::kUnauthenticated,
                         "this is not the set-up token of this start; it stands in the server's log until "
                         "there is a user")
                .with_field("token");
        }
    }
    AKIDB_TRY(std::string hash, given_.hasher.hash(request.password));
    MutexLock lock(changing_);
    if (!setup_token_ || given_.book.users.count() > 0) {
        return Error(Code::kConflict, "the server has been set up meanwhile");
    }
    const catalog::UserRow row{.id = new_id(),
                               .email = email,
                               .password_hash = std::move(hash),
                               .role = model::Role::kAdmin,
                               .created_at_ms = given_.clock.unix_ms()};
    AKIDB_TRY(put_user(row, nullptr));
    setup_token_.reset();
    return open_session(row);
}

Result<LoginReply> Accounts::try_log_in(const LoginRequest& request) {
    // Everything that is wrong takes the time of one hash and gets one answer.
    const auto tenant = given_.book.find_tenant(request.tenant);
    const Result<std::string> email = normalised_email(request.email);
    std::shared_ptr<const UserEntry> user;
    if (tenant != nullptr && email.has_value()) {
        user = given_.book.find_user(tenant->row.id, *email);
    }
    if (request.password.size() > model::kPasswordBytesMax) {
        return wrong_password();
    }
    const std::optional<std::string> stored =
        user == nullptr ? std::nullopt : std::optional(user->row.password_hash);
    AKIDB_TRY(const bool is_right, given_.hasher.matches(stored, request.password));
    if (!is_right) {
        return wrong_password();
    }
    MutexLock lock(changing_);
    const auto now = given_.book.users.find(user->row.id);
    const auto home = given_.book.tenants.find(user->row.tenant);
    if (now == nullptr || home == nullptr || now->row.password_hash != user->row.password_hash) {
        return wrong_password();
    }
    if (now->row.status != catalog::UserStatus::kActive || home->row.is_suspended) {
        return Error(Code::kUnauthenticated, "the user or the tenant is suspended");
    }
    return open_session(now->row);
}

Result<LoginReply> Accounts::open_session(const catalog::UserRow& user) {
    std::vector<catalog::SessionRow> own;
    for (const auto& session : given_.book.sessions.all()) {
        if (session->row.user == user.id) {
            own.push_back(session->row);
        }
    }
    std::sort(own.begin(), own.end(),
              [](const auto& a, const auto& b) { return a.created_at_ms < b.created_at_ms; });
    for (size_t i = 0; i + model::kSessionsOfUserMax <= own.size(); ++i) {
        AKIDB_TRY(given_.store.remove_session(own[i].id));
        given_.book.sessions.remove(own[i].id);
    }
    if (given_.book.sessions.count() >= model::kSessionsMax) {
        return Error(Code::kRateLimited, "there are too many sessions").with_retry_after(60);
    }
    const std::string secret = make_secret(given_.random);
    const uint64_t now_ms = given_.clock.unix_ms();
    const catalog::SessionRow row{.id = new_id(),
                                  .user = user.id,
                                  .secret_hash = hash_secret(secret),
                                  .created_at_ms = now_ms,
                                  .expires_at_ms = now_ms + kSessionMs};
    AKIDB_TRY(given_.store.put_session(row));
    given_.book.sessions.put({row, std::make_shared<std::atomic<uint64_t>>(now_ms)});
    LoginReply reply{.token = write_token(TokenKind::kSession, row.id, secret),
                     .expires_at_ms = row.expires_at_ms,
                     .user = user};
    reply.user.password_hash.clear();
    return reply;
}

void Accounts::end_sessions(const Uuid& user) {
    for (const auto& session : given_.book.sessions.all()) {
        if (session->row.user == user) {
            given_.book.sessions.remove(session->row.id);
            // In the catalog it goes with its user or ends by itself; there nobody asks for it any more.
            static_cast<void>(given_.store.remove_session(session->row.id).has_value());
        }
    }
}

Result<void> Accounts::log_out(const RequestContext& context) {
    if (context.session == Uuid{}) {
        return invalid_argument("Authorization", "this is no session: a key is revoked, not logged out",
                                "a session token (as_…)");
    }
    MutexLock lock(changing_);
    AKIDB_TRY(given_.store.remove_session(context.session));
    given_.book.sessions.remove(context.session);
    return {};
}

// ---- users -----------------------------------------------------------------------------------------------

bool Accounts::sees(const RequestContext& context, const Uuid& tenant) const {
    return context.principal->tenant == tenant || context.principal->is_of_default_tenant();
}

UserView Accounts::view_of(const catalog::UserRow& row) const {
    UserView view{row, tenant_name(row.tenant)};
    view.row.password_hash.clear();
    return view;
}

Result<std::shared_ptr<const UserEntry>> Accounts::find_user(const RequestContext& context,
                                                             std::string_view user) const {
    std::shared_ptr<const UserEntry> found;
    if (const auto id = Uuid::parse(user)) {
        found = given_.book.users.find(*id);
    } else if (const auto email = normalised_email(user); email.has_value()) {
        found = given_.book.find_user(context.principal->tenant, *email);
    }
    if (found == nullptr || !sees(context, found->row.tenant)) {
        return Error(Code::kNotFound, "there is no such user").with_field("user");
    }
    return found;
}

Result<model::Role> Accounts::grantable_role(const RequestContext& context, const std::string& name) const {
    const auto role = model::role_from(name);
    if (!role) {
        return invalid_argument("role", "unknown role", model::role_names());
    }
    AKIDB_TRY(given_.control.check(*context.principal, model::row_of(*role).actions));
    return *role;
}

Result<void> Accounts::put_user(const catalog::UserRow& row, const catalog::UserRow* before) {
    AKIDB_TRY(given_.store.put_user(row));
    given_.book.rename_user(before, &row);
    given_.book.users.put({row, principal_of(row)});
    return {};
}

Result<UserView> Accounts::create_user(const RequestContext& context, const NewUser& request) {
    AKIDB_TRY(const auto tenant, find_tenant(context, request.tenant));
    AKIDB_TRY(const std::string email, normalised_email(request.email));
    AKIDB_TRY(validate_password(request.password, email));
    AKIDB_TRY(const model::Role role, grantable_role(context, request.role));
    if (given_.book.find_user(tenant->row.id, email) != nullptr) {
        return Error(Code::kAlreadyExists, "the tenant has a user of this e-mail").with_field("email");
    }
    AKIDB_TRY(std::string hash, given_.hasher.hash(request.password));
    MutexLock lock(changing_);
    if (given_.book.users.count() >= model::kUsersMax) {
        return Error(Code::kRateLimited, "there are too many users")
            .with_allowed("at most " + std::to_string(model::kUsersMax));
    }
    // With the first user authentication begins: somebody must be able to make the second.
    if (given_.book.users.count() == 0 && (role != model::Role::kAdmin || tenant->row.id != Uuid{})) {
        return invalid_argument("role", "the first user administers the server",
                                "admin, in the tenant default");
    }
    const catalog::UserRow row{.id = new_id(),
                               .tenant = tenant->row.id,
                               .email = email,
                               .password_hash = std::move(hash),
                               .role = role,
                               .created_at_ms = given_.clock.unix_ms()};
    AKIDB_TRY(given_.control.write_down(context, model::Action::kUserCreate, "user:" + email));
    Result<void> put = put_user(row, nullptr);
    if (!put && put.error().code() == Code::kAlreadyExists) {
        return Error(Code::kAlreadyExists, "the tenant has a user of this e-mail").with_field("email");
    }
    AKIDB_TRY(std::move(put));
    setup_token_.reset();
    return view_of(row);
}

Result<std::vector<UserView>> Accounts::list_users(const RequestContext& context) {
    std::vector<UserView> users;
    for (const auto& user : given_.book.users.all()) {
        if (sees(context, user->row.tenant)) {
            users.push_back(view_of(user->row));
        }
    }
    std::sort(users.begin(), users.end(), [](const UserView& a, const UserView& b) {
        return std::tie(a.tenant, a.row.email) < std::tie(b.tenant, b.row.email);
    });
    return users;
}

Result<UserView> Accounts::get_user(const RequestContext& context, std::string_view user) {
    AKIDB_TRY(const auto found, find_user(context, user));
    return view_of(found->row);
}

Result<void> Accounts::check_keeps_an_administrator(const catalog::UserRow& row) const {
    const auto is_other = [&](const std::shared_ptr<const UserEntry>& user) {
        return user->row.id != row.id && user->row.tenant == Uuid{} &&
               user->row.role == model::Role::kAdmin && user->row.status == catalog::UserStatus::kActive;
    };
    const auto users = given_.book.users.all();
    if (row.tenant != Uuid{} || row.role != model::Role::kAdmin ||
        std::any_of(users.begin(), users.end(), is_other)) {
        return {};
    }
    return Error(Code::kConflict, "this is the last active administrator of the server").with_field("user");
}

Result<UserView> Accounts::update_user(const RequestContext& context, std::string_view user,
                                       const UserChange& change) {
    AKIDB_TRY(const auto found, find_user(context, user));
    // Who may change an administrator could become one.
    AKIDB_TRY(given_.control.check(*context.principal, model::row_of(found->row.role).actions));
    std::string hash;
    if (change.password) {
        AKIDB_TRY(validate_password(*change.password, found->row.email));
        AKIDB_TRY(hash, given_.hasher.hash(*change.password));
    }
    MutexLock lock(changing_);
    AKIDB_TRY(const auto now, find_user(context, found->row.id.to_string()));
    catalog::UserRow row = now->row;
    if (change.password) {
        row.password_hash = std::move(hash);
    }
    if (change.role) {
        AKIDB_TRY(row.role, grantable_role(context, *change.role));
    }
    if (change.status) {
        const auto* status = std::find(kStatusNames.begin(), kStatusNames.end(), *change.status);
        if (status == kStatusNames.end()) {
            return invalid_argument("status", "unknown status", "active, suspended, deactivated");
        }
        row.status = static_cast<catalog::UserStatus>(status - kStatusNames.begin());
    }
    if (row.role != model::Role::kAdmin || row.status != catalog::UserStatus::kActive) {
        AKIDB_TRY(check_keeps_an_administrator(now->row));
    }
    AKIDB_TRY(given_.control.write_down(context, model::Action::kUserUpdate, "user:" + row.email));
    AKIDB_TRY(put_user(row, &now->row));
    if (change.password || row.status == catalog::UserStatus::kDeactivated) {
        end_sessions(row.id);
    }
    return view_of(row);
}

Result<void> Accounts::delete_user(const RequestContext& context, std::string_view user) {
    AKIDB_TRY(const auto found, find_user(context, user));
    AKIDB_TRY(given_.control.check(*context.principal, model::row_of(found->row.role).actions));
    MutexLock lock(changing_);
    AKIDB_TRY(check_keeps_an_administrator(found->row));
    AKIDB_TRY(given_.control.write_down(context, model::Action::kUserDelete, "user:" + found->row.email));
    AKIDB_TRY(given_.store.remove_user(found->row.id));
    given_.book.users.remove(found->row.id);
    given_.book.rename_user(&found->row, nullptr);
    end_sessions(found->row.id);
    return {};
}

}  // namespace akidb::service
