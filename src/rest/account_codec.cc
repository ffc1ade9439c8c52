#include "rest/account_codec.h"

#include <array>
#include <limits>

#include "model/limits.h"
#include "model/moment.h"
#include "rest/answer_codec.h"
#include "rest/field_readers.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 3> kSetUpNames{"token", "email", "password"};
constexpr std::array<std::string_view, 6> kLoginNames{"email", "password",     "tenant",
                                                      "proof", "device_token", "cookie"};
constexpr std::array<std::string_view, 3> kChallengeNames{"email", "tenant", "device_token"};
constexpr std::array<std::string_view, 4> kNewUserNames{"email", "password", "role", "tenant"};
constexpr std::array<std::string_view, 3> kUserChangeNames{"password", "role", "status"};
constexpr std::array<std::string_view, 8> kNewKeyNames{
    "name", "role", "actions", "collections", "row_rule", "expires_at", "requests_per_second", "tenant"};
constexpr std::array<std::string_view, 1> kKeyChangeNames{"revoked"};
constexpr std::array<std::string_view, 4> kNewTenantNames{"name", "suspended", "requests_per_second",
                                                          "documents_max"};

Result<void> read_text(JsonReader& reader, std::string& text) {
    AKIDB_TRY(text, reader.read_string());
    return {};
}

Result<void> read_texts(JsonReader& reader, size_t items_max, std::vector<std::string>& texts) {
    return reader.read_array(items_max, [&](size_t) -> Result<void> {
        AKIDB_TRY(const std::string_view text, reader.read_string());
        texts.emplace_back(text);
        return {};
    });
}

Result<void> read_moment(JsonReader& reader, uint64_t& unix_ms) {
    AKIDB_TRY(const std::string_view text, reader.read_string());
    const std::optional<int64_t> moment = model::parse_moment(text);
    if (!moment || *moment <= 0) {
        return reader.error("this is no moment after 1970", "an RFC 3339 time, as 2030-01-31T12:00:00Z");
    }
    unix_ms = static_cast<uint64_t>(*moment) / 1000;
    return {};
}

/// Members of a tenant by their place in kNewTenantNames, from 1 on.
Result<void> read_tenant_setting(JsonReader& reader, size_t which, service::TenantChange& change) {
    if (which == 1) {
        AKIDB_TRY(change.is_suspended, reader.read_bool());
        return {};
    }
    AKIDB_TRY((which == 2 ? change.requests_per_second : change.documents_max),
              reader.read_uint(0, std::numeric_limits<int64_t>::max()));
    return {};
}

void write_texts(JsonWriter& writer, const std::vector<std::string>& texts) {
    writer.begin_array();
    for (const std::string& text : texts) {
        writer.value(std::string_view(text));
    }
    writer.end_array();
}

}  // namespace

Result<SetUpBody> read_set_up_body(std::string& body) {
    SetUpBody read;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kSetUpNames, [&](size_t which) {
        return read_text(reader, which == 0 ? read.token : which == 1 ? read.who.email : read.who.password);
    }));
    return read;
}

Result<LoginBody> read_login_body(std::string& body) {
    LoginBody read;
    JsonReader reader(body);
    const std::array<std::string*, 5> places{&read.who.email, &read.who.password, &read.who.tenant,
                                             &read.who.proof, &read.who.device_token};
    AKIDB_TRY(reader.read_body(kLoginNames, [&](size_t which) -> Result<void> {
        if (which < places.size()) {
            return read_text(reader, *places[which]);
        }
        AKIDB_TRY(read.wants_cookie, reader.read_bool());
        return {};
    }));
    return read;
}

Result<service::ChallengeRequest> read_challenge_body(std::string& body) {
    service::ChallengeRequest read;
    const std::array<std::string*, 3> places{&read.email, &read.tenant, &read.device_token};
    JsonReader reader(body);
    AKIDB_TRY(
        reader.read_body(kChallengeNames, [&](size_t which) { return read_text(reader, *places[which]); }));
    if (read.email.empty()) {
        return missing("email", "the e-mail that will log in");
    }
    return read;
}

Result<service::NewUser> read_new_user_body(std::string& body) {
    service::NewUser read;
    const std::array<std::string*, 4> places{&read.email, &read.password, &read.role, &read.tenant};
    JsonReader reader(body);
    AKIDB_TRY(
        reader.read_body(kNewUserNames, [&](size_t which) { return read_text(reader, *places[which]); }));
    if (read.role.empty()) {
        return missing("role", model::role_names());
    }
    return read;
}

Result<service::UserChange> read_user_change_body(std::string& body) {
    service::UserChange read;
    const std::array<std::optional<std::string>*, 3> places{&read.password, &read.role, &read.status};
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kUserChangeNames,
                               [&](size_t which) { return read_text(reader, places[which]->emplace()); }));
    if (!read.password && !read.role && !read.status) {
        return invalid_argument("", "the change says nothing", "password, role, status");
    }
    return read;
}

Result<service::NewKey> read_new_key_body(std::string& body) {
    service::NewKey read;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kNewKeyNames, [&](size_t which) -> Result<void> {
        switch (which) {
            case 0:
                return read_text(reader, read.name);
            case 1:
                return read_text(reader, read.role);
            case 2:
                return read_texts(reader, model::kActionCount, read.actions);
            case 3:
                return read_texts(reader, model::kKeyPatternsMax, read.collections);
            case 4: {
                AKIDB_TRY(const std::string_view raw, reader.read_raw_object());
                read.row_rule = raw;
                return {};
            }
            case 5:
                return read_moment(reader, read.expires_at_ms);
            case 6: {
                AKIDB_TRY(read.requests_per_second, reader.read_uint(0, std::numeric_limits<int64_t>::max()));
                return {};
            }
            default:
                return read_text(reader, read.tenant);
        }
    }));
    return read;
}

Result<void> read_key_change_body(std::string& body) {
    bool is_revoked = false;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kKeyChangeNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(is_revoked, reader.read_bool());
        return {};
    }));
    if (!is_revoked) {
        return invalid_argument("revoked", "a key can be revoked, which is for good", "true");
    }
    return {};
}

Result<NewTenantBody> read_new_tenant_body(std::string& body) {
    NewTenantBody read;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kNewTenantNames, [&](size_t which) {
        return which == 0 ? read_text(reader, read.name) : read_tenant_setting(reader, which, read.settings);
    }));
    if (read.name.empty()) {
        return missing("name", "letters, digits, . _ -");
    }
    return read;
}

Result<service::TenantChange> read_tenant_change_body(std::string& body) {
    service::TenantChange read;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(std::span(kNewTenantNames).subspan(1),
                               [&](size_t which) { return read_tenant_setting(reader, which + 1, read); }));
    return read;
}

// ---- answers ---------------------------------------------------------------------------------------------

void write_user(JsonWriter& writer, const service::UserView& user) {
    writer.begin_object()
        .member("id", user.row.id.to_string())
        .member("email", user.row.email)
        .member("role", model::row_of(user.row.role).name)
        .member("status", service::name_of(user.row.status))
        .member("tenant", user.tenant)
        .member("created_at", model::rfc3339(user.row.created_at_ms))
        .end_object();
}

void write_actions(JsonWriter& writer, model::ActionSet actions) {
    writer.begin_array();
    for (size_t i = 0; i < model::kActionCount; ++i) {
        if (actions.contains(static_cast<model::Action>(i))) {
            writer.value(model::kActionNames[i]);
        }
    }
    writer.end_array();
}

void open_key(JsonWriter& writer, const catalog::KeyRow& key, const std::string& tenant) {
    writer.begin_object().member("id", key.id.to_string()).member("name", key.name);
    if (key.role) {
        writer.member("role", model::row_of(*key.role).name);
    } else {
        write_actions(writer.key("actions"), key.actions);
    }
    write_texts(writer.key("collections"), key.collections);
    if (!key.row_rule.empty()) {
        writer.key("row_rule").raw(key.row_rule);
    }
    writer.member("tenant", tenant).member("created_by", key.created_by);
    writer.member("created_at", model::rfc3339(key.created_at_ms));
    if (key.expires_at_ms != 0) {
        writer.member("expires_at", model::rfc3339(key.expires_at_ms));
    }
    writer.member("revoked", key.is_revoked);
    if (key.requests_per_second != 0) {
        writer.member("requests_per_second", key.requests_per_second);
    }
    if (key.last_used_at_ms != 0) {
        writer.member("last_used_at", model::rfc3339(key.last_used_at_ms));
    }
}

void write_tenant(JsonWriter& writer, const catalog::TenantRow& tenant) {
    writer.begin_object()
        .member("id", tenant.id.to_string())
        .member("name", tenant.name)
        .member("suspended", tenant.is_suspended)
        .member("requests_per_second", tenant.requests_per_second)
        .member("documents_max", tenant.documents_max);
    if (tenant.created_at_ms != 0) {
        writer.member("created_at", model::rfc3339(tenant.created_at_ms));
    }
    writer.end_object();
}

void open_principal(JsonWriter& writer, const service::Principal& principal, const std::string& tenant) {
    constexpr std::array<std::string_view, 3> kKinds{"operator", "user", "key"};
    writer.begin_object()
        .member("kind", kKinds[static_cast<size_t>(principal.kind)])
        .member("name", principal.name)
        .member("tenant", tenant);
    if (!principal.role.empty()) {
        writer.member("role", principal.role);
    }
    write_actions(writer.key("actions"), principal.actions);
    write_texts(writer.key("collections"), principal.collections);
    writer.member("has_row_rule", principal.row_rule != nullptr);
}

}  // namespace akidb::rest
