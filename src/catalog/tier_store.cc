#include "catalog/tier_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "catalog/collection_rows.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

constexpr std::string_view kKindNames[] = {"upload", "remove"};

Result<Uuid> uuid_at(const Statement& row, int column) {
    const std::span<const uint8_t> blob = row.blob(column);
    Uuid id;
    if (blob.size() != id.bytes.size()) {
        return damaged_row("id");
    }
    std::copy(blob.begin(), blob.end(), id.bytes.begin());
    return id;
}

Result<TierRow> read_row(const Statement& from) {
    TierRow row;
    AKIDB_TRY(row.collection, uuid_at(from, 0));
    const auto policy = model::storage_policy_from(from.text(1));
    const auto tier = model::tier_from(from.text(2));
    if (!policy || !tier) {
        return damaged_row(policy ? "tier" : "policy");
    }
    row.policy = *policy;
    row.tier = *tier;
    row.is_pinned = from.integer(3) != 0;
    AKIDB_TRY(row.copy, uuid_at(from, 4));
    row.place = from.text(5);
    row.copied_version = number_at(from, 6);
    row.settled_version = number_at(from, 7);
    row.sequence = number_at(from, 8);
    row.documents = number_at(from, 9);
    row.documents_hash = number_at(from, 10);
    row.bytes = number_at(from, 11);
    return row;
}

Result<TierTask> read_task(const Statement& from) {
    TierTask task;
    task.id = from.integer(0);
    task.kind = from.text(1) == kKindNames[0] ? TierTaskKind::kUpload : TierTaskKind::kRemove;
    AKIDB_TRY(task.collection, uuid_at(from, 2));
    AKIDB_TRY(task.copy, uuid_at(from, 3));
    task.place = from.text(4);
    task.bytes = number_at(from, 5);
    task.tries = number_at(from, 6);
    task.is_dead = from.integer(7) != 0;
    task.error = from.text(8);
    task.queued_at_ms = number_at(from, 9);
    task.not_before_ms = number_at(from, 10);
    return task;
}

class SqliteTierStore final : public TierStore {
  public:
    explicit SqliteTierStore(Connection connection) : connection_(std::move(connection)) {}

    Result<std::vector<TierRow>> list_rows() override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(Statement rows, connection_->prepare(
                                      "SELECT collection_id, policy, tier, is_pinned, copy_id, place, "
                                      "copied_version, settled_version, sequence, documents, documents_hash, "
                                      "bytes FROM collection_tiers ORDER BY collection_id"));
        return all<TierRow>(rows, read_row);
    }

    Result<void> put_row(const TierRow& row) override {
        return change([&](Connection& connection) { return put(connection, row); });
    }

    Result<void> put_row_and_task(const TierRow& row, const TierTask& task) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(put(connection, row));
            return insert(connection, task);
        });
    }

    Result<std::vector<TierTask>> list_tasks() override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(
            Statement rows,
            connection_->prepare("SELECT id, kind, collection_id, copy_id, place, bytes, tries, is_dead, "
                                 "error, queued_at_ms, not_before_ms FROM tier_tasks ORDER BY id"));
        return all<TierTask>(rows, read_task);
    }

    Result<void> put_task(const TierTask& task) override {
        return change([&](Connection& connection) -> Result<void> {
            if (task.id == 0) {
                return insert(connection, task);
            }
            AKIDB_TRY(
                Statement update,
                connection.prepare("UPDATE tier_tasks SET bytes = ?, tries = ?, is_dead = ?, error = ?, "
                                   "not_before_ms = ? WHERE id = ?"));
            return update.bind(number(task.bytes))
                .bind(number(task.tries))
                .bind(int64_t{task.is_dead})
                .bind(task.error)
                .bind(number(task.not_before_ms))
                .bind(task.id)
                .run();
        });
    }

    Result<void> remove_task(int64_t id) override {
        return change([&](Connection& connection) -> Result<void> {
            AKIDB_TRY(Statement remove, connection.prepare("DELETE FROM tier_tasks WHERE id = ?"));
            return remove.bind(id).run();
        });
    }

    Result<std::vector<std::string>> list_objects(const Uuid& copy) override {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(Statement rows,
                  connection_->prepare("SELECT name FROM tier_objects WHERE copy_id = ? ORDER BY name"));
        return all<std::string>(rows.bind(copy.bytes), [](const Statement& from) {
            return Result<std::string>(std::string(from.text(0)));
        });
    }

    Result<void> note_objects(const Uuid& copy, const std::vector<std::string>& names) override {
        return each("INSERT OR IGNORE INTO tier_objects (copy_id, name) VALUES (?, ?)", copy, names);
    }

    Result<void> forget_objects(const Uuid& copy, const std::vector<std::string>& names) override {
        return each("DELETE FROM tier_objects WHERE copy_id = ? AND name = ?", copy, names);
    }

    Result<void> forget_copies() override {
        return change([&](Connection& connection) -> Result<void> {
            return connection.execute(
                "DELETE FROM tier_tasks; DELETE FROM tier_objects; "
                "UPDATE collection_tiers SET tier = 'hot', copy_id = zeroblob(16), place = '', "
                "copied_version = 0, settled_version = 0");
        });
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
    /// One statement for each name of a copy, all or none.
    Result<void> each(Sql sql, const Uuid& copy, const std::vector<std::string>& names) {
        return change([&](Connection& connection) -> Result<void> {
            for (const std::string& name : names) {
                AKIDB_TRY(Statement one, connection.prepare(sql));
                AKIDB_TRY(one.bind(copy.bytes).bind(name).run());
            }
            return {};
        });
    }

    template <class Row, class Read>
    static Result<std::vector<Row>> all(Statement& rows, Read read) {
        std::vector<Row> found;
        while (true) {
            AKIDB_TRY(const bool has_row, rows.step());
            if (!has_row) {
                return found;
            }
            AKIDB_TRY(Row row, read(rows));
            found.push_back(std::move(row));
        }
    }

    static Result<void> put(Connection& connection, const TierRow& row) {
        AKIDB_TRY(Statement found, connection.prepare("SELECT 1 FROM collections WHERE id = ?"));
        AKIDB_TRY(const bool is_there, found.bind(row.collection.bytes).step());
        if (!is_there) {
            return Error(Code::kNotFound, "the catalog has no collection " + row.collection.to_string());
        }
        AKIDB_TRY(Statement put,
                  connection.prepare(
                      "INSERT INTO collection_tiers (collection_id, policy, tier, is_pinned, copy_id, place, "
                      "copied_version, settled_version, sequence, documents, documents_hash, bytes) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                      "policy = excluded.policy, tier = excluded.tier, is_pinned = excluded.is_pinned, "
                      "copy_id = excluded.copy_id, place = excluded.place, "
                      "copied_version = excluded.copied_version, settled_version = excluded.settled_version, "
                      "sequence = excluded.sequence, documents = excluded.documents, "
                      "documents_hash = excluded.documents_hash, bytes = excluded.bytes"));
        return put.bind(row.collection.bytes)
            .bind(model::name_of(row.policy))
            .bind(model::name_of(row.tier))
            .bind(int64_t{row.is_pinned})
            .bind(row.copy.bytes)
            .bind(row.place)
            .bind(number(row.copied_version))
            .bind(number(row.settled_version))
            .bind(number(row.sequence))
            .bind(number(row.documents))
            .bind(number(row.documents_hash))
            .bind(number(row.bytes))
            .run();
    }

    static Result<void> insert(Connection& connection, const TierTask& task) {
        AKIDB_TRY(Statement insert,
                  connection.prepare("INSERT OR IGNORE INTO tier_tasks (kind, collection_id, copy_id, place, "
                                     "bytes, tries, is_dead, error, queued_at_ms, not_before_ms) "
                                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
        return insert.bind(kKindNames[static_cast<size_t>(task.kind)])
            .bind(task.collection.bytes)
            .bind(task.copy.bytes)
            .bind(task.place)
            .bind(number(task.bytes))
            .bind(number(task.tries))
            .bind(int64_t{task.is_dead})
            .bind(task.error)
            .bind(number(task.queued_at_ms))
            .bind(number(task.not_before_ms))
            .run();
    }

    Result<void> check_open() const AKIDB_REQUIRES(mutex_) {
        return connection_ ? Result<void>() : Error(Code::kUnavailable, "the catalog is closed");
    }

    template <class Body>
    Result<void> change(Body body) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        AKIDB_TRY(check_open());
        AKIDB_TRY(Transaction transaction, Transaction::begin(*connection_));
        if (Result<void> done = body(*connection_); !done) {
            return std::move(done).error().with_context("catalog");
        }
        return transaction.commit();
    }

    Mutex mutex_;
    std::optional<Connection> connection_ AKIDB_GUARDED_BY(mutex_);  // empty once closed
};

}  // namespace

Result<std::unique_ptr<TierStore>> TierStore::open(const std::string& path) {
    auto connection = Connection::open(path);
    if (!connection) {
        return std::move(connection).error().with_context("catalog");
    }
    return std::unique_ptr<TierStore>(std::make_unique<SqliteTierStore>(std::move(connection).value()));
}

}  // namespace akidb::catalog
