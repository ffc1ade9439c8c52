#include "catalog/catalog.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/mutex.h"
#include "catalog/collection_rows.h"
#include "catalog/schema.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

constexpr double kRecallScale = 1e6;  // a recall target is kept as a whole number of millionths

class SqliteCatalog final : public Catalog {
  public:
    explicit SqliteCatalog(Connection connection) : connection_(std::move(connection)) {}

    Result<void> insert_collection(const model::CollectionSpec& spec, const Uuid& tenant) override {
        if (spec.created_at_ms > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
            return invalid_argument("created_at_ms", "is too far in the future", "0..9223372036854775807");
        }
        Result<void> inserted = change([&](Connection& to) { return insert(to, spec, tenant); });
        if (!inserted && inserted.error().code() == Code::kAlreadyExists) {
            return Error(Code::kAlreadyExists, "a collection or alias named " + spec.name + " exists")
                .with_field("name");
        }
        return inserted;
    }

    Result<void> set_collection_state(const Uuid& id, CollectionState state) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement update, connection.prepare("UPDATE collections SET state = ? WHERE id = ?"));
            AKIDB_TRY(update.bind(static_cast<int64_t>(state)).bind(id.bytes).run());
            if (connection.changes() == 0) {
                return Error(Code::kNotFound, "the catalog has no collection " + id.to_string());
            }
            if (state != CollectionState::kDeleting) {
                return {};
            }
            AKIDB_TRY(Statement names, connection.prepare("DELETE FROM aliases WHERE collection_id = ?"));
            return names.bind(id.bytes).run();
        });
    }

    Result<void> change_aliases(const std::vector<AliasChange>& changes, const Uuid& tenant) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(const int64_t database, database_of(connection, tenant));
            for (const AliasChange& one : changes) {
                AKIDB_TRY(one.collection ? put_alias(connection, one.alias, *one.collection, database)
                                         : remove_alias(connection, one.alias, database));
            }
            return {};
        });
    }

    Result<std::vector<AliasRow>> list_aliases() override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(
            Statement rows,
            connection_->prepare("SELECT alias, collection_id, uuid FROM aliases "
                                 "JOIN databases ON databases.id = aliases.database_id "
                                 "JOIN tenants ON tenants.id = databases.tenant_id ORDER BY alias, uuid"));
        std::vector<AliasRow> aliases;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return aliases;
            }
            AliasRow& row = aliases.emplace_back(AliasRow{std::string(rows.text(0)), {}});
            const std::span<const uint8_t> id = rows.blob(1);
            const std::span<const uint8_t> tenant = rows.blob(2);
            if (id.size() != row.collection.bytes.size() || tenant.size() != row.tenant.bytes.size()) {
                return damaged_row("alias");
            }
            std::copy(id.begin(), id.end(), row.collection.bytes.begin());
            std::copy(tenant.begin(), tenant.end(), row.tenant.bytes.begin());
        }
    }

    Result<void> remove_collection(const Uuid& id) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement remove, connection.prepare("DELETE FROM collections WHERE id = ?"));
            return remove.bind(id.bytes).run();
        });
    }

    Result<std::vector<CollectionRow>> list_collections() override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(
            Statement rows,
            connection_->prepare(
                "SELECT collections.id, collections.name, dimension, metric, collections.created_at_ms, "
                "state, uuid, storage, has_unnamed_vector FROM collections "
                "JOIN databases ON databases.id = collections.database_id "
                "JOIN tenants ON tenants.id = databases.tenant_id "
                "ORDER BY collections.name, collections.created_at_ms, collections.id"));
        std::vector<CollectionRow> collections;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return collections;
            }
            AKIDB_TRY(CollectionRow row, read_row(rows));
            AKIDB_TRY(row.spec.metadata_indexes, metadata_indexes(row.spec.id));
            AKIDB_TRY(row.spec.settings, settings(row.spec.id));
            AKIDB_TRY(row.spec.vectors, read_vectors(*connection_, row.spec.id));
            collections.push_back(std::move(row));
        }
    }

    Result<void> put_metadata_index(const Uuid& collection, const model::MetadataField& field) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement found, connection.prepare("SELECT 1 FROM collections WHERE id = ?"));
            AKIDB_TRY(const bool is_there, found.bind(collection.bytes).step());
            if (!is_there) {
                return Error(Code::kNotFound, "the catalog has no collection " + collection.to_string());
            }
            return put(connection, collection, field);
        });
    }

    Result<void> remove_metadata_index(const Uuid& collection, const std::string& key) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement remove, connection.prepare("DELETE FROM metadata_indexes "
                                                           "WHERE collection_id = ? AND field = ?"));
            return remove.bind(collection.bytes).bind(key).run();
        });
    }

    Result<void> change_collection(const model::CollectionSpec& spec) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement found, connection.prepare("SELECT 1 FROM collections WHERE id = ?"));
            AKIDB_TRY(const bool is_there, found.bind(spec.id.bytes).step());
            if (!is_there) {
                return Error(Code::kNotFound, "the catalog has no collection " + spec.id.to_string());
            }
            AKIDB_TRY(Statement indexes,
                      connection.prepare("DELETE FROM metadata_indexes WHERE collection_id = ?"));
            AKIDB_TRY(indexes.bind(spec.id.bytes).run());
            for (const model::MetadataField& field : spec.metadata_indexes) {
                AKIDB_TRY(put(connection, spec.id, field));
            }
            AKIDB_TRY(Statement old,
                      connection.prepare("DELETE FROM collection_settings WHERE collection_id = ?"));
            AKIDB_TRY(old.bind(spec.id.bytes).run());
            return put_settings(connection, spec);
        });
    }

    Result<void> copy_to(const std::string& path) override {
        MutexLock lock(mutex_);
        return connection_ ? connection_->copy_to(path) : Error(Code::kUnavailable, "the catalog is closed");
    }

    Result<void> close() override {
        MutexLock lock(mutex_);
        if (connection_) {
            AKIDB_TRY(connection_->close());
            connection_.reset();
        }
        return {};
    }

  private:
    static Result<bool> has(Connection& connection, Sql query, std::string_view name, int64_t database) {
        AKIDB_TRY(Statement found, connection.prepare(query));
        return found.bind(name).bind(database).step();
    }

    /// Each tenant has one.
    static Result<int64_t> database_of(Connection& connection, const Uuid& tenant) {
        AKIDB_TRY(Statement found, connection.prepare("SELECT databases.id FROM databases JOIN tenants "
                                                      "ON tenants.id = databases.tenant_id WHERE uuid = ?"));
        AKIDB_TRY(const bool is_there, found.bind(tenant.bytes).step());
        if (!is_there) {
            return Error(Code::kNotFound, "the catalog has no tenant " + tenant.to_string());
        }
        return found.integer(0);
    }

    static Result<void> put_alias(Connection& connection, const std::string& alias, const Uuid& collection,
                                  int64_t database) {
        AKIDB_TRY(
            const bool is_taken,
            has(connection, "SELECT 1 FROM collections WHERE name = ? AND database_id = ? AND state <> 2",
                alias, database));
        if (is_taken) {
            return Error(Code::kAlreadyExists, "a collection named " + alias + " exists").with_field("alias");
        }
        AKIDB_TRY(
            Statement found,
            connection.prepare("SELECT 1 FROM collections WHERE id = ? AND database_id = ? AND state = 1"));
        AKIDB_TRY(const bool is_active, found.bind(collection.bytes).bind(database).step());
        if (!is_active) {
            return Error(Code::kNotFound, "the catalog has no collection " + collection.to_string());
        }
        AKIDB_TRY(Statement insert,
                  connection.prepare("INSERT INTO aliases (database_id, alias, collection_id) "
                                     "VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
                                     "collection_id = excluded.collection_id"));
        return insert.bind(database).bind(alias).bind(collection.bytes).run();
    }

    static Result<void> remove_alias(Connection& connection, const std::string& alias, int64_t database) {
        AKIDB_TRY(Statement remove,
                  connection.prepare("DELETE FROM aliases WHERE alias = ? AND database_id = ?"));
        return remove.bind(alias).bind(database).run();
    }

    static Result<void> insert(Connection& connection, const model::CollectionSpec& spec,
                               const Uuid& tenant) {
        AKIDB_TRY(const int64_t database, database_of(connection, tenant));
        AKIDB_TRY(const bool is_taken,
                  has(connection, "SELECT 1 FROM aliases WHERE alias = ? AND database_id = ?", spec.name,
                      database));
        if (is_taken) {
            return Error(Code::kAlreadyExists, "an alias is named " + spec.name);
        }
        const bool has_unnamed = spec.dimension > 0 || spec.vectors.empty();
        AKIDB_TRY(Statement insert,
                  connection.prepare("INSERT INTO collections (id, database_id, name, dimension, metric, "
                                     "created_at_ms, state, storage, has_unnamed_vector) "
                                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
        AKIDB_TRY(insert.bind(spec.id.bytes)
                      .bind(database)
                      .bind(spec.name)
                      .bind(static_cast<int64_t>(has_unnamed ? spec.dimension : 1))
                      .bind(model::kMetricNames.at(static_cast<size_t>(spec.metric)))
                      .bind(static_cast<int64_t>(spec.created_at_ms))
                      .bind(static_cast<int64_t>(CollectionState::kCreating))
                      .bind(model::name_of(spec.storage))
                      .bind(static_cast<int64_t>(has_unnamed))
                      .run());
        AKIDB_TRY(put_vectors(connection, spec));
        for (const model::MetadataField& field : spec.metadata_indexes) {
            AKIDB_TRY(put(connection, spec.id, field));
        }
        return {};
    }

    static Result<void> put(Connection& connection, const Uuid& collection,
                            const model::MetadataField& field) {
        AKIDB_TRY(Statement insert,
                  connection.prepare("INSERT INTO metadata_indexes (collection_id, field, type) "
                                     "VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET type = excluded.type"));
        return insert.bind(collection.bytes).bind(field.key).bind(model::name_of(field.type)).run();
    }

    static Result<void> put_settings(Connection& connection, const model::CollectionSpec& spec) {
        const model::CollectionSettings& given = spec.settings;
        const auto put_one = [&](std::string_view name, int64_t value) -> Result<void> {
            AKIDB_TRY(Statement insert,
                      connection.prepare("INSERT INTO collection_settings (collection_id, name, value) "
                                         "VALUES (?, ?, ?)"));
            return insert.bind(spec.id.bytes).bind(name).bind(value).run();
        };
        if (given.ef) {
            AKIDB_TRY(put_one("ef", *given.ef));
        }
        if (given.recall_target) {
            AKIDB_TRY(put_one("recall_target", std::llround(*given.recall_target * kRecallScale)));
        }
        return given.layout ? put_one("layout", static_cast<int64_t>(*given.layout)) : Result<void>();
    }

    Result<model::CollectionSettings> settings(const Uuid& collection) AKIDB_REQUIRES(mutex_) {
        AKIDB_TRY(Statement rows, connection_->prepare("SELECT name, value FROM collection_settings "
                                                       "WHERE collection_id = ?"));
        rows.bind(collection.bytes);
        model::CollectionSettings found;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return found;
            }
            const int64_t value = rows.integer(1);
            if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
                return damaged_row("setting");
            }
            if (rows.text(0) == "ef") {
                found.ef = static_cast<uint32_t>(value);
            } else if (rows.text(0) == "recall_target") {
                found.recall_target = static_cast<double>(value) / kRecallScale;
            } else if (static_cast<size_t>(value) < model::kIndexLayoutNames.size()) {
                found.layout = static_cast<model::IndexLayout>(value);
            } else {
                return damaged_row("layout");
            }
        }
    }

    Result<std::vector<model::MetadataField>> metadata_indexes(const Uuid& collection)
        AKIDB_REQUIRES(mutex_) {
        AKIDB_TRY(Statement rows, connection_->prepare("SELECT field, type FROM metadata_indexes "
                                                       "WHERE collection_id = ? ORDER BY rowid"));
        rows.bind(collection.bytes);
        std::vector<model::MetadataField> fields;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return fields;
            }
            Result<model::MetadataIndexType> type = model::metadata_index_type_from(rows.text(1));
            if (!type) {
                return damaged_row("metadata index type");
            }
            fields.push_back({std::string(rows.text(0)), *type});
        }
    }

    Result<void> check_open() const AKIDB_REQUIRES(mutex_) {
        if (!connection_) {
            return Error(Code::kUnavailable, "the catalog is closed");
        }
        return {};
    }

    // One transaction around `body`.
    template <class Body>
    Result<void> change(Body body) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        if (has_failed_) {
            return Error(Code::kUnavailable,
                         "the catalog takes no writes until a restart: one of them failed on disk");
        }
        Result<void> outcome = in_transaction(body);
        // After a failed write or sync nobody knows what is on disk, and a later sync that succeeds would not
        // say; the next open reads the file afresh. A full disk is told apart: there SQLite wrote nothing.
        has_failed_ = !outcome && (outcome.error().code() == Code::kInternal ||
                                   outcome.error().code() == Code::kDataLoss);
        if (!outcome) {
            return std::move(outcome).error().with_context("catalog");
        }
        return {};
    }

    template <class Body>
    Result<void> in_transaction(Body& body) AKIDB_REQUIRES(mutex_) {
        AKIDB_TRY(Transaction transaction, Transaction::begin(*connection_));
        AKIDB_TRY(body(*connection_));
        return transaction.commit();
    }

    Mutex mutex_;
    std::optional<Connection> connection_ AKIDB_GUARDED_BY(mutex_);  // empty once closed
    bool has_failed_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& path) {
    auto connection = Connection::open(path);
    if (!connection) {
        return std::move(connection).error().with_context("catalog");
    }
    if (auto checked = check_and_migrate(*connection); !checked) {
        return std::move(checked).error().with_context("catalog " + path);
    }
    return std::unique_ptr<Catalog>(std::make_unique<SqliteCatalog>(std::move(connection).value()));
}

}  // namespace akidb::catalog
