// Bodies and answers of the routes of accounts: users, keys, tenants, coming and going. Strict
// (json_reader.h). Errors: kInvalidArgument with the path as field. Pure, thread-safe.
#pragma once

#include <string>

#include "rest/json_reader.h"
#include "rest/json_writer.h"
#include "service/accounts.h"

namespace akidb::rest {

struct SetUpBody {
    std::string token;
    service::LoginRequest who;
};
/// {"token","email","password"}.
Result<SetUpBody> read_set_up_body(std::string& body);
struct LoginBody {
    service::LoginRequest who;
    bool wants_cookie = false;
};
/// {"email","password","tenant","proof","device_token","cookie"}.
Result<LoginBody> read_login_body(std::string& body);
/// {"email","tenant","device_token"}.
Result<service::ChallengeRequest> read_challenge_body(std::string& body);
/// {"email","password","role","tenant"}.
Result<service::NewUser> read_new_user_body(std::string& body);
/// {"password","role","status"}, at least one.
Result<service::UserChange> read_user_change_body(std::string& body);
/// {"name","role"|"actions","collections","row_rule","expires_at","requests_per_second","tenant"}.
Result<service::NewKey> read_new_key_body(std::string& body);
/// {"revoked":true}.
Result<void> read_key_change_body(std::string& body);
struct NewTenantBody {
    std::string name;
    service::TenantChange settings;
};
/// {"name","suspended","requests_per_second","documents_max"}.
Result<NewTenantBody> read_new_tenant_body(std::string& body);
Result<service::TenantChange> read_tenant_change_body(std::string& body);

void write_user(JsonWriter& writer, const service::UserView& user);
/// The object is left open for the caller to add to.
void open_key(JsonWriter& writer, const catalog::KeyRow& key, const std::string& tenant);
void write_tenant(JsonWriter& writer, const catalog::TenantRow& tenant);
/// Left open, too.
void open_principal(JsonWriter& writer, const service::Principal& principal, const std::string& tenant);
void write_actions(JsonWriter& writer, model::ActionSet actions);

}  // namespace akidb::rest
