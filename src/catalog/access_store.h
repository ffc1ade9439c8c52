// AccessStore: who may reach what, in the catalog's file: tenants, users, their sessions, API keys. Of
// secrets only hashes are here. Read whole at a start, then written only; never asked during a request. Every
// call is one transaction, durable at return. Thread-safe (a connection of its own under a mutex).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/access.h"

namespace akidb::catalog {

/// SHA-256 of a secret of 256 random bits, which needs nothing slower.
using SecretHash = std::array<uint8_t, 32>;

struct TenantRow {
    Uuid id;  // all zeros: "default", which is always there
    std::string name;
    bool is_suspended = false;
    uint64_t created_at_ms = 0;
    uint64_t requests_per_second = 0;  // 0: no limit
    uint64_t documents_max = 0;        // 0: no limit
};

enum class UserStatus : uint8_t { kActive = 0, kSuspended = 1, kDeactivated = 2 };

struct UserRow {
    Uuid id;
    Uuid tenant;
    std::string email;
    std::string password_hash;
    model::Role role = model::Role::kViewer;
    UserStatus status = UserStatus::kActive;
    uint64_t created_at_ms = 0;
};

struct SessionRow {
    Uuid id;
    Uuid user;
    SecretHash secret_hash{};
    uint64_t created_at_ms = 0;
    uint64_t expires_at_ms = 0;
};

struct KeyRow {
    Uuid id;
    Uuid tenant;
    std::string name;
    SecretHash secret_hash{};
    std::optional<model::Role> role{};     // either this, or
    model::ActionSet actions{};            // these
    std::vector<std::string> collections;  // patterns; empty: all
    std::string row_rule;                  // a filter as JSON; empty: none
    std::string created_by;
    uint64_t created_at_ms = 0;
    uint64_t expires_at_ms = 0;  // 0: never
    bool is_revoked = false;
    uint64_t requests_per_second = 0;  // 0: no limit
    uint64_t last_used_at_ms = 0;      // 0: never
};

struct AccessRows {
    std::vector<TenantRow> tenants;
    std::vector<UserRow> users;
    std::vector<SessionRow> sessions;
    std::vector<KeyRow> keys;
};

struct KeyUse {
    Uuid id;
    uint64_t at_ms = 0;
};

class AccessStore {
  public:
    /// Of a file that Catalog::open has brought to its newest version.
    static Result<std::unique_ptr<AccessStore>> open(const std::string& path);
    virtual ~AccessStore() = default;

    virtual Result<AccessRows> load() = 0;
    /// Makes or replaces; of what is there, id, tenant and moment of making stay. kAlreadyExists when the
    /// name or e-mail is taken, kNotFound when the tenant or user that it belongs to is not there.
    virtual Result<void> put_tenant(const TenantRow& row) = 0;
    virtual Result<void> put_user(const UserRow& row) = 0;
    virtual Result<void> put_session(const SessionRow& row) = 0;
    virtual Result<void> put_key(const KeyRow& row) = 0;
    /// Success when it is not there. A tenant takes its users and keys along, a user the sessions; kConflict
    /// for a tenant that has collections.
    virtual Result<void> remove_tenant(const Uuid& id) = 0;
    virtual Result<void> remove_user(const Uuid& id) = 0;
    virtual Result<void> remove_session(const Uuid& id) = 0;
    virtual Result<void> remove_key(const Uuid& id) = 0;
    /// Sessions that ended before this moment.
    virtual Result<void> remove_expired_sessions(uint64_t now_ms) = 0;
    virtual Result<void> note_key_uses(const std::vector<KeyUse>& uses) = 0;
    virtual Result<void> close() = 0;
};

}  // namespace akidb::catalog
