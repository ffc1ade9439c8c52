// A thin wrapper of the SQLite C API: connection, statement, transaction. It turns result codes into Errors
// (a full disk → kDiskFull, damage → kDataLoss, a taken unique value → kAlreadyExists, busy → kUnavailable)
// and frees what it holds. SQL comes as string literals only; values are always bound. Thread-compatible: the
// owner holds a lock. A commit is durable at return (synchronous=FULL).
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace akidb::catalog {

/// SQL that is known when we compile: a text made at run time does not convert to it.
class Sql {
  public:
    template <size_t N>
    consteval Sql(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT(google-explicit-constructor)
    constexpr std::string_view text() const { return text_; }

  private:
    std::string_view text_;
};

/// A prepared statement; parameters and columns count from 0. A bind that fails shows in the next `step`.
class Statement {
  public:
    Statement(sqlite3* connection, sqlite3_stmt* statement)
        : connection_(connection), statement_(statement) {}

    Statement& bind(std::string_view text);
    Statement& bind(std::span<const uint8_t> blob);
    Statement& bind(int64_t number);
    /// True while there is a row.
    Result<bool> step();
    /// For statements without rows.
    Result<void> run();

    int64_t integer(int column) const;
    /// Views until the next step.
    std::string_view text(int column) const;
    std::span<const uint8_t> blob(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    sqlite3* connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int next_parameter_ = 1;
    int bind_code_ = SQLITE_OK;
};

class Connection {
  public:
    /// Opens or creates the file and sets it up; checks nothing in it yet.
    static Result<Connection> open(const std::string& path);

    Result<Statement> prepare(Sql sql);
    /// One or more statements without rows or parameters.
    Result<void> execute(Sql sql);
    /// The one number that the query gives.
    Result<int64_t> number(Sql sql);
    /// By SQLite's backup API, of what was committed; `path` must not be there. kAlreadyExists.
    Result<void> copy_to(const std::string& path);
    /// Rows changed by the last statement.
    int64_t changes() const;
    Result<void> close();

  private:
    struct Close {
        void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
    };

    explicit Connection(sqlite3* connection) : connection_(connection) {}
    Result<void> set_up();

    std::unique_ptr<sqlite3, Close> connection_;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back when it goes without a commit.
class Transaction {
  public:
    static Result<Transaction> begin(Connection& connection);
    Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    Result<void> commit();

  private:
    explicit Transaction(Connection* connection) : connection_(connection) {}

    Connection* connection_;
};

// SQLite's integers have a sign; ours are 64 bits without one, and keep their bits.
inline int64_t number(uint64_t value) {
    return static_cast<int64_t>(value);
}
inline uint64_t number_at(const Statement& row, int column) {
    return static_cast<uint64_t>(row.integer(column));
}

}  // namespace akidb::catalog
