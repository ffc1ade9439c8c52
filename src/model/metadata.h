// Metadata: one JSON object per document in a compact binary form that filters walk without allocating.
// Written once by a codec (MetadataWriter), kept as bytes in log and segments, read through MetadataView.
// Form, little-endian: value = tag u8 (MetadataType), then
//   null, false, true: nothing; int: i64; uint: u64 (only above i64's range); double: f64;
//   string: u32 length + bytes; array: u32 byte length + u32 count + values;
//   object: u32 byte length + u32 count + (u32 key length + key bytes + value)…
// The byte length counts what follows it up to the end of the container, so a reader skips in one step. Keys
// keep their order; the writer refuses duplicates of a key in one object. Limits: 1 MiB in this form, depth
// 32, where `{}` has depth 1 (limits.h). docs/formats/metadata.md has a worked example.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace akidb::model {

enum class MetadataType : uint8_t { kNull, kFalse, kTrue, kInt, kUint, kDouble, kString, kArray, kObject };

/// A view of one value inside encoded bytes that outlive it. Copyable, thread-compatible.
class MetadataView {
  public:
    /// `encoded` must have passed validate_metadata once (writers do; readers of files do it under a
    /// checksum).
    explicit MetadataView(std::string_view encoded) : bytes_(encoded) {}

    /// kNull for no bytes at all.
    MetadataType type() const;
    bool is_number() const;
    /// The value of kInt; 0 for other types.
    int64_t as_int() const;
    /// The value of kUint, or of kInt when not negative; 0 for other types.
    uint64_t as_uint() const;
    /// Any of the three number types, rounded where a double cannot hold it; 0 for other types.
    double as_double() const;
    /// The text of kString; empty for other types.
    std::string_view as_string() const;
    /// Members of an object or items of an array; 0 otherwise.
    uint32_t size() const;
    /// Visits items of an array (key empty) or members of an object, in order, until the visitor returns
    /// false.
    void for_each(FunctionRef<bool(std::string_view key, MetadataView value)> visit) const;
    /// The member of an object by one key, without path syntax.
    std::optional<MetadataView> member(std::string_view key) const;
    /// The bytes of this value alone.
    std::string_view bytes() const;

  private:
    std::string_view bytes_;  // starts at this value; may run past its end
};

/// Visits every value that the dotted path "a.b" reaches: arrays on the way are walked into, and an array at
/// the end is visited item by item (so `match` means "any item matches"), arrays within arrays likewise. A
/// step may say so ("a[].b"), which changes nothing. A key that itself holds a dot or ends with "[]" cannot
/// be reached. Stops when the visitor returns false.
void for_each_at_path(MetadataView root, std::string_view path, FunctionRef<bool(MetadataView)> visit);
/// The same, but an array at the end is visited as the one value that it is.
void for_each_whole_at_path(MetadataView root, std::string_view path, FunctionRef<bool(MetadataView)> visit);
/// Whether two paths lead to the same values: they may differ in "[]".
bool is_same_path(std::string_view a, std::string_view b);

/// Builds the encoding front to back: begin_object(); key("a"); put_int(1); end(); … Depth, size and
/// duplicate keys are checked; the first fault is kept and returned by finish().
class MetadataWriter {
  public:
    MetadataWriter();
    void begin_object();
    void begin_array();
    void end();
    void key(std::string_view key);
    void put_null();
    void put_bool(bool value);
    void put_int(int64_t value);
    void put_uint(uint64_t value);
    /// Not finite is a fault (JSON has no such number).
    void put_double(double value);
    void put_string(std::string_view value);
    /// A copy of the value, whatever it is.
    void put(MetadataView value);
    /// True as soon as a limit was broken, so that a codec may stop early.
    bool failed() const { return fault_.has_value(); }
    /// The encoded object; kInvalidArgument with field "metadata" when a limit was broken or the root is no
    /// object.
    Result<std::string> finish() &&;

  private:
    struct Level {
        size_t start = 0;      // of the container's byte length within out_
        size_t first_key = 0;  // its keys are keys_[first_key…]
        uint32_t count = 0;
        bool is_object = false;
    };
    struct KeyPosition {
        size_t start = 0;  // of the key's bytes within out_
        size_t size = 0;
    };
    void begin(MetadataType type);
    /// Checks that `type` and `payload` bytes may stand here and writes the tag; false after a fault.
    bool begin_value(MetadataType type, size_t payload);
    bool has_room(size_t more);
    void refuse_duplicates(size_t first_key);
    std::string_view key_at(KeyPosition position) const;
    void fail(std::string message, std::string allowed);

    std::string out_;
    std::vector<Level> levels_;
    std::vector<KeyPosition> keys_;  // of all open objects, outermost first
    std::optional<Error> fault_;
    bool expecting_value_ = false;
};

/// The encoding of `{}`.
std::string_view empty_metadata();
/// Structure, lengths, depth and UTF-8 of untrusted bytes; kDataLoss when broken.
Result<void> validate_metadata(std::string_view encoded);

}  // namespace akidb::model
