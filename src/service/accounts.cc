#include "service/accounts.h"

#include <algorithm>

#include "model/limits.h"
#include "service/password.h"

namespace akidb::service {
namespace {

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

Error taken_email() {
    return Error(Code::kAlreadyExists, "the tenant has a user of this e-mail").with_field("email");
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
    for (const catalog::SessionRow& row : rows.sessions) {
        if (row.expires_at_ms > given_.clock.unix_ms()) {
            // Idle times are not kept over a restart: it counts as a use.
            book.put_session(begun(row));
        }
    }
    MutexLock lock(changing_);
    for (catalog::KeyRow& row : rows.keys) {
        AKIDB_TRY(put_key(std::move(row)));
    }
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

Result<catalog::UserRow> Accounts::read_new_user(const RequestContext& context,
                                                 const NewUser& request) const {
    AKIDB_TRY(const auto tenant, find_tenant(context, request.tenant));
    AKIDB_TRY(const std::string email, normalised_email(request.email));
    AKIDB_TRY(validate_password(request.password, email));
    AKIDB_TRY(const model::Role role, grantable_role(context, request.role));
    if (given_.book.find_user(tenant->row.id, email) != nullptr) {
        return taken_email();
    }
    return catalog::UserRow{.tenant = tenant->row.id, .email = email, .role = role};
}

void Accounts::create_user(const RequestContext& context, NewUser request, UserDone done) {
    Result<catalog::UserRow> read = read_new_user(context, request);
    if (!read) {
        done(std::move(read).error());
        return;
    }
    given_.hasher.hash(std::move(request.password),
                       [this, context, row = std::move(read).value(),
                        done = std::move(done)](Result<std::string> hash) mutable {
                           if (!hash) {
                               done(std::move(hash).error());
                               return;
                           }
                           row.password_hash = std::move(hash).value();
                           done(finish_new_user(context, std::move(row)));
                       });
}

Result<UserView> Accounts::finish_new_user(const RequestContext& context, catalog::UserRow row) {
    MutexLock lock(changing_);
    if (given_.book.users.count() >= model::kUsersMax) {
        return Error(Code::kRateLimited, "there are too many users")
            .with_allowed("at most " + std::to_string(model::kUsersMax));
    }
    // With the first user authentication begins: somebody must be able to make the second.
    if (given_.book.users.count() == 0 && (row.role != model::Role::kAdmin || row.tenant != Uuid{})) {
        return invalid_argument("role", "the first user administers the server",
                                "admin, in the tenant default");
    }
    row.id = new_id();
    row.created_at_ms = given_.clock.unix_ms();
    AKIDB_TRY(given_.control.write_down(context, model::Action::kUserCreate, "user:" + row.email));
    Result<void> put = put_user(row, nullptr);
    if (!put && put.error().code() == Code::kAlreadyExists) {
        return taken_email();
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

void Accounts::update_user(const RequestContext& context, std::string_view user, UserChange change,
                           UserDone done) {
    const auto check = [&]() -> Result<Uuid> {
        AKIDB_TRY(const auto found, find_user(context, user));
        // Who may change an administrator could become one.
        AKIDB_TRY(given_.control.check(*context.principal, model::row_of(found->row.role).actions));
        if (change.password) {
            AKIDB_TRY(validate_password(*change.password, found->row.email));
        }
        return found->row.id;
    };
    Result<Uuid> id = check();
    if (!id) {
        done(std::move(id).error());
        return;
    }
    if (!change.password) {
        done(finish_change(context, *id, change, {}));
        return;
    }
    std::string password = *change.password;
    given_.hasher.hash(std::move(password), [this, context, id = *id, change = std::move(change),
                                             done = std::move(done)](Result<std::string> hash) {
        done(hash ? finish_change(context, id, change, std::move(hash).value())
                  : Result<UserView>(std::move(hash).error()));
    });
}

Result<UserView> Accounts::finish_change(const RequestContext& context, const Uuid& user,
                                         const UserChange& change, std::string hash) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto now, find_user(context, user.to_string()));
    // While the hash was made he may have become one.
    AKIDB_TRY(given_.control.check(*context.principal, model::row_of(now->row.role).actions));
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
