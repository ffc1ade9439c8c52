#include "catalog/sqlite.h"

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace akidb::catalog {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Code code_of(int result, sqlite3* connection) {
    switch (result & 0xff) {
        case SQLITE_FULL:
            return Code::kDiskFull;
        case SQLITE_IOERR:
            // SQLite tells a full disk from other write errors, but not a full quota.
            return connection != nullptr && sqlite3_system_errno(connection) == EDQUOT ? Code::kDiskFull
                                                                                       : Code::kInternal;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Code::kDataLoss;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Code::kUnavailable;
        case SQLITE_CONSTRAINT:
            return result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY
                       ? Code::kAlreadyExists
                       : Code::kInvalidArgument;
        case SQLITE_TOOBIG:
            return Code::kInvalidArgument;
        default:
            return Code::kInternal;
    }
}

Error error_of(int result, sqlite3* connection) {
    std::string message = "SQLite: ";
    message += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(result);
    return Error(code_of(result, connection), message + " (code " + std::to_string(result) + ")");
}

}  // namespace

Statement& Statement::bind(std::string_view text) {
    const int code =
        sqlite3_bind_text64(statement_.get(), next_parameter_++, text.data() == nullptr ? "" : text.data(),
                            text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    bind_code_ = bind_code_ == SQLITE_OK ? code : bind_code_;
    return *this;
}

Statement& Statement::bind(std::span<const uint8_t> blob) {
    const int code =
        sqlite3_bind_blob64(statement_.get(), next_parameter_++, blob.data(), blob.size(), SQLITE_TRANSIENT);
    bind_code_ = bind_code_ == SQLITE_OK ? code : bind_code_;
    return *this;
}

Statement& Statement::bind(int64_t number) {
    const int code = sqlite3_bind_int64(statement_.get(), next_parameter_++, number);
    bind_code_ = bind_code_ == SQLITE_OK ? code : bind_code_;
    return *this;
}

Result<bool> Statement::step() {
    if (bind_code_ != SQLITE_OK) {
        return error_of(bind_code_, connection_);
    }
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        return code == SQLITE_ROW;
    }
    return error_of(code, connection_);
}

Result<void> Statement::run() {
    AKIDB_TRY(const bool has_row, step());
    AKIDB_ASSERT(!has_row);
    return {};
}

int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_.get(), column);
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(reinterpret_cast<const char*>(bytes),
                                  static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::span<const uint8_t> Statement::blob(int column) const {
    const void* bytes = sqlite3_column_blob(statement_.get(), column);
    return {static_cast<const uint8_t*>(bytes),
            static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Result<Connection> Connection::open(const std::string& path) {
    if (path.empty() || path.find('\0') != std::string::npos) {
        return invalid_argument("path", "the path of the catalog is empty or holds a NUL byte", "a path");
    }
    // A leading "./" keeps names with a meaning to SQLite (":memory:") files.
    const std::string file = path.front() == '/' ? path : "./" + path;
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(
        file.c_str(), &opened,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    Connection connection(opened);
    if (code != SQLITE_OK) {
        return error_of(code, opened).with_context("opening " + path);
    }
    AKIDB_TRY(connection.set_up());
    return connection;
}

Result<void> Connection::copy_to(const std::string& path) {
    const std::string file = path.front() == '/' ? path : "./" + path;
    sqlite3* opened = nullptr;
    int code = sqlite3_open_v2(
        file.c_str(), &opened,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    Connection copy(opened);
    if (code != SQLITE_OK) {
        return error_of(code, opened).with_context("opening " + path);
    }
    AKIDB_TRY(const int64_t pages, copy.number("PRAGMA page_count"));
    if (pages != 0) {
        return Error(Code::kAlreadyExists, path + " is there already");
    }
    sqlite3_backup* backup = sqlite3_backup_init(opened, "main", connection_.get(), "main");
    if (backup == nullptr) {
        return error_of(sqlite3_extended_errcode(opened), opened).with_context("copying to " + path);
    }
    // All at once: the catalog is small, and its owner holds a lock.
    const int stepped = sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE || code != SQLITE_OK) {
        return error_of(code != SQLITE_OK ? code : stepped, opened).with_context("copying to " + path);
    }
    return {};
}

Result<void> Connection::set_up() {
    sqlite3_busy_timeout(connection_.get(), kBusyTimeoutMs);
    // Against what a crafted file could do through its schema.
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(connection_.get(), SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024);
    sqlite3_limit(connection_.get(), SQLITE_LIMIT_ATTACHED, 0);
    return execute("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;");
}

Result<Statement> Connection::prepare(Sql sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(connection_.get(), sql.text().data(),
                                        static_cast<int>(sql.text().size()), &statement, nullptr);
    if (code != SQLITE_OK) {
        return error_of(code, connection_.get());
    }
    return Statement(connection_.get(), statement);
}

Result<void> Connection::execute(Sql sql) {
    const int code = sqlite3_exec(connection_.get(), sql.text().data(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return error_of(code, connection_.get());
    }
    return {};
}

Result<int64_t> Connection::number(Sql sql) {
    AKIDB_TRY(Statement statement, prepare(sql));
    AKIDB_TRY(const bool has_row, statement.step());
    AKIDB_ASSERT(has_row);
    return statement.integer(0);
}

int64_t Connection::changes() const {
    return sqlite3_changes64(connection_.get());
}

Result<void> Connection::close() {
    // Copies the write-ahead log back into the file; when that fails, the next open does it.
    const int code = sqlite3_close(connection_.get());
    if (code != SQLITE_OK) {
        return error_of(code, connection_.get());
    }
    static_cast<void>(connection_.release());
    return {};
}

Result<Transaction> Transaction::begin(Connection& connection) {
    AKIDB_TRY(connection.execute("BEGIN IMMEDIATE"));
    return Transaction(&connection);
}

Transaction::~Transaction() {
    if (connection_ != nullptr) {
        // The error that brings us here is already on its way up, and SQLite has rolled back by itself on
        // most of them.
        static_cast<void>(connection_->execute("ROLLBACK").has_value());
    }
}

Result<void> Transaction::commit() {
    AKIDB_TRY(connection_->execute("COMMIT"));
    connection_ = nullptr;
    return {};
}

}  // namespace akidb::catalog
