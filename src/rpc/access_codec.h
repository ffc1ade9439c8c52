// Messages of AccessService and what they stand for. Strict (message.h). Errors: kInvalidArgument with the
// field, in the words of REST. Pure, thread-safe.
#pragma once

#include <akidb/v1/access.pb.h>

#include <string>

#include "access/audit_log.h"
#include "service/accounts.h"

namespace akidb::rpc {

Result<service::LoginRequest> read_login(const v1::LogInRequest& from);
Result<service::UserChange> read_change(const v1::UpdateUserRequest& from);
Result<service::NewKey> read_new_key(const v1::CreateKeyRequest& from);
/// Of CreateTenantRequest and UpdateTenantRequest, which have the same settings.
template <class Message>
service::TenantChange read_settings(const Message& from) {
    service::TenantChange change;
    if (from.has_suspended()) {
        change.is_suspended = from.suspended();
    }
    if (from.has_requests_per_second()) {
        change.requests_per_second = from.requests_per_second();
    }
    if (from.has_documents_max()) {
        change.documents_max = from.documents_max();
    }
    return change;
}
Result<access::AuditQuery> read_query(const v1::QueryAuditRequest& from);

void write_user(const service::UserView& from, v1::User& to);
void write_session(const service::LoginReply& from, const std::string& tenant, v1::Session& to);
void write_principal(const service::Principal& from, const std::string& tenant, v1::WhoAmIResponse& to);
void write_key(const catalog::KeyRow& from, const std::string& tenant, v1::ApiKey& to);
void write_tenant(const catalog::TenantRow& from, v1::Tenant& to);
void write_page(const access::AuditPage& from, v1::QueryAuditResponse& to);

}  // namespace akidb::rpc
