#include "rest/account_routes.h"

#include "model/moment.h"
#include "rest/account_codec.h"
#include "rest/answer_codec.h"
#include "rest/audit_routes.h"
#include "rest/http_text.h"

namespace akidb::rest {
namespace {

using service::Accounts;

const std::string& named(const Call& call) {
    return call.match().captured[0];
}

Result<void> answer_deleted(Call& call, Result<void> deleted) {
    AKIDB_TRY(std::move(deleted));
    JsonWriter writer;
    writer.begin_object().member("deleted", true).end_object();
    call.answer(std::move(writer));
    return {};
}

enum class Handover : uint8_t { kToken, kCookie };

/// The session's token, or a cookie that holds it out of a page's reach, and what the page sends along.
Result<void> answer_login(Call& call, Accounts& accounts, const service::LoginReply& reply,
                          Handover handover) {
    HttpResponse response;
    JsonWriter writer;
    writer.begin_object();
    if (handover == Handover::kCookie) {
        writer.member("csrf_token", service::csrf_token_of(reply.token));
        constexpr uint64_t kDayS = 86'400;
        response.headers.emplace_back("Set-Cookie",
                                      session_cookie(reply.token, kDayS, call.request().is_tls));
    } else {
        writer.member("token", reply.token);
    }
    writer.member("expires_at", model::rfc3339(reply.expires_at_ms));
    if (!reply.device_token.empty()) {
        writer.member("device_token", reply.device_token);
    }
    write_user(writer.key("user"), {reply.user, accounts.tenant_name(reply.user.tenant)});
    response.body = std::move(writer.end_object()).take();
    call.answer(std::move(response));
    return {};
}

/// As an error, with what is to be solved beside it.
void answer_challenge(Call& call, const service::LoginReply& reply) {
    HttpResponse response = error_answer(Error(Code::kUnauthenticated, reply.why)
                                             .with_field("proof")
                                             .with_allowed("the solution of \"challenge\""),
                                         call.request().request_id);
    response.body.pop_back();
    response.body.append(",\"challenge\":").append(reply.challenge).append("}");
    call.answer(std::move(response));
}

/// Answers the call, from the thread that hashed the password.
Accounts::LoginDone answering_login(const std::shared_ptr<Call>& call, Accounts& accounts,
                                    Handover handover) {
    return [call, &accounts, handover](const Result<service::LoginReply>& reply) {
        call->guarded([&]() -> Result<void> {
            if (!reply) {
                return reply.error();
            }
            if (!reply->challenge.empty()) {
                answer_challenge(*call, *reply);
                return {};
            }
            return answer_login(*call, accounts, *reply, handover);
        });
    };
}

Result<void> set_up(const std::shared_ptr<Call>& call, Accounts& accounts) {
    AKIDB_TRY(SetUpBody body, read_set_up_body(call->body()));
    accounts.set_up(body.token, std::move(body.who), call->asking("auth::setup"),
                    answering_login(call, accounts, Handover::kToken));
    return {};
}

Result<void> log_in(const std::shared_ptr<Call>& call, Accounts& accounts) {
    AKIDB_TRY(LoginBody body, read_login_body(call->body()));
    accounts.log_in(
        std::move(body.who), call->asking("auth::login"),
        answering_login(call, accounts, body.wants_cookie ? Handover::kCookie : Handover::kToken));
    return {};
}

Result<void> get_challenge(Call& call, Accounts& accounts) {
    AKIDB_TRY(const service::ChallengeRequest body, read_challenge_body(call.body()));
    AKIDB_TRY(const service::Challenge made, accounts.make_challenge(body, call.asking("auth::challenge")));
    JsonWriter writer;
    writer.begin_object().member("required", made.is_required).key("challenge").raw(made.json);
    call.answer(std::move(writer.end_object()));
    return {};
}

Result<void> log_out(Call& call, Accounts& accounts) {
    AKIDB_TRY(accounts.log_out(call.context()));
    HttpResponse response{.body = R"({"logged_out":true})"};
    if (!call.request().credentials.cookies.empty()) {
        response.headers.emplace_back("Set-Cookie", session_cookie("", 0, call.request().is_tls));
    }
    call.answer(std::move(response));
    return {};
}

Result<void> tell_who(Call& call, Accounts& accounts) {
    const service::Principal& principal = *call.context().principal;
    JsonWriter writer;
    open_principal(writer, principal, accounts.tenant_name(principal.tenant));
    if (const auto& cookies = call.request().credentials.cookies; cookies.size() == 1) {
        writer.member("csrf_token", service::csrf_token_of(cookies.front()));
    }
    call.answer(std::move(writer.end_object()));
    return {};
}

// ---- users -----------------------------------------------------------------------------------------------

Result<void> answer_user(Call& call, Result<service::UserView> found, int status = 200) {
    AKIDB_TRY(const service::UserView user, std::move(found));
    JsonWriter writer;
    write_user(writer, user);
    call.answer(std::move(writer), status);
    return {};
}

Accounts::UserDone answering_user(const std::shared_ptr<Call>& call, int status) {
    return [call, status](Result<service::UserView> user) {
        call->guarded([&] { return answer_user(*call, std::move(user), status); });
    };
}

Result<void> create_user(const std::shared_ptr<Call>& call, Accounts& accounts) {
    AKIDB_TRY(service::NewUser body, read_new_user_body(call->body()));
    accounts.create_user(call->context(), std::move(body), answering_user(call, 201));
    return {};
}

Result<void> list_users(Call& call, Accounts& accounts) {
    AKIDB_TRY(const std::vector<service::UserView> users, accounts.list_users(call.context()));
    JsonWriter writer;
    writer.begin_object().key("users").begin_array();
    for (const service::UserView& user : users) {
        write_user(writer, user);
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> update_user(const std::shared_ptr<Call>& call, Accounts& accounts) {
    AKIDB_TRY(service::UserChange body, read_user_change_body(call->body()));
    accounts.update_user(call->context(), named(*call), std::move(body), answering_user(call, 200));
    return {};
}

// ---- keys ------------------------------------------------------------------------------------------------

Result<void> answer_key(Call& call, const Accounts& accounts, Result<catalog::KeyRow> found) {
    AKIDB_TRY(const catalog::KeyRow key, std::move(found));
    JsonWriter writer;
    open_key(writer, key, accounts.tenant_name(key.tenant));
    call.answer(std::move(writer.end_object()));
    return {};
}

Result<void> create_key(Call& call, Accounts& accounts) {
    AKIDB_TRY(const service::NewKey body, read_new_key_body(call.body()));
    AKIDB_TRY(const service::MadeKey made, accounts.create_key(call.context(), body));
    JsonWriter writer;
    open_key(writer, made.row, accounts.tenant_name(made.row.tenant));
    call.answer(std::move(writer.member("key", made.token).end_object()), 201);
    return {};
}

Result<void> list_keys(Call& call, Accounts& accounts) {
    AKIDB_TRY(const std::vector<catalog::KeyRow> keys, accounts.list_keys(call.context()));
    JsonWriter writer;
    writer.begin_object().key("keys").begin_array();
    for (const catalog::KeyRow& key : keys) {
        open_key(writer, key, accounts.tenant_name(key.tenant));
        writer.end_object();
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> update_key(Call& call, Accounts& accounts) {
    AKIDB_TRY(read_key_change_body(call.body()));
    return answer_key(call, accounts, accounts.revoke_key(call.context(), named(call)));
}

// ---- tenants ---------------------------------------------------------------------------------------------

Result<void> answer_tenant(Call& call, Result<catalog::TenantRow> found, int status = 200) {
    AKIDB_TRY(const catalog::TenantRow tenant, std::move(found));
    JsonWriter writer;
    write_tenant(writer, tenant);
    call.answer(std::move(writer), status);
    return {};
}

Result<void> create_tenant(Call& call, Accounts& accounts) {
    AKIDB_TRY(const NewTenantBody body, read_new_tenant_body(call.body()));
    return answer_tenant(call, accounts.create_tenant(call.context(), body.name, body.settings), 201);
}

Result<void> list_tenants(Call& call, Accounts& accounts) {
    AKIDB_TRY(const std::vector<catalog::TenantRow> tenants, accounts.list_tenants(call.context()));
    JsonWriter writer;
    writer.begin_object().key("tenants").begin_array();
    for (const catalog::TenantRow& tenant : tenants) {
        write_tenant(writer, tenant);
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> update_tenant(Call& call, Accounts& accounts) {
    AKIDB_TRY(const service::TenantChange body, read_tenant_change_body(call.body()));
    return answer_tenant(call, accounts.update_tenant(call.context(), named(call), body));
}

Result<void> destroy_backup_keys(Call& call, service::Service& service) {
    AKIDB_TRY(const uint64_t count, service.destroy_backup_keys(call.context(), named(call)));
    JsonWriter writer;
    writer.begin_object().member("destroyed", count).end_object();
    call.answer(std::move(writer));
    return {};
}

}  // namespace

Result<void> perform_on_accounts(const std::shared_ptr<Call>& shared, service::Service& service) {
    Call& call = *shared;
    if (call.match().route->id == RouteId::kReadAudit) {
        return read_audit(call, service);
    }
    AKIDB_TRY(Accounts* const found, service.accounts());
    Accounts& accounts = *found;
    const service::RequestContext& context = call.context();
    switch (call.match().route->id) {
        case RouteId::kSetUp:
            return set_up(shared, accounts);
        case RouteId::kLogIn:
            return log_in(shared, accounts);
        case RouteId::kGetChallenge:
            return get_challenge(call, accounts);
        case RouteId::kLogOut:
            return log_out(call, accounts);
        case RouteId::kMe:
            return tell_who(call, accounts);
        case RouteId::kCreateUser:
            return create_user(shared, accounts);
        case RouteId::kListUsers:
            return list_users(call, accounts);
        case RouteId::kGetUser:
            return answer_user(call, accounts.get_user(context, named(call)));
        case RouteId::kUpdateUser:
            return update_user(shared, accounts);
        case RouteId::kDeleteUser:
            return answer_deleted(call, accounts.delete_user(context, named(call)));
        case RouteId::kCreateKey:
            return create_key(call, accounts);
        case RouteId::kListKeys:
            return list_keys(call, accounts);
        case RouteId::kGetKey:
            return answer_key(call, accounts, accounts.get_key(context, named(call)));
        case RouteId::kUpdateKey:
            return update_key(call, accounts);
        case RouteId::kDeleteKey:
            return answer_deleted(call, accounts.delete_key(context, named(call)));
        case RouteId::kCreateTenant:
            return create_tenant(call, accounts);
        case RouteId::kListTenants:
            return list_tenants(call, accounts);
        case RouteId::kGetTenant:
            return answer_tenant(call, accounts.get_tenant(context, named(call)));
        case RouteId::kUpdateTenant:
            return update_tenant(call, accounts);
        case RouteId::kDestroyBackupKeys:
            return destroy_backup_keys(call, service);
        default:
            return answer_deleted(call, accounts.delete_tenant(context, named(call)));
    }
}

}  // namespace akidb::rest
