#include "catalog/access_store.h"

#include <algorithm>

#include "base/mutex.h"
#include "catalog/collection_rows.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

template <class Bytes>
Result<Bytes> bytes_of(std::span<const uint8_t> blob, std::string_view what) {
    Bytes bytes{};
    if (blob.size() != bytes.size()) {
        return damaged_row(what);
    }
    std::copy(blob.begin(), blob.end(), bytes.begin());
    return bytes;
}

Result<Uuid> uuid_of(std::span<const uint8_t> blob, std::string_view what) {
    AKIDB_TRY(const auto bytes, bytes_of<decltype(Uuid::bytes)>(blob, what));
    return Uuid{bytes};
}

constexpr char kBetween = '\n';  // stands in no pattern and in no name of an action

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) {
        text.append(text.empty() ? "" : std::string(1, kBetween)).append(item);
    }
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(kBetween));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        items.emplace_back(item);
    }
    return items;
}

std::string text_of(model::ActionSet actions) {
    std::vector<std::string> names;
    for (size_t i = 0; i < model::kActionCount; ++i) {
        if (actions.contains(static_cast<model::Action>(i))) {
            names.emplace_back(model::kActionNames[i]);
        }
    }
    return joined(names);
}

Result<TenantRow> read_tenant(const Statement& row) {
    TenantRow read;
    AKIDB_TRY(read.id, uuid_of(row.blob(0), "tenant"));
    read.name = row.text(1);
    read.is_suspended = row.integer(2) != 0;
    read.created_at_ms = number_at(row, 3);
    read.requests_per_second = number_at(row, 4);
    read.documents_max = number_at(row, 5);
    return read;
}

Result<UserRow> read_user(const Statement& row) {
    UserRow read;
    AKIDB_TRY(read.id, uuid_of(row.blob(0), "user"));
    AKIDB_TRY(read.tenant, uuid_of(row.blob(1), "tenant"));
    read.email = row.text(2);
    read.password_hash = row.text(3);
    const auto role = model::role_from(row.text(4));
    const int64_t status = row.integer(5);
    if (!role || status < 0 || status > static_cast<int64_t>(UserStatus::kDeactivated)) {
        return damaged_row("role or status");
    }
    read.role = *role;
    read.status = static_cast<UserStatus>(status);
    read.created_at_ms = number_at(row, 6);
    return read;
}

Result<SessionRow> read_session(const Statement& row) {
    SessionRow read;
    AKIDB_TRY(read.id, uuid_of(row.blob(0), "session"));
    AKIDB_TRY(read.user, uuid_of(row.blob(1), "user"));
    AKIDB_TRY(read.secret_hash, bytes_of<SecretHash>(row.blob(2), "hash"));
    read.created_at_ms = number_at(row, 3);
    read.expires_at_ms = number_at(row, 4);
    return read;
}

Result<KeyRow> read_key(const Statement& row) {
    KeyRow read;
    AKIDB_TRY(read.id, uuid_of(row.blob(0), "key"));
    AKIDB_TRY(read.tenant, uuid_of(row.blob(1), "tenant"));
    read.name = row.text(2);
    AKIDB_TRY(read.secret_hash, bytes_of<SecretHash>(row.blob(3), "hash"));
    if (!row.text(4).empty()) {
        read.role = model::role_from(row.text(4));
        if (!read.role) {
            return damaged_row("role");
        }
    }
    for (const std::string& name : split(row.text(5))) {
        // An action that this version does not know is one that it has no route for.
        if (const auto action = model::action_from(name)) {
            read.actions.add(*action);
        }
    }
    read.collections = split(row.text(6));
    read.row_rule = row.text(7);
    read.created_by = row.text(8);
    read.created_at_ms = number_at(row, 9);
    read.expires_at_ms = number_at(row, 10);
    read.is_revoked = row.integer(11) != 0;
    read.requests_per_second = number_at(row, 12);
    read.last_used_at_ms = number_at(row, 13);
    return read;
}

class SqliteAccessStore final : public AccessStore {
  public:
    explicit SqliteAccessStore(Connection connection) : connection_(std::move(connection)) {}

    Result<AccessRows> load() override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AccessRows rows;
        AKIDB_TRY(rows.tenants,
                  read_all("SELECT uuid, name, is_suspended, created_at_ms, requests_per_second, "
                           "documents_max FROM tenants ORDER BY name",
                           read_tenant));
        AKIDB_TRY(rows.users,
                  read_all("SELECT users.id, uuid, email, password_hash, role, status, users.created_at_ms "
                           "FROM users JOIN tenants ON tenants.id = users.tenant_id ORDER BY email, uuid",
                           read_user));
        AKIDB_TRY(rows.sessions,
                  read_all("SELECT id, user_id, secret_hash, created_at_ms, expires_at_ms FROM sessions",
                           read_session));
        AKIDB_TRY(
            rows.keys,
            read_all("SELECT api_keys.id, uuid, api_keys.name, secret_hash, role, actions, collections, "
                     "row_rule, created_by, api_keys.created_at_ms, expires_at_ms, is_revoked, "
                     "api_keys.requests_per_second, last_used_at_ms FROM api_keys "
                     "JOIN tenants ON tenants.id = api_keys.tenant_id ORDER BY api_keys.id",
                     read_key));
        return rows;
    }

    Result<void> put_tenant(const TenantRow& row) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(
                Statement put,
                connection.prepare(
                    "INSERT INTO tenants (uuid, name, is_suspended, created_at_ms, requests_per_second, "
                    "documents_max) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET "
                    "name = excluded.name, is_suspended = excluded.is_suspended, "
                    "requests_per_second = excluded.requests_per_second, "
                    "documents_max = excluded.documents_max"));
            AKIDB_TRY(put.bind(row.id.bytes)
                          .bind(row.name)
                          .bind(int64_t{row.is_suspended})
                          .bind(number(row.created_at_ms))
                          .bind(number(row.requests_per_second))
                          .bind(number(row.documents_max))
                          .run());
            AKIDB_TRY(Statement database,
                      connection.prepare("INSERT OR IGNORE INTO databases (tenant_id, name) "
                                         "SELECT id, 'default' FROM tenants WHERE uuid = ?"));
            return database.bind(row.id.bytes).run();
        });
    }

    Result<void> put_user(const UserRow& row) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(
                Statement put,
                connection.prepare(
                    "INSERT INTO users (id, tenant_id, email, password_hash, role, status, created_at_ms) "
                    "SELECT ?, id, ?, ?, ?, ?, ? FROM tenants WHERE uuid = ? "
                    "ON CONFLICT (id) DO UPDATE SET email = excluded.email, "
                    "password_hash = excluded.password_hash, role = excluded.role, "
                    "status = excluded.status"));
            return changing(connection, put.bind(row.id.bytes)
                                            .bind(row.email)
                                            .bind(row.password_hash)
                                            .bind(model::row_of(row.role).name)
                                            .bind(static_cast<int64_t>(row.status))
                                            .bind(number(row.created_at_ms))
                                            .bind(row.tenant.bytes)
                                            .run());
        });
    }

    Result<void> put_session(const SessionRow& row) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement put,
                      connection.prepare(
                          "INSERT INTO sessions (id, user_id, secret_hash, created_at_ms, expires_at_ms) "
                          "SELECT ?, id, ?, ?, ? FROM users WHERE id = ?"));
            return changing(connection, put.bind(row.id.bytes)
                                            .bind(row.secret_hash)
                                            .bind(number(row.created_at_ms))
                                            .bind(number(row.expires_at_ms))
                                            .bind(row.user.bytes)
                                            .run());
        });
    }

    Result<void> put_key(const KeyRow& row) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(
                Statement put,
                connection.prepare(
                    "INSERT INTO api_keys (id, tenant_id, name, secret_hash, role, actions, collections, "
                    "row_rule, created_by, created_at_ms, expires_at_ms, is_revoked, "
                    "requests_per_second, last_used_at_ms) "
                    "SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM tenants WHERE uuid = ? "
                    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
                    "is_revoked = excluded.is_revoked, "
                    "requests_per_second = excluded.requests_per_second"));
            return changing(connection,
                            put.bind(row.id.bytes)
                                .bind(row.name)
                                .bind(row.secret_hash)
                                .bind(row.role ? model::row_of(*row.role).name : std::string_view())
                                .bind(text_of(row.actions))
                                .bind(joined(row.collections))
                                .bind(row.row_rule)
                                .bind(row.created_by)
                                .bind(number(row.created_at_ms))
                                .bind(number(row.expires_at_ms))
                                .bind(int64_t{row.is_revoked})
                                .bind(number(row.requests_per_second))
                                .bind(number(row.last_used_at_ms))
                                .bind(row.tenant.bytes)
                                .run());
        });
    }

    Result<void> remove_tenant(const Uuid& id) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement used,
                      connection.prepare("SELECT 1 FROM collections JOIN databases "
                                         "ON databases.id = collections.database_id JOIN tenants "
                                         "ON tenants.id = databases.tenant_id WHERE uuid = ? LIMIT 1"));
            AKIDB_TRY(const bool is_used, used.bind(id.bytes).step());
            if (is_used) {
                return Error(Code::kConflict, "the tenant has collections: delete them first");
            }
            AKIDB_TRY(remove(connection,
                             "DELETE FROM databases WHERE tenant_id IN "
                             "(SELECT id FROM tenants WHERE uuid = ?)",
                             id));
            return remove(connection, "DELETE FROM tenants WHERE uuid = ?", id);
        });
    }
    Result<void> remove_user(const Uuid& id) override {
        return change(
            [&](Connection& connection) { return remove(connection, "DELETE FROM users WHERE id = ?", id); });
    }
    Result<void> remove_session(const Uuid& id) override {
        return change([&](Connection& connection) {
            return remove(connection, "DELETE FROM sessions WHERE id = ?", id);
        });
    }
    Result<void> remove_key(const Uuid& id) override {
        return change([&](Connection& connection) {
            return remove(connection, "DELETE FROM api_keys WHERE id = ?", id);
        });
    }
    Result<void> remove_expired_sessions(uint64_t now_ms) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement expired, connection.prepare("DELETE FROM sessions WHERE expires_at_ms <= ?"));
            return expired.bind(number(now_ms)).run();
        });
    }

    Result<void> note_key_uses(const std::vector<KeyUse>& uses) override {
        return change([&](Connection& connection) -> Result<void> {
            for (const KeyUse& use : uses) {
                AKIDB_TRY(Statement note,
                          connection.prepare("UPDATE api_keys SET last_used_at_ms = ? WHERE id = ?"));
                AKIDB_TRY(note.bind(number(use.at_ms)).bind(use.id.bytes).run());
            }
            return {};
        });
    }

    Result<void> close() override {
        MutexLock lock(mutex_);
        if (!connection_) {
            return {};
        }
        AKIDB_TRY(connection_->close());
        connection_.reset();
        return {};
    }

  private:
    template <class Row>
    Result<std::vector<Row>> read_all(Sql query, Result<Row> (*read)(const Statement&))
        AKIDB_REQUIRES(mutex_) {
        AKIDB_TRY(Statement rows, connection_->prepare(query));
        std::vector<Row> all;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return all;
            }
            AKIDB_TRY(Row row, read(rows));
            all.push_back(std::move(row));
        }
    }

    /// A statement that selects from what the row belongs to changes nothing without that.
    static Result<void> changing(Connection& connection, Result<void> ran) {
        AKIDB_TRY(std::move(ran));
        if (connection.changes() == 0) {
            return Error(Code::kNotFound, "the tenant or user is not there any more");
        }
        return {};
    }

    static Result<void> remove(Connection& connection, Sql statement, const Uuid& id) {
        AKIDB_TRY(Statement removing, connection.prepare(statement));
        return removing.bind(id.bytes).run();
    }

    Result<void> check_open() const AKIDB_REQUIRES(mutex_) {
        if (!connection_) {
            return Error(Code::kUnavailable, "the catalog is closed");
        }
        return {};
    }

    template <class Body>
    Result<void> change(Body body) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(Transaction transaction, Transaction::begin(*connection_));
        AKIDB_TRY(body(*connection_));
        return transaction.commit();
    }

    Mutex mutex_;
    std::optional<Connection> connection_ AKIDB_GUARDED_BY(mutex_);  // empty once closed
};

}  // namespace

Result<std::unique_ptr<AccessStore>> AccessStore::open(const std::string& path) {
    auto connection = Connection::open(path);
    if (!connection) {
        return std::move(connection).error().with_context("catalog");
    }
    return std::unique_ptr<AccessStore>(std::make_unique<SqliteAccessStore>(std::move(connection).value()));
}

}  // namespace akidb::catalog
