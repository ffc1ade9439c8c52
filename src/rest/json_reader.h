// JsonReader: strict, one-pass reading of a request body (simdjson On-Demand behind a plain interface). The
// reader stands on one value; a codec reads it once or not at all, and read_object and read_array move on to
// the members. It keeps the path
// ("documents[3].vector[2]") for error messages, refuses unknown and repeated fields, text after the end,
// invalid UTF-8 and more than kJsonDepthMax levels. All errors are kInvalidArgument with the path as field;
// after one, the reader is of no use. One reader per request; not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace akidb::rest {

enum class JsonType : uint8_t { kObject, kArray, kString, kNumber, kBool, kNull };
using JsonNumber = std::variant<int64_t, uint64_t, double>;  // uint64_t only above int64_t's range

class JsonReader {
  public:
    /// `body` is kept by reference and gets 64 spare bytes of capacity when it lacks them.
    explicit JsonReader(std::string& body);
    ~JsonReader();
    JsonReader(const JsonReader&) = delete;
    JsonReader& operator=(const JsonReader&) = delete;

    /// The body as one object with these fields, and nothing after it. `member` gets the index into `names`.
    Result<void> read_body(std::span<const std::string_view> names, FunctionRef<Result<void>(size_t)> member);
    /// The same with any keys.
    Result<void> read_body_map(FunctionRef<Result<void>(std::string_view)> member);
    Result<void> read_object(std::span<const std::string_view> names,
                             FunctionRef<Result<void>(size_t)> member);
    /// Any keys; repeated ones are for the caller to refuse.
    Result<void> read_map(FunctionRef<Result<void>(std::string_view)> member);
    /// More than `items_max` items are an error; the bound is what keeps memory bounded.
    Result<void> read_array(size_t items_max, FunctionRef<Result<void>(size_t)> item);

    /// Of the current value, without reading it.
    Result<JsonType> type();
    /// Valid while the reader lives.
    Result<std::string_view> read_string();
    Result<bool> read_bool();
    Result<void> read_null();
    Result<JsonNumber> read_number();
    Result<double> read_double();
    /// A whole number between the bounds.
    Result<uint64_t> read_uint(uint64_t min, uint64_t max);
    /// An object, unread, as it stands in the body; valid while the body is.
    Result<std::string_view> read_raw_object();
    /// An array of finite float32 numbers, appended to `out`.
    Result<void> read_floats(size_t items_max, std::vector<float>& out);

    std::string path() const;
    /// kInvalidArgument on the current value.
    Error error(std::string message, std::string allowed = {}) const;

  private:
    struct Impl;
    template <class T>
    Result<JsonNumber> read_as();
    Result<void> begin_body();
    Result<void> end_body();
    Result<void> expect(JsonType wanted, std::string_view described);

    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::rest
