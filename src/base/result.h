// Result<T>: a value or an Error, named like std::expected (which clang 14 lacks). Dropping one is a warning,
// and warnings are errors. AKIDB_TRY returns the error of the enclosing function's Result, or binds the
// value.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/error.h"

namespace akidb {

template <class T>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result(T value)
        : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Result(Error error)
        : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
    template <class U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & {
        AKIDB_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        AKIDB_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        AKIDB_ASSERT(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & {
        AKIDB_ASSERT(!has_value());
        return *std::get_if<1>(&state_);
    }
    const Error& error() const& {
        AKIDB_ASSERT(!has_value());
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        AKIDB_ASSERT(!has_value());
        return std::move(*std::get_if<1>(&state_));
    }
    template <class U>
    T value_or(U&& other) && {
        return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(other));
    }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }
    void value() const { AKIDB_ASSERT(has_value()); }
    Error& error() & {
        AKIDB_ASSERT(!has_value());
        return *error_;
    }
    const Error& error() const& {
        AKIDB_ASSERT(!has_value());
        return *error_;
    }
    Error&& error() && {
        AKIDB_ASSERT(!has_value());
        return std::move(*error_);
    }

  private:
    std::optional<Error> error_;
};

}  // namespace akidb

#define AKIDB_CONCAT_INNER(a, b) a##b
#define AKIDB_CONCAT(a, b) AKIDB_CONCAT_INNER(a, b)
#define AKIDB_TRY_1(expression)                      \
    do {                                             \
        auto akidb_outcome = (expression);           \
        if (!akidb_outcome.has_value()) {            \
            return std::move(akidb_outcome).error(); \
        }                                            \
    } while (false)
#define AKIDB_TRY_2_INNER(name, declaration, expression) \
    auto name = (expression);                            \
    if (!name.has_value()) {                             \
        return std::move(name).error();                  \
    }                                                    \
    declaration = std::move(name).value()
#define AKIDB_TRY_2(declaration, expression) \
    AKIDB_TRY_2_INNER(AKIDB_CONCAT(akidb_outcome_, __LINE__), declaration, expression)
#define AKIDB_TRY_PICK(a, b, c, ...) c
/// AKIDB_TRY(expression) or AKIDB_TRY(declaration, expression). A comma inside needs parentheses.
#define AKIDB_TRY(...) AKIDB_TRY_PICK(__VA_ARGS__, AKIDB_TRY_2, AKIDB_TRY_1, )(__VA_ARGS__)
