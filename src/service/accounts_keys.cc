// Keys and tenants.
#include <algorithm>
#include <array>

#include "base/printable.h"
#include "model/collection_spec.h"
#include "model/limits.h"
#include "service/accounts.h"

namespace akidb::service {
namespace {

constexpr uint64_t kDayMs = 86'400'000;

/// A key that sees some documents may do nothing that reaches past them.
constexpr model::ActionSet kUnderARule(model::Action::kCollectionRead, model::Action::kDocumentInsert,
                                       model::Action::kDocumentSearch, model::Action::kDocumentUpdate,
                                       model::Action::kDocumentDelete);

Result<void> validate_key_name(const std::string& name) {
    const bool is_plain = std::none_of(name.begin(), name.end(),
                                       [](char letter) { return static_cast<unsigned char>(letter) < ' '; });
    if (name.empty() || name.size() > model::kCollectionNameBytesMax || !is_plain) {
        return invalid_argument(
            "name", "a key needs a name, to be told apart",
            "1.." + std::to_string(model::kCollectionNameBytesMax) + " bytes without control characters");
    }
    return {};
}

Result<void> validate_patterns(const std::vector<std::string>& patterns) {
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*";
    if (patterns.size() > model::kKeyPatternsMax) {
        return invalid_argument("collections", "too many patterns",
                                "at most " + std::to_string(model::kKeyPatternsMax));
    }
    for (size_t i = 0; i < patterns.size(); ++i) {
        if (patterns[i].empty() || patterns[i].size() > model::kCollectionNameBytesMax ||
            patterns[i].find_first_not_of(kLetters) != std::string::npos) {
            return invalid_argument("collections[" + std::to_string(i) + "]", "this is no pattern of names",
                                    "letters, digits, . _ - and * for any text; 1..128 bytes");
        }
    }
    return {};
}

Result<void> validate_quota(uint64_t per_second) {
    if (per_second > access::kRateCountMax) {
        return invalid_argument("requests_per_second", "the quota is too large",
                                "0 (none) to " + std::to_string(access::kRateCountMax));
    }
    return {};
}

Principal principal_of(const catalog::KeyRow& row, std::shared_ptr<const model::Filter> rule) {
    return {.kind = PrincipalKind::kKey,
            .name = row.name,
            .id = row.id,
            .tenant = row.tenant,
            .role = row.role ? std::string(model::row_of(*row.role).name) : std::string(),
            .actions = row.role ? model::row_of(*row.role).actions : row.actions,
            .collections = row.collections,
            .row_rule = std::move(rule)};
}

Error no_such_key() {
    return Error(Code::kNotFound, "there is no such key").with_field("key");
}

Error no_such_tenant() {
    return Error(Code::kNotFound, "there is no such tenant").with_field("tenant");
}

Result<void> apply(const TenantChange& change, catalog::TenantRow& row) {
    if (change.requests_per_second) {
        AKIDB_TRY(validate_quota(*change.requests_per_second));
    }
    if (change.is_suspended.value_or(false) && row.id == Uuid{}) {
        return invalid_argument("suspended", "the tenant default runs the server and cannot be suspended",
                                "false");
    }
    row.is_suspended = change.is_suspended.value_or(row.is_suspended);
    row.requests_per_second = change.requests_per_second.value_or(row.requests_per_second);
    row.documents_max = change.documents_max.value_or(row.documents_max);
    if (row.documents_max > uint64_t{1} << 48) {
        return invalid_argument("documents_max", "the quota is too large", "0 (none) to 281474976710656");
    }
    return {};
}

}  // namespace

// ---- keys ------------------------------------------------------------------------------------------------

Result<std::shared_ptr<const model::Filter>> Accounts::read_rule(const std::string& json) const {
    if (json.empty()) {
        return std::shared_ptr<const model::Filter>();
    }
    AKIDB_TRY(model::Filter rule, given_.read_filter(json));
    return std::shared_ptr<const model::Filter>(std::make_shared<model::Filter>(std::move(rule)));
}

Result<void> Accounts::read_actions(const RequestContext& context, const NewKey& request,
                                    catalog::KeyRow& row) const {
    if (request.role.empty() == request.actions.empty()) {
        return invalid_argument("role", "a key has either a role or a list of actions",
                                "one of \"role\" and \"actions\"");
    }
    if (!request.role.empty()) {
        AKIDB_TRY(row.role, grantable_role(context, request.role));
        return {};
    }
    for (size_t i = 0; i < request.actions.size(); ++i) {
        const auto action = model::action_from(request.actions[i]);
        if (!action) {
            return invalid_argument("actions[" + std::to_string(i) + "]", "unknown action",
                                    join_names(model::kActionNames));
        }
        row.actions.add(*action);
    }
    return given_.control.check(*context.principal, row.actions);
}

Result<catalog::KeyRow> Accounts::read_new_key(const RequestContext& context, const NewKey& request) const {
    const Principal& asking = *context.principal;
    if (!asking.collections.empty() || asking.row_rule != nullptr) {
        return Error(Code::kPermissionDenied,
                     "a key for some collections or documents cannot make keys that reach further");
    }
    catalog::KeyRow row;
    AKIDB_TRY(validate_key_name(request.name));
    row.name = request.name;
    AKIDB_TRY(const auto tenant, find_tenant(context, request.tenant));
    row.tenant = tenant->row.id;
    AKIDB_TRY(read_actions(context, request, row));
    AKIDB_TRY(validate_patterns(request.collections));
    row.collections = request.collections;
    if (!request.row_rule.empty()) {
        if (request.row_rule.size() > model::kRowRuleBytesMax) {
            return invalid_argument("row_rule", "the row rule is too long",
                                    "at most " + std::to_string(model::kRowRuleBytesMax) + " bytes");
        }
        AKIDB_TRY(read_rule(request.row_rule));
        const model::ActionSet actions = row.role ? model::row_of(*row.role).actions : row.actions;
        if (const auto beyond = kUnderARule.find_missing(actions)) {
            return invalid_argument(
                "row_rule", std::string(model::name_of(*beyond)) + " reaches past the row rule of a key",
                "with actions of document:: and collection::read only");
        }
        row.row_rule = request.row_rule;
    }
    if (request.expires_at_ms != 0 && request.expires_at_ms <= given_.clock.unix_ms()) {
        return invalid_argument("expires_at", "the moment has passed", "a moment to come");
    }
    row.expires_at_ms = request.expires_at_ms;
    AKIDB_TRY(validate_quota(request.requests_per_second));
    row.requests_per_second = request.requests_per_second;
    row.created_by = asking.name;
    row.created_at_ms = given_.clock.unix_ms();
    return row;
}

Result<void> Accounts::put_key(catalog::KeyRow row) {
    AKIDB_TRY(std::shared_ptr<const model::Filter> rule, read_rule(row.row_rule));
    KeyEntry entry{row, std::make_shared<const Principal>(principal_of(row, std::move(rule)))};
    if (const auto before = given_.book.keys.find(row.id)) {
        entry.quota = before->quota;
        entry.used_at_ms = before->used_at_ms;
    } else {
        entry.used_at_ms->store(row.last_used_at_ms);
    }
    entry.ending = Ending::at(row.expires_at_ms, given_.clock);
    given_.book.keys.put(std::move(entry));
    return {};
}

Result<MadeKey> Accounts::create_key(const RequestContext& context, const NewKey& request) {
    if (!given_.control.is_enabled()) {
        return Error(Code::kConflict,
                     "authentication is off, so a key would open nothing: make the first user, an admin, and "
                     "it is on")
            .with_field("name");
    }
    AKIDB_TRY(catalog::KeyRow row, read_new_key(context, request));
    const std::string secret = make_secret(given_.random);
    row.id = new_id();
    row.secret_hash = hash_secret(secret);
    MutexLock lock(changing_);
    if (given_.book.keys.count() >= model::kKeysMax) {
        return Error(Code::kRateLimited, "there are too many keys")
            .with_allowed("at most " + std::to_string(model::kKeysMax));
    }
    AKIDB_TRY(given_.control.write_down(context, model::Action::kKeyCreate,
                                        "key:" + row.id.to_string() + " " + row.name));
    AKIDB_TRY(given_.store.put_key(row));
    AKIDB_TRY(put_key(row));
    return MadeKey{row, write_token(TokenKind::kKey, row.id, secret)};
}

Result<std::shared_ptr<const KeyEntry>> Accounts::find_key(const RequestContext& context,
                                                           std::string_view id) const {
    const auto parsed = Uuid::parse(id);
    const auto found = parsed ? given_.book.keys.find(*parsed) : nullptr;
    if (found == nullptr || !sees(context, found->row.tenant)) {
        return no_such_key();
    }
    return found;
}

namespace {

catalog::KeyRow told(const KeyEntry& entry) {
    catalog::KeyRow row = entry.row;
    row.secret_hash = {};
    row.last_used_at_ms = entry.used_at_ms->load(std::memory_order_relaxed);
    return row;
}

}  // namespace

Result<std::vector<catalog::KeyRow>> Accounts::list_keys(const RequestContext& context) {
    std::vector<catalog::KeyRow> keys;
    for (const auto& key : given_.book.keys.all()) {
        if (sees(context, key->row.tenant)) {
            keys.push_back(told(*key));
        }
    }
    std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return keys;
}

Result<catalog::KeyRow> Accounts::get_key(const RequestContext& context, std::string_view id) {
    AKIDB_TRY(const auto found, find_key(context, id));
    return told(*found);
}

Result<catalog::KeyRow> Accounts::revoke_key(const RequestContext& context, std::string_view id) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto found, find_key(context, id));
    catalog::KeyRow row = found->row;
    row.is_revoked = true;
    AKIDB_TRY(given_.control.write_down(context, model::Action::kKeyUpdate, "key:" + row.id.to_string()));
    AKIDB_TRY(given_.store.put_key(row));
    AKIDB_TRY(put_key(row));
    return told(*given_.book.keys.find(row.id));
}

Result<void> Accounts::delete_key(const RequestContext& context, std::string_view id) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto found, find_key(context, id));
    AKIDB_TRY(
        given_.control.write_down(context, model::Action::kKeyDelete, "key:" + found->row.id.to_string()));
    AKIDB_TRY(given_.store.remove_key(found->row.id));
    given_.book.keys.remove(found->row.id);
    return {};
}

Result<void> Accounts::tend() {
    const uint64_t now_ms = given_.clock.unix_ms();
    AccessControl::Population population;
    std::vector<catalog::KeyUse> uses;
    for (const auto& key : given_.book.keys.all()) {
        const uint64_t at_ms = key->used_at_ms->load(std::memory_order_relaxed);
        const bool is_expired = key->ending.has_come(given_.clock);
        ++(key->row.is_revoked ? population.keys_revoked
           : is_expired        ? population.keys_expired
                               : population.keys_active);
        population.keys_used += at_ms != 0 && at_ms + kDayMs > now_ms ? 1 : 0;
        if (at_ms > key->row.last_used_at_ms) {
            uses.push_back({key->row.id, at_ms});
        }
    }
    MutexLock lock(changing_);
    for (const catalog::KeyUse& use : uses) {
        if (const auto key = given_.book.keys.find(use.id)) {
            KeyEntry next = *key;
            next.row.last_used_at_ms = use.at_ms;
            given_.book.keys.put(std::move(next));
        }
    }
    AKIDB_TRY(end_due_sessions());
    population.sessions = given_.book.sessions.count();
    given_.control.show(population);
    return uses.empty() ? Result<void>() : given_.store.note_key_uses(uses);
}

// ---- tenants ---------------------------------------------------------------------------------------------

std::string Accounts::tenant_name(const Uuid& id) const {
    const auto tenant = given_.book.tenants.find(id);
    return tenant == nullptr ? id.to_string() : tenant->row.name;
}

Result<std::shared_ptr<const TenantEntry>> Accounts::find_tenant(const RequestContext& context,
                                                                 const std::string& name) const {
    const auto found =
        name.empty() ? given_.book.tenants.find(context.principal->tenant) : given_.book.find_tenant(name);
    if (found == nullptr || !sees(context, found->row.id)) {
        return no_such_tenant();
    }
    return found;
}

Result<void> Accounts::put_tenant(const catalog::TenantRow& row) {
    AKIDB_TRY(given_.store.put_tenant(row));
    TenantEntry entry{row};
    const auto before = given_.book.tenants.find(row.id);
    if (before != nullptr && before->row.requests_per_second == row.requests_per_second) {
        entry.quota = before->quota;
    }
    given_.book.tenants.put(std::move(entry));
    given_.book.rename_tenant(row.name, &row);
    return {};
}

Result<catalog::TenantRow> Accounts::create_tenant(const RequestContext& context, const std::string& name,
                                                   const TenantChange& settings) {
    AKIDB_TRY(model::validate_collection_name(name));
    catalog::TenantRow row{.name = name};
    row.id = new_id();
    row.created_at_ms = given_.clock.unix_ms();
    AKIDB_TRY(apply(settings, row));
    MutexLock lock(changing_);
    if (given_.book.tenants.count() >= model::kTenantsMax) {
        return Error(Code::kRateLimited, "there are too many tenants")
            .with_allowed("at most " + std::to_string(model::kTenantsMax));
    }
    if (given_.book.find_tenant(name) != nullptr) {
        return Error(Code::kAlreadyExists, "there is a tenant of this name").with_field("name");
    }
    AKIDB_TRY(given_.control.write_down(context, model::Action::kTenantCreate, "tenant:" + name));
    AKIDB_TRY(put_tenant(row));
    return row;
}

Result<std::vector<catalog::TenantRow>> Accounts::list_tenants(const RequestContext&) {
    std::vector<catalog::TenantRow> rows;
    for (const auto& tenant : given_.book.tenants.all()) {
        rows.push_back(tenant->row);
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return rows;
}

Result<catalog::TenantRow> Accounts::get_tenant(const RequestContext& context, const std::string& name) {
    AKIDB_TRY(const auto found, find_tenant(context, name));
    return found->row;
}

Result<Uuid> Accounts::find_tenant_id(const RequestContext& context, const std::string& tenant) const {
    if (tenant.empty()) {  // which elsewhere is that of who asks
        return no_such_tenant();
    }
    const auto found = find_tenant(context, tenant);
    const std::optional<Uuid> id = found ? std::optional((*found)->row.id) : Uuid::parse(tenant);
    return id && sees(context, *id) ? Result<Uuid>(*id) : no_such_tenant();
}

Result<catalog::TenantRow> Accounts::update_tenant(const RequestContext& context, const std::string& name,
                                                   const TenantChange& change) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto found, find_tenant(context, name));
    catalog::TenantRow row = found->row;
    AKIDB_TRY(apply(change, row));
    AKIDB_TRY(given_.control.write_down(context, model::Action::kTenantUpdate, "tenant:" + name));
    AKIDB_TRY(put_tenant(row));
    return row;
}

Result<void> Accounts::delete_tenant(const RequestContext& context, const std::string& name) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto found, find_tenant(context, name));
    const Uuid id = found->row.id;
    if (id == Uuid{}) {
        return invalid_argument("tenant", "the tenant default runs the server and stays");
    }
    AKIDB_TRY(given_.control.write_down(context, model::Action::kTenantDelete, "tenant:" + name));
    AKIDB_TRY(given_.store.remove_tenant(id));
    given_.book.tenants.remove(id);
    given_.book.rename_tenant(found->row.name, nullptr);
    for (const auto& key : given_.book.keys.all()) {
        if (key->row.tenant == id) {
            given_.book.keys.remove(key->row.id);
        }
    }
    for (const auto& user : given_.book.users.all()) {
        if (user->row.tenant == id) {
            given_.book.users.remove(user->row.id);
            given_.book.rename_user(&user->row, nullptr);
            end_sessions(user->row.id);
        }
    }
    return {};
}

}  // namespace akidb::service
