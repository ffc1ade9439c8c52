#include "rpc/access_codec.h"

#include <array>

#include "model/limits.h"
#include "rpc/moment_codec.h"

namespace akidb::rpc {
namespace {

void write_actions(model::ActionSet from, google::protobuf::RepeatedPtrField<std::string>& to) {
    for (size_t i = 0; i < model::kActionCount; ++i) {
        if (from.contains(static_cast<model::Action>(i))) {
            *to.Add() = model::kActionNames[i];
        }
    }
}

Result<void> read_texts(const google::protobuf::RepeatedPtrField<std::string>& from, const char* field,
                        size_t count_max, std::vector<std::string>& to) {
    if (static_cast<size_t>(from.size()) > count_max) {
        return invalid_argument(field, "the list is too long", "at most " + std::to_string(count_max));
    }
    to.assign(from.begin(), from.end());
    return {};
}

Result<uint64_t> read_moment(const google::protobuf::Timestamp& from, const char* field) {
    AKIDB_TRY(check_known(from));
    Result<uint64_t> moment = model::expiry_of(from.seconds(), from.nanos());
    return moment ? moment : std::move(moment).error().with_field(field);
}

}  // namespace

Result<service::LoginRequest> read_login(const v1::LogInRequest& from) {
    service::LoginRequest request{.email = from.email(),
                                  .password = from.password(),
                                  .proof = from.proof(),
                                  .device_token = from.device_token()};
    if (!from.tenant().empty()) {
        request.tenant = from.tenant();
    }
    return request;
}

Result<service::UserChange> read_change(const v1::UpdateUserRequest& from) {
    service::UserChange change;
    if (from.has_password()) {
        change.password = from.password();
    }
    if (from.has_role()) {
        change.role = from.role();
    }
    if (from.has_status()) {
        change.status = from.status();
    }
    if (!change.password && !change.role && !change.status) {
        return invalid_argument("", "the change says nothing", "password, role, status");
    }
    return change;
}

Result<service::NewKey> read_new_key(const v1::CreateKeyRequest& from) {
    service::NewKey key{.name = from.name(), .role = from.role()};
    AKIDB_TRY(read_texts(from.actions(), "actions", model::kActionCount, key.actions));
    AKIDB_TRY(read_texts(from.collections(), "collections", model::kKeyPatternsMax, key.collections));
    key.row_rule = from.row_rule();
    if (from.has_expires_at()) {
        AKIDB_TRY(key.expires_at_ms, read_moment(from.expires_at(), "expires_at"));
    }
    key.requests_per_second = from.requests_per_second();
    key.tenant = from.tenant();
    return key;
}

Result<access::AuditQuery> read_query(const v1::QueryAuditRequest& from) {
    access::AuditQuery query;
    if (from.has_tenant()) {
        query.tenant = from.tenant();
    }
    if (from.has_actor()) {
        query.actor = from.actor();
    }
    if (from.has_action()) {
        query.action = from.action();
    }
    if (from.has_outcome()) {
        query.outcome = access::parse_audit_outcome(from.outcome());
        if (!query.outcome) {
            return invalid_argument("outcome", "unknown outcome", "allowed, denied, failed");
        }
    }
    if (from.has_from()) {
        AKIDB_TRY(query.from_ms, read_moment(from.from(), "from"));
    }
    if (from.has_to()) {
        AKIDB_TRY(query.to_ms, read_moment(from.to(), "to"));
    }
    if (from.before() != 0) {
        query.before = from.before();
    }
    if (from.limit() > access::kAuditQueryLimitMax) {
        return invalid_argument("limit", "not a whole number in range",
                                "1.." + std::to_string(access::kAuditQueryLimitMax));
    }
    query.limit = from.limit() == 0 ? query.limit : from.limit();
    return query;
}

void write_user(const service::UserView& from, v1::User& to) {
    to.set_id(from.row.id.to_string());
    to.set_email(from.row.email);
    to.set_role(std::string(model::row_of(from.row.role).name));
    to.set_status(std::string(service::name_of(from.row.status)));
    to.set_tenant(from.tenant);
    write_moment(from.row.created_at_ms, *to.mutable_created_at());
}

void write_session(const service::LoginReply& from, const std::string& tenant, v1::Session& to) {
    to.set_token(from.token);
    write_moment(from.expires_at_ms, *to.mutable_expires_at());
    to.set_device_token(from.device_token);
    write_user({from.user, tenant}, *to.mutable_user());
}

void write_principal(const service::Principal& from, const std::string& tenant, v1::WhoAmIResponse& to) {
    constexpr std::array<const char*, 3> kKinds{"operator", "user", "key"};
    to.set_kind(kKinds[static_cast<size_t>(from.kind)]);
    to.set_name(from.name);
    to.set_tenant(tenant);
    to.set_role(from.role);
    write_actions(from.actions, *to.mutable_actions());
    to.mutable_collections()->Assign(from.collections.begin(), from.collections.end());
    to.set_has_row_rule(from.row_rule != nullptr);
}

void write_key(const catalog::KeyRow& from, const std::string& tenant, v1::ApiKey& to) {
    to.set_id(from.id.to_string());
    to.set_name(from.name);
    if (from.role) {
        to.set_role(std::string(model::row_of(*from.role).name));
    } else {
        write_actions(from.actions, *to.mutable_actions());
    }
    to.mutable_collections()->Assign(from.collections.begin(), from.collections.end());
    to.set_row_rule(from.row_rule);
    to.set_tenant(tenant);
    to.set_created_by(from.created_by);
    write_moment(from.created_at_ms, *to.mutable_created_at());
    if (from.expires_at_ms != 0) {
        write_moment(from.expires_at_ms, *to.mutable_expires_at());
    }
    to.set_revoked(from.is_revoked);
    to.set_requests_per_second(from.requests_per_second);
    if (from.last_used_at_ms != 0) {
        write_moment(from.last_used_at_ms, *to.mutable_last_used_at());
    }
}

void write_tenant(const catalog::TenantRow& from, v1::Tenant& to) {
    to.set_id(from.id.to_string());
    to.set_name(from.name);
    to.set_suspended(from.is_suspended);
    to.set_requests_per_second(from.requests_per_second);
    to.set_documents_max(from.documents_max);
    if (from.created_at_ms != 0) {
        write_moment(from.created_at_ms, *to.mutable_created_at());
    }
}

void write_page(const access::AuditPage& from, v1::QueryAuditResponse& to) {
    for (const access::AuditEntry& entry : from.entries) {
        v1::AuditEntry& written = *to.add_entries();
        written.set_sequence(entry.sequence);
        write_moment(entry.unix_ms, *written.mutable_time());
        written.set_actor(entry.actor);
        written.set_tenant(entry.tenant);
        written.set_action(entry.action);
        written.set_resource(entry.resource);
        written.set_outcome(std::string(access::name_of(entry.outcome)));
        written.set_reason(entry.reason);
        written.set_source(entry.source);
        written.set_user_agent(entry.user_agent);
        written.set_request_id(entry.request_id);
    }
    to.set_next_before(from.next_before);
}

}  // namespace akidb::rpc
