// Coming and going: the first start, logins, sessions.
#include "model/limits.h"
#include "service/accounts.h"
#include "service/password.h"

namespace akidb::service {
namespace {

constexpr uint64_t kSessionMs = uint64_t{24} * 3600 * 1000;

Error wrong_password() {
    return Error(Code::kUnauthenticated, "the e-mail, the password or the tenant is wrong");
}

/// One account has one spelling, whether it is there or not.
std::string account_of(const std::string& tenant, const std::string& email) {
    return tenant + "/" + normalised_email(email).value_or(email);
}

}  // namespace

/// An attempt on its way. It outlives the request's texts, as the hash is made elsewhere.
struct Accounts::Login {
    LoginRequest request;
    AskingText asking;
    LoginDone done;
    std::string account{};                    // for the guard
    std::shared_ptr<const UserEntry> user{};  // null when there is none
    access::PasswordCaller caller = access::PasswordCaller::kStranger;

    access::LoginAttempt attempt() const {
        return {.source = access::IpAddress::parse(asking.source).value_or(access::IpAddress{}),
                .account = account,
                .device_token = request.device_token,
                .proof = request.proof};
    }
};

// ---- the first start -------------------------------------------------------------------------------------

std::string Accounts::make_setup_token() {
    MutexLock lock(changing_);
    if (given_.book.users.count() > 0) {
        return {};
    }
    const std::string token = "setup_" + make_secret(given_.random);
    setup_token_ = hash_secret(token);
    return token;
}

Result<void> Accounts::check_set_up(std::string_view token, const LoginRequest& request) {
    AKIDB_TRY(const std::string email, normalised_email(request.email));
    AKIDB_TRY(validate_password(request.password, email));
    MutexLock lock(changing_);
    if (!setup_token_ || !is_secret(token, *setup_token_)) {
        return Error(Code::kUnauthenticated,
                     "this is not the set-up token of this start; it stands in the server's log until "
                     "there is a user")
            .with_field("token");
    }
    return {};
}

Result<LoginReply> Accounts::finish_set_up(const std::string& email, std::string hash) {
    MutexLock lock(changing_);
    if (!setup_token_ || given_.book.users.count() > 0) {
        return Error(Code::kConflict, "the server has been set up meanwhile");
    }
    AKIDB_TRY(std::string normalised, normalised_email(email));
    const catalog::UserRow row{.id = new_id(),
                               .email = std::move(normalised),
                               .password_hash = std::move(hash),
                               .role = model::Role::kAdmin,
                               .created_at_ms = given_.clock.unix_ms()};
    AKIDB_TRY(put_user(row, nullptr));
    setup_token_.reset();
    return open_session(row);
}

void Accounts::set_up(std::string_view token, LoginRequest request, const Asking& asking, LoginDone done) {
    Result<void> checked = check_set_up(token, request);
    std::string password = std::move(request.password);
    auto end = [this, email = std::move(request.email), asking = AskingText(asking),
                done = std::move(done)](Result<std::string> hash) {
        Result<LoginReply> reply = hash ? finish_set_up(email, std::move(hash).value())
                                        : Result<LoginReply>(std::move(hash).error());
        given_.control.count_attempt("setup", reply.has_value());
        given_.control.note_login(asking.view(), "default", email, reply ? nullptr : &reply.error());
        done(std::move(reply));
    };
    if (!checked) {
        end(std::move(checked).error());
        return;
    }
    given_.hasher.hash(std::move(password), std::move(end));
}

// ---- logins ----------------------------------------------------------------------------------------------

void Accounts::log_in(LoginRequest request, const Asking& asking, LoginDone done) {
    const auto login = std::make_shared<Login>(
        Login{.request = std::move(request), .asking = AskingText(asking), .done = std::move(done)});
    if (stops_at_guard(*login)) {
        return;
    }
    if (login->request.password.size() > model::kPasswordBytesMax) {
        end_login(*login, wrong_password());
        return;
    }
    find_user(*login);
    check_password(login);
}

bool Accounts::stops_at_guard(Login& login) {
    if (given_.guard == nullptr) {
        return false;
    }
    login.account = account_of(login.request.tenant, login.request.email);
    access::LoginDecision decision = given_.guard->decide(login.attempt());
    if (decision.proof != access::ProofOutcome::kNone) {
        given_.control.count_challenge(decision.proof == access::ProofOutcome::kSolved ? "solved"
                                                                                       : "refused");
    }
    switch (decision.step) {
        case access::LoginStep::kGoOn:
            login.caller =
                decision.is_known_device ? access::PasswordCaller::kKnown : access::PasswordCaller::kStranger;
            return false;
        case access::LoginStep::kProve:
            given_.control.count_challenge("issued");
            login.done(
                LoginReply{.challenge = std::move(decision.challenge), .why = std::move(decision.why)});
            return true;
        case access::LoginStep::kWait:
            break;
    }
    end_login(login, Error(Code::kRateLimited, decision.why).with_retry_after(decision.retry_after_s));
    return true;
}

void Accounts::find_user(Login& login) const {
    const auto tenant = given_.book.find_tenant(login.request.tenant);
    const Result<std::string> email = normalised_email(login.request.email);
    if (tenant != nullptr && email.has_value()) {
        login.user = given_.book.find_user(tenant->row.id, *email);
    }
}

/// Everything that is wrong takes the time of one hash and gets one answer.
void Accounts::check_password(const std::shared_ptr<Login>& login) {
    std::optional<std::string> stored;
    if (login->user != nullptr) {
        stored = login->user->row.password_hash;
    }
    given_.hasher.check(
        login->request.password, std::move(stored),
        [this, login](Result<access::PasswordCheck> checked) {
            if (!checked || !checked->matches) {
                end_login(*login, checked ? wrong_password() : std::move(checked).error());
                return;
            }
            if (!checked->needs_rehash) {
                end_login(*login, let_in(*login, std::nullopt));
                return;
            }
            given_.hasher.hash(login->request.password, [this, login](Result<std::string> hash) {
                // When there is no room for it, the next login makes it.
                end_login(*login,
                          let_in(*login, hash ? std::optional(std::move(hash).value()) : std::nullopt));
            });
        },
        login->caller);
}

Result<LoginReply> Accounts::let_in(const Login& login, std::optional<std::string> hash) {
    const catalog::UserRow& checked = login.user->row;
    MutexLock lock(changing_);
    const auto now = given_.book.users.find(checked.id);
    const auto home = given_.book.tenants.find(checked.tenant);
    if (now == nullptr || home == nullptr || now->row.password_hash != checked.password_hash) {
        return wrong_password();
    }
    if (now->row.status != catalog::UserStatus::kActive || home->row.is_suspended) {
        return Error(Code::kUnauthenticated, "the user or the tenant is suspended");
    }
    if (hash) {
        catalog::UserRow row = now->row;
        row.password_hash = *std::move(hash);
        AKIDB_TRY(put_user(row, &now->row));
    }
    return open_session(now->row);
}

void Accounts::end_login(Login& login, Result<LoginReply> reply) {
    if (given_.guard != nullptr && reply.has_value()) {
        reply->device_token = given_.guard->succeeded(login.attempt());
    } else if (given_.guard != nullptr && reply.error().code() == Code::kUnauthenticated) {
        given_.guard->failed(login.attempt());
    }
    given_.control.count_attempt("password", reply.has_value());
    given_.control.note_login(login.asking.view(), login.request.tenant, login.request.email,
                              reply ? nullptr : &reply.error());
    login.done(std::move(reply));
}

Result<Challenge> Accounts::make_challenge(const ChallengeRequest& request, const Asking& asking) {
    if (given_.guard == nullptr) {
        return Error(Code::kUnavailable, "this server asks for no proofs of work");
    }
    Login login{.request = {.email = request.email, .device_token = request.device_token},
                .asking = AskingText(asking),
                .done = {}};
    login.account = account_of(request.tenant, request.email);
    access::LoginDecision decision = given_.guard->offer(login.attempt());
    if (decision.step == access::LoginStep::kWait) {
        return Error(Code::kRateLimited, decision.why).with_retry_after(decision.retry_after_s);
    }
    given_.control.count_challenge("issued");
    return Challenge{.is_required = decision.proof_is_wanted, .json = std::move(decision.challenge)};
}

// ---- sessions --------------------------------------------------------------------------------------------

Result<LoginReply> Accounts::open_session(const catalog::UserRow& user) {
    const auto own = given_.book.sessions_of(user.id);
    for (size_t i = 0; i + model::kSessionsOfUserMax <= own.size(); ++i) {
        AKIDB_TRY(given_.store.remove_session(own[i]->row.id));
        given_.book.remove_session(own[i]->row);
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
    given_.book.put_session(begun(row));
    LoginReply reply{.token = write_token(TokenKind::kSession, row.id, secret),
                     .expires_at_ms = row.expires_at_ms,
                     .user = user};
    reply.user.password_hash.clear();
    return reply;
}

SessionEntry Accounts::begun(const catalog::SessionRow& row) const {
    return {row, std::make_shared<std::atomic<uint64_t>>(given_.clock.monotonic_us()),
            Ending::at(row.expires_at_ms, given_.clock)};
}

/// Who is refused by a clock that jumped is let in again once it is right.
Result<void> Accounts::end_due_sessions() {
    const uint64_t now_ms = given_.clock.unix_ms();
    bool are_in_store = false;
    if (given_.clock.is_in_doubt()) {
        return {};
    }
    for (const auto& session : given_.book.sessions.all()) {
        if (!session->ending.has_come(given_.clock)) {
            continue;
        }
        given_.book.remove_session(session->row);
        if (now_ms >= session->row.expires_at_ms) {
            are_in_store = true;
        } else {  // by a clock that was set back it would go on after a restart
            AKIDB_TRY(given_.store.remove_session(session->row.id));
        }
    }
    return are_in_store ? given_.store.remove_expired_sessions(now_ms) : Result<void>();
}

void Accounts::end_sessions(const Uuid& user) {
    for (const auto& session : given_.book.sessions_of(user)) {
        given_.book.remove_session(session->row);
        // In the catalog it goes with its user or ends by itself; there nobody asks for it any more.
        static_cast<void>(given_.store.remove_session(session->row.id).has_value());
    }
}

Result<void> Accounts::log_out(const RequestContext& context) {
    if (context.session == Uuid{}) {
        return invalid_argument("Authorization", "this is no session: a key is revoked, not logged out",
                                "a session token (as_…)");
    }
    MutexLock lock(changing_);
    AKIDB_TRY(given_.store.remove_session(context.session));
    if (const auto session = given_.book.sessions.find(context.session)) {
        given_.book.remove_session(session->row);
    }
    return {};
}

// ---- the audit log ---------------------------------------------------------------------------------------

Result<access::AuditPage> Accounts::query_audit(const RequestContext& context,
                                                access::AuditQuery query) const {
    if (given_.control.audit() == nullptr) {
        return Error(Code::kUnavailable, "this server keeps no audit log");
    }
    if (!context.principal->is_of_default_tenant()) {
        query.tenant = tenant_name(context.principal->tenant);
    }
    return given_.control.audit()->query(query);
}

}  // namespace akidb::service
