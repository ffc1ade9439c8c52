#include "catalog/schema.h"

#include <array>
#include <string>

#include "catalog/stored_version.h"

namespace akidb::catalog {
namespace {

// migrations[i] leads from version i to i + 1 and says so in its last statement.
constexpr std::array<Sql, 9> kMigrations{
    R"sql(
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
) STRICT;
CREATE TABLE databases (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    UNIQUE (tenant_id, name)
) STRICT;
CREATE TABLE collections (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    database_id INTEGER NOT NULL REFERENCES databases (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    dimension INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 4294967295),
    metric TEXT NOT NULL CHECK (metric IN ('cosine', 'dot', 'l2')),
    created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2)
) STRICT;
-- A name is free again as soon as its collection is being deleted (state 2).
CREATE UNIQUE INDEX collections_by_name ON collections (database_id, name) WHERE state <> 2;
INSERT INTO tenants (id, name) VALUES (1, 'default');
INSERT INTO databases (id, tenant_id, name) VALUES (1, 1, 'default');
PRAGMA application_id = 0x414b4442;
PRAGMA user_version = 1;
)sql",
    R"sql(
CREATE TABLE metadata_indexes (
    collection_id BLOB NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    field TEXT NOT NULL CHECK (length(field) >= 1),
    type TEXT NOT NULL CHECK (type IN ('keyword', 'integer', 'float', 'bool', 'datetime', 'uuid')),
    PRIMARY KEY (collection_id, field)
) STRICT;
PRAGMA user_version = 2;
)sql",
    R"sql(
CREATE TABLE aliases (
    database_id INTEGER NOT NULL REFERENCES databases (id),
    alias TEXT NOT NULL CHECK (length(alias) BETWEEN 1 AND 128),
    collection_id BLOB NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    PRIMARY KEY (database_id, alias)
) STRICT;
CREATE INDEX aliases_by_collection ON aliases (collection_id);
PRAGMA user_version = 3;
)sql",
    // The first tenant's id is all zeros: what was made before there were tenants is its own.
    R"sql(
ALTER TABLE tenants ADD COLUMN uuid BLOB NOT NULL DEFAULT x'00000000000000000000000000000000'
    CHECK (length(uuid) = 16);
ALTER TABLE tenants ADD COLUMN is_suspended INTEGER NOT NULL DEFAULT 0 CHECK (is_suspended IN (0, 1));
ALTER TABLE tenants ADD COLUMN created_at_ms INTEGER NOT NULL DEFAULT 0 CHECK (created_at_ms >= 0);
ALTER TABLE tenants ADD COLUMN requests_per_second INTEGER NOT NULL DEFAULT 0 CHECK (requests_per_second >= 0);
ALTER TABLE tenants ADD COLUMN documents_max INTEGER NOT NULL DEFAULT 0 CHECK (documents_max >= 0);
CREATE UNIQUE INDEX tenants_by_uuid ON tenants (uuid);
CREATE TABLE users (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    tenant_id INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    password_hash TEXT NOT NULL CHECK (length(password_hash) >= 1),
    role TEXT NOT NULL CHECK (role IN ('admin', 'developer', 'viewer', 'auditor')),
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),
    created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
    UNIQUE (tenant_id, email)
) STRICT;
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
    created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
    expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms >= 0)
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE TABLE api_keys (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    tenant_id INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
    role TEXT NOT NULL CHECK (role IN ('', 'admin', 'developer', 'viewer', 'auditor')),
    actions TEXT NOT NULL,
    collections TEXT NOT NULL,
    row_rule TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
    expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms >= 0),
    is_revoked INTEGER NOT NULL CHECK (is_revoked IN (0, 1)),
    requests_per_second INTEGER NOT NULL CHECK (requests_per_second >= 0),
    last_used_at_ms INTEGER NOT NULL CHECK (last_used_at_ms >= 0)
) STRICT;
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id);
PRAGMA user_version = 4;
)sql",
    R"sql(
CREATE TABLE collection_settings (
    collection_id BLOB NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name IN ('ef', 'recall_target', 'layout')),
    value INTEGER NOT NULL CHECK (value >= 0),
    PRIMARY KEY (collection_id, name)
) STRICT;
PRAGMA user_version = 5;
)sql",
    R"sql(
ALTER TABLE collections ADD COLUMN storage TEXT NOT NULL DEFAULT 'f32'
    CHECK (storage IN ('f32', 'f16', 'int8'));
PRAGMA user_version = 6;
)sql",
    // What a collection left in an object store is removed from there however its row goes: by its deletion,
    // by that of its tenant, by a start that finishes what a crash left.
    R"sql(
CREATE TABLE collection_tiers (
    collection_id BLOB PRIMARY KEY NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    policy TEXT NOT NULL CHECK (policy IN ('memory', 'memory_s3', 's3_only')),
    tier TEXT NOT NULL CHECK (tier IN ('hot', 'warm', 'cold')),
    is_pinned INTEGER NOT NULL CHECK (is_pinned IN (0, 1)),
    copy_id BLOB NOT NULL CHECK (length(copy_id) = 16),
    place TEXT NOT NULL,
    copied_version INTEGER NOT NULL CHECK (copied_version >= 0),
    settled_version INTEGER NOT NULL CHECK (settled_version >= 0),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    documents INTEGER NOT NULL CHECK (documents >= 0),
    documents_hash INTEGER NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE TABLE tier_tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('upload', 'remove')),
    collection_id BLOB NOT NULL CHECK (length(collection_id) = 16),
    copy_id BLOB NOT NULL CHECK (length(copy_id) = 16),
    place TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    is_dead INTEGER NOT NULL CHECK (is_dead IN (0, 1)),
    error TEXT NOT NULL,
    queued_at_ms INTEGER NOT NULL CHECK (queued_at_ms >= 0),
    not_before_ms INTEGER NOT NULL CHECK (not_before_ms >= 0),
    UNIQUE (kind, copy_id)
) STRICT;
CREATE TRIGGER collection_leaves_its_copy AFTER DELETE ON collection_tiers
WHEN OLD.copy_id <> x'00000000000000000000000000000000' BEGIN
    DELETE FROM tier_tasks WHERE kind = 'upload' AND copy_id = OLD.copy_id;
    INSERT OR IGNORE INTO tier_tasks (kind, collection_id, copy_id, place, bytes, tries, is_dead, error,
                                      queued_at_ms, not_before_ms)
    VALUES ('remove', OLD.collection_id, OLD.copy_id, OLD.place, OLD.bytes, 0, 0, '',
            CAST(strftime('%s', 'now') AS INTEGER) * 1000, 0);
END;
PRAGMA user_version = 7;
)sql",
    // Where all vectors have names, dimension, metric and storage in `collections` say nothing.
    R"sql(
ALTER TABLE collections ADD COLUMN has_unnamed_vector INTEGER NOT NULL DEFAULT 1
    CHECK (has_unnamed_vector IN (0, 1));
CREATE TABLE collection_vectors (
    collection_id BLOB NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    place INTEGER NOT NULL CHECK (place >= 0),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    dimension INTEGER NOT NULL CHECK (dimension >= 1),
    metric TEXT NOT NULL CHECK (metric IN ('cosine', 'dot', 'l2')),
    storage TEXT NOT NULL CHECK (storage IN ('f32', 'f16', 'int8')),
    PRIMARY KEY (collection_id, place),
    UNIQUE (collection_id, name)
) STRICT;
PRAGMA user_version = 8;
)sql",
    // No row of a collection is named: what was sent outlives it, until it is removed.
    R"sql(
CREATE TABLE tier_objects (
    copy_id BLOB NOT NULL CHECK (length(copy_id) = 16),
    name TEXT NOT NULL CHECK (length(name) >= 1),
    PRIMARY KEY (copy_id, name)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 9;
)sql"};

Result<void> check_whole(Connection& connection) {
    AKIDB_TRY(Statement check, connection.prepare("PRAGMA quick_check(1)"));
    AKIDB_TRY(const bool has_row, check.step());
    if (!has_row || check.text(0) != "ok") {
        return Error(Code::kDataLoss, "quick_check: " + std::string(check.text(0)));
    }
    return {};
}

Result<void> check_ours(Connection& connection) {
    AKIDB_TRY(const int64_t application, connection.number("PRAGMA application_id"));
    AKIDB_TRY(const int64_t tables, connection.number("SELECT count(*) FROM sqlite_schema"));
    AKIDB_TRY(const int64_t version, connection.number("PRAGMA user_version"));
    const bool is_new = application == 0 && tables == 0 && version == 0;
    if (!is_new && application != kApplicationId) {
        return Error(Code::kConflict, "the file is an SQLite database of another program");
    }
    if (version < 0 || version > newest_version()) {
        return Error(Code::kConflict, "the catalog has version " + std::to_string(version) +
                                          " and was made by a newer AkiDB; this one reads up to version " +
                                          std::to_string(newest_version()));
    }
    return {};
}

Result<void> turn_on_write_ahead_log(Connection& connection) {
    AKIDB_TRY(Statement mode, connection.prepare("PRAGMA journal_mode = WAL"));
    AKIDB_TRY(const bool has_row, mode.step());
    // SQLite answers with the mode it is in, and no error, when the file system cannot do it.
    if (!has_row || mode.text(0) != "wal") {
        return Error(Code::kInternal, "the file system does not allow SQLite's WAL mode");
    }
    return {};
}

}  // namespace

int64_t newest_version() {
    return static_cast<int64_t>(kMigrations.size());
}

Result<void> check_and_migrate(Connection& connection) {
    AKIDB_TRY(check_whole(connection));
    AKIDB_TRY(check_ours(connection));
    AKIDB_TRY(turn_on_write_ahead_log(connection));
    AKIDB_TRY(const int64_t version, connection.number("PRAGMA user_version"));
    for (auto next = static_cast<size_t>(version); next < kMigrations.size(); ++next) {
        AKIDB_TRY(Transaction transaction, Transaction::begin(connection));
        AKIDB_TRY(connection.execute(kMigrations[next]));
        AKIDB_TRY(transaction.commit());
    }
    return {};
}

}  // namespace akidb::catalog
