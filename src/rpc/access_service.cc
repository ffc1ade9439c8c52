#include <akidb/v1/access.grpc.pb.h>

#include <array>

#include "base/assert.h"
#include "rpc/access_codec.h"
#include "rpc/call.h"
#include "rpc/services.h"

namespace akidb::rpc {
namespace {

using service::Accounts;
using CallPointer = std::shared_ptr<Call>;

/// The message, held to the fields that we know, and the accounts.
template <class Message>
Result<Accounts*> begin(const Call& call, service::Service& service, Message& message) {
    AKIDB_TRY(parse_message(call.message(), message));
    AKIDB_TRY(check_known(message));
    return service.accounts();
}

// ---- coming and going ------------------------------------------------------------------------------------

/// Answers the call, from the thread that hashed the password.
Accounts::LoginDone answering_login(const CallPointer& call, Accounts& accounts) {
    return [call, &accounts](const Result<service::LoginReply>& reply) {
        call->guarded([&]() -> Result<void> {
            if (!reply) {
                return reply.error();
            }
            if (!reply->challenge.empty()) {
                call->head().tell_challenge(reply->challenge);
                return Error(Code::kUnauthenticated, reply->why)
                    .with_field("proof")
                    .with_allowed("the solution of the metadata akidb-challenge");
            }
            v1::Session session;
            write_session(*reply, accounts.tenant_name(reply->user.tenant), session);
            return call->answer(session);
        });
    };
}

Result<void> set_up(const CallPointer& call, service::Service& service) {
    v1::SetUpRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    accounts->set_up(message.token(), {.email = message.email(), .password = message.password()},
                     call->head().asking("auth::setup"), answering_login(call, *accounts));
    return {};
}

Result<void> log_in(const CallPointer& call, service::Service& service) {
    v1::LogInRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(service::LoginRequest request, read_login(message));
    accounts->log_in(std::move(request), call->head().asking("auth::login"),
                     answering_login(call, *accounts));
    return {};
}

Result<void> get_challenge(const CallPointer& call, service::Service& service) {
    v1::GetChallengeRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    service::ChallengeRequest request{.email = message.email(), .device_token = message.device_token()};
    if (!message.tenant().empty()) {
        request.tenant = message.tenant();
    }
    AKIDB_TRY(const service::Challenge made,
              accounts->make_challenge(request, call->head().asking("auth::challenge")));
    v1::GetChallengeResponse reply;
    reply.set_required(made.is_required);
    reply.set_challenge(made.json);
    return call->answer(reply);
}

Result<void> log_out(const CallPointer& call, service::Service& service) {
    v1::LogOutRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(accounts->log_out(call->context()));
    return call->answer(v1::LogOutResponse());
}

Result<void> tell_who(const CallPointer& call, service::Service& service) {
    v1::WhoAmIRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    const service::Principal& principal = *call->context().principal;
    v1::WhoAmIResponse reply;
    write_principal(principal, accounts->tenant_name(principal.tenant), reply);
    return call->answer(reply);
}

// ---- users -----------------------------------------------------------------------------------------------

Result<void> answer_user(Call& call, Result<service::UserView> found) {
    AKIDB_TRY(const service::UserView user, std::move(found));
    v1::User reply;
    write_user(user, reply);
    return call.answer(reply);
}

Accounts::UserDone answering_user(const CallPointer& call) {
    return [call](Result<service::UserView> user) {
        call->guarded([&] { return answer_user(*call, std::move(user)); });
    };
}

Result<void> create_user(const CallPointer& call, service::Service& service) {
    v1::CreateUserRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    accounts->create_user(call->context(),
                          {.email = message.email(),
                           .password = message.password(),
                           .role = message.role(),
                           .tenant = message.tenant()},
                          answering_user(call));
    return {};
}

Result<void> list_users(const CallPointer& call, service::Service& service) {
    v1::ListUsersRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(const std::vector<service::UserView> users, accounts->list_users(call->context()));
    v1::ListUsersResponse reply;
    for (const service::UserView& user : users) {
        write_user(user, *reply.add_users());
    }
    return call->answer(reply);
}

Result<void> get_user(const CallPointer& call, service::Service& service) {
    v1::GetUserRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_user(*call, accounts->get_user(call->context(), message.user()));
}

Result<void> update_user(const CallPointer& call, service::Service& service) {
    v1::UpdateUserRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(service::UserChange change, read_change(message));
    accounts->update_user(call->context(), message.user(), std::move(change), answering_user(call));
    return {};
}

Result<void> delete_user(const CallPointer& call, service::Service& service) {
    v1::DeleteUserRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(accounts->delete_user(call->context(), message.user()));
    return call->answer(v1::DeleteUserResponse());
}

// ---- keys ------------------------------------------------------------------------------------------------

Result<void> answer_key(Call& call, const Accounts& accounts, Result<catalog::KeyRow> found) {
    AKIDB_TRY(const catalog::KeyRow key, std::move(found));
    v1::ApiKey reply;
    write_key(key, accounts.tenant_name(key.tenant), reply);
    return call.answer(reply);
}

Result<void> create_key(const CallPointer& call, service::Service& service) {
    v1::CreateKeyRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(const service::NewKey key, read_new_key(message));
    AKIDB_TRY(const service::MadeKey made, accounts->create_key(call->context(), key));
    v1::ApiKey reply;
    write_key(made.row, accounts->tenant_name(made.row.tenant), reply);
    reply.set_key(made.token);
    return call->answer(reply);
}

Result<void> list_keys(const CallPointer& call, service::Service& service) {
    v1::ListKeysRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(const std::vector<catalog::KeyRow> keys, accounts->list_keys(call->context()));
    v1::ListKeysResponse reply;
    for (const catalog::KeyRow& key : keys) {
        write_key(key, accounts->tenant_name(key.tenant), *reply.add_keys());
    }
    return call->answer(reply);
}

Result<void> get_key(const CallPointer& call, service::Service& service) {
    v1::GetKeyRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_key(*call, *accounts, accounts->get_key(call->context(), message.key()));
}

Result<void> revoke_key(const CallPointer& call, service::Service& service) {
    v1::RevokeKeyRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_key(*call, *accounts, accounts->revoke_key(call->context(), message.key()));
}

Result<void> delete_key(const CallPointer& call, service::Service& service) {
    v1::DeleteKeyRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(accounts->delete_key(call->context(), message.key()));
    return call->answer(v1::DeleteKeyResponse());
}

// ---- tenants ---------------------------------------------------------------------------------------------

Result<void> answer_tenant(Call& call, Result<catalog::TenantRow> found) {
    AKIDB_TRY(const catalog::TenantRow tenant, std::move(found));
    v1::Tenant reply;
    write_tenant(tenant, reply);
    return call.answer(reply);
}

Result<void> create_tenant(const CallPointer& call, service::Service& service) {
    v1::CreateTenantRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_tenant(*call,
                         accounts->create_tenant(call->context(), message.name(), read_settings(message)));
}

Result<void> list_tenants(const CallPointer& call, service::Service& service) {
    v1::ListTenantsRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(const std::vector<catalog::TenantRow> tenants, accounts->list_tenants(call->context()));
    v1::ListTenantsResponse reply;
    for (const catalog::TenantRow& tenant : tenants) {
        write_tenant(tenant, *reply.add_tenants());
    }
    return call->answer(reply);
}

Result<void> get_tenant(const CallPointer& call, service::Service& service) {
    v1::GetTenantRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_tenant(*call, accounts->get_tenant(call->context(), message.tenant()));
}

Result<void> update_tenant(const CallPointer& call, service::Service& service) {
    v1::UpdateTenantRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    return answer_tenant(*call,
                         accounts->update_tenant(call->context(), message.tenant(), read_settings(message)));
}

Result<void> delete_tenant(const CallPointer& call, service::Service& service) {
    v1::DeleteTenantRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(accounts->delete_tenant(call->context(), message.tenant()));
    return call->answer(v1::DeleteTenantResponse());
}

Result<void> destroy_backup_keys(const CallPointer& call, service::Service& service) {
    v1::DestroyBackupKeysRequest message;
    AKIDB_TRY(begin(*call, service, message));
    AKIDB_TRY(const uint64_t count, service.destroy_backup_keys(call->context(), message.tenant()));
    v1::DestroyBackupKeysResponse reply;
    reply.set_destroyed(count);
    return call->answer(reply);
}

// ---- the audit log ---------------------------------------------------------------------------------------

Result<void> query_audit(const CallPointer& call, service::Service& service) {
    v1::QueryAuditRequest message;
    AKIDB_TRY(Accounts* const accounts, begin(*call, service, message));
    AKIDB_TRY(access::AuditQuery query, read_query(message));
    AKIDB_TRY(const access::AuditPage page, accounts->query_audit(call->context(), std::move(query)));
    v1::QueryAuditResponse reply;
    write_page(page, reply);
    return call->answer(reply);
}

struct Method {
    MethodId id;
    Call::Perform perform;
};
// In the order of the contract, and of MethodId.
constexpr std::array<Method, 22> kMethods{{{MethodId::kSetUp, set_up},
                                           {MethodId::kLogIn, log_in},
                                           {MethodId::kGetChallenge, get_challenge},
                                           {MethodId::kLogOut, log_out},
                                           {MethodId::kWhoAmI, tell_who},
                                           {MethodId::kCreateUser, create_user},
                                           {MethodId::kListUsers, list_users},
                                           {MethodId::kGetUser, get_user},
                                           {MethodId::kUpdateUser, update_user},
                                           {MethodId::kDeleteUser, delete_user},
                                           {MethodId::kCreateKey, create_key},
                                           {MethodId::kListKeys, list_keys},
                                           {MethodId::kGetKey, get_key},
                                           {MethodId::kRevokeKey, revoke_key},
                                           {MethodId::kDeleteKey, delete_key},
                                           {MethodId::kCreateTenant, create_tenant},
                                           {MethodId::kListTenants, list_tenants},
                                           {MethodId::kGetTenant, get_tenant},
                                           {MethodId::kUpdateTenant, update_tenant},
                                           {MethodId::kDeleteTenant, delete_tenant},
                                           {MethodId::kDestroyBackupKeys, destroy_backup_keys},
                                           {MethodId::kQueryAudit, query_audit}}};

/// Does for a table what the generated WithRawCallbackMethod_… do one by one: each would nest in the other.
class AccessService final : public v1::AccessService::Service {
  public:
    explicit AccessService(Calls& calls) {
        const google::protobuf::ServiceDescriptor& contract =
            *v1::LogInRequest::descriptor()->file()->FindServiceByName("AccessService");
        AKIDB_ASSERT(static_cast<size_t>(contract.method_count()) == kMethods.size());
        using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
        for (size_t i = 0; i < kMethods.size(); ++i) {
            const Method method = kMethods[i];
            AKIDB_ASSERT(row_of(method.id).name ==
                         "AccessService/" + contract.method(static_cast<int>(i))->name());
            const auto start = [&calls, method](grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) {
                return Call::start(calls, {context, request, reply},
                                   {method.id, Where::kWorker, method.perform});
            };
            MarkMethodRawCallback(static_cast<int>(i), new Handler(start));
        }
    }
};

}  // namespace

std::unique_ptr<grpc::Service> make_access_service(Calls& calls) {
    return std::make_unique<AccessService>(calls);
}

}  // namespace akidb::rpc
