// Access: what may be done, which role may do it, and what a route asks of who calls it, as plain values. The
// tables below are the only place that knows names; docs/access.md tells the same and a test compares them.
// A row of a table of routes or methods that says nothing of its Access does not compile: Access has no
// default. Immutable, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace akidb::model {

enum class Action : uint8_t {
    kUserCreate,
    kUserRead,
    kUserUpdate,
    kUserDelete,
    kKeyCreate,
    kKeyRead,
    kKeyUpdate,
    kKeyDelete,
    kTenantCreate,
    kTenantRead,
    kTenantUpdate,
    kTenantDelete,
    kDatabaseCreate,
    kDatabaseRead,
    kDatabaseUpdate,
    kDatabaseDelete,
    kCollectionCreate,
    kCollectionRead,
    kCollectionUpdate,
    kCollectionDelete,
    kDocumentInsert,
    kDocumentSearch,
    kDocumentUpdate,
    kDocumentDelete,
    kAuditRead,
    kBackupCreate,
    kBackupRestore,
    kAdminDrain,
    kAdminTiers,
    kAdminConfig,
};
inline constexpr size_t kActionCount = static_cast<size_t>(Action::kAdminConfig) + 1;

inline constexpr std::array<std::string_view, kActionCount> kActionNames{
    "user::create",     "user::read",         "user::update",     "user::delete",       "key::create",
    "key::read",        "key::update",        "key::delete",      "tenant::create",     "tenant::read",
    "tenant::update",   "tenant::delete",     "database::create", "database::read",     "database::update",
    "database::delete", "collection::create", "collection::read", "collection::update", "collection::delete",
    "document::insert", "document::search",   "document::update", "document::delete",   "audit::read",
    "backup::create",   "backup::restore",    "admin::drain",     "admin::tiers",       "admin::config"};

constexpr std::string_view name_of(Action action) {
    return kActionNames[static_cast<size_t>(action)];
}
std::optional<Action> action_from(std::string_view name);

class ActionSet {
  public:
    constexpr ActionSet() = default;
    template <class... Actions>
    constexpr explicit ActionSet(Action first, Actions... more) : bits_((bit(first) | ... | bit(more))) {}

    static constexpr ActionSet all() {
        ActionSet set;
        set.bits_ = (uint64_t{1} << kActionCount) - 1;
        return set;
    }
    constexpr bool is_empty() const { return bits_ == 0; }
    constexpr bool contains(Action action) const { return (bits_ & bit(action)) != 0; }
    constexpr ActionSet& add(Action action) {
        bits_ |= bit(action);
        return *this;
    }
    /// The first of `wanted` that is not here.
    constexpr std::optional<Action> find_missing(ActionSet wanted) const {
        for (size_t i = 0; i < kActionCount; ++i) {
            const auto action = static_cast<Action>(i);
            if (wanted.contains(action) && !contains(action)) {
                return action;
            }
        }
        return std::nullopt;
    }
    friend constexpr bool operator==(ActionSet, ActionSet) = default;

  private:
    static constexpr uint64_t bit(Action action) { return uint64_t{1} << static_cast<unsigned>(action); }

    uint64_t bits_ = 0;
};
static_assert(kActionCount < 64);

enum class Role : uint8_t { kAdmin, kDeveloper, kViewer, kAuditor };

struct RoleRow {
    Role role;
    std::string_view name;
    ActionSet actions;
};

inline constexpr std::array<RoleRow, 4> kRoles{{
    {Role::kAdmin, "admin", ActionSet::all()},
    {Role::kDeveloper, "developer",
     ActionSet(Action::kDatabaseRead, Action::kCollectionCreate, Action::kCollectionRead,
               Action::kCollectionUpdate, Action::kCollectionDelete, Action::kDocumentInsert,
               Action::kDocumentSearch, Action::kDocumentUpdate, Action::kDocumentDelete)},
    {Role::kViewer, "viewer",
     ActionSet(Action::kDatabaseRead, Action::kCollectionRead, Action::kDocumentSearch)},
    {Role::kAuditor, "auditor",
     ActionSet(Action::kDatabaseRead, Action::kCollectionRead, Action::kAuditRead)},
}};

constexpr const RoleRow& row_of(Role role) {
    return kRoles[static_cast<size_t>(role)];
}
std::optional<Role> role_from(std::string_view name);
/// "admin, developer, …", for messages.
std::string role_names();

/// What a route or method asks of who calls it.
class Access {
  public:
    /// Probes, and the way in: nobody is asked who he is.
    static consteval Access everyone() { return {Kind::kEveryone, {}}; }
    /// Whoever shows valid credentials, whatever they allow.
    static consteval Access anyone_known() { return {Kind::kKnown, {}}; }
    template <class... Actions>
    static consteval Access to(Action first, Actions... more) {
        return {Kind::kActions, ActionSet(first, more...)};
    }
    /// The same, within the tenant `default` alone, whose administrators run the server.
    static consteval Access to_operators(Action action) { return {Kind::kOperators, ActionSet(action)}; }

    constexpr bool is_open() const { return kind_ == Kind::kEveryone; }
    constexpr bool is_for_operators() const { return kind_ == Kind::kOperators; }
    constexpr ActionSet actions() const { return actions_; }
    friend constexpr bool operator==(const Access&, const Access&) = default;

  private:
    enum class Kind : uint8_t { kEveryone, kKnown, kActions, kOperators };
    constexpr Access(Kind kind, ActionSet actions) : kind_(kind), actions_(actions) {}

    Kind kind_;
    ActionSet actions_;
};

/// `*` stands for any text, also none; every other letter for itself.
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace akidb::model
