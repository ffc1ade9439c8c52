#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "model/document_id.h"
#include "model/limits.h"
#include "model/metadata.h"

namespace akidb::model {
namespace {

constexpr size_t kKeyShownBytesMax = 64;
constexpr std::string_view kObjectAllowed = "one JSON object";

}  // namespace

MetadataWriter::MetadataWriter() = default;

void MetadataWriter::begin_object() {
    begin(MetadataType::kObject);
}

void MetadataWriter::begin_array() {
    begin(MetadataType::kArray);
}

void MetadataWriter::begin(MetadataType type) {
    if (failed()) {
        return;
    }
    if (levels_.size() == kMetadataDepthMax) {
        fail("the metadata is nested too deep", "a depth of at most " + std::to_string(kMetadataDepthMax));
        return;
    }
    if (!begin_value(type, 2 * sizeof(uint32_t))) {
        return;
    }
    levels_.push_back({out_.size(), keys_.size(), 0, type == MetadataType::kObject});
    out_.append(2 * sizeof(uint32_t), '\0');
}

void MetadataWriter::end() {
    if (failed()) {
        return;
    }
    if (levels_.empty() || expecting_value_) {
        fail("the metadata is not a complete object", std::string(kObjectAllowed));
        return;
    }
    const Level level = levels_.back();
    levels_.pop_back();
    const auto length = static_cast<uint32_t>(out_.size() - level.start - sizeof(uint32_t));
    std::memcpy(out_.data() + level.start, &length, sizeof(length));
    std::memcpy(out_.data() + level.start + sizeof(length), &level.count, sizeof(level.count));
    refuse_duplicates(level.first_key);
    keys_.resize(level.first_key);
}

// Sorting by the keys' bytes is the same work for every choice of keys: a table of hashes could be filled
// with collisions.
void MetadataWriter::refuse_duplicates(size_t first_key) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(first_key);
    std::sort(first, keys_.end(), [&](KeyPosition a, KeyPosition b) { return key_at(a) < key_at(b); });
    const auto twice = std::adjacent_find(
        first, keys_.end(), [&](KeyPosition a, KeyPosition b) { return key_at(a) == key_at(b); });
    if (twice != keys_.end()) {
        const std::string_view key = key_at(*twice);
        const std::string shown =
            key.size() <= kKeyShownBytesMax ? " \"" + std::string(key) + "\"" : std::string();
        fail("the key" + shown + " stands twice in one object", "each key once per object");
    }
}

std::string_view MetadataWriter::key_at(KeyPosition position) const {
    return std::string_view(out_).substr(position.start, position.size);
}

void MetadataWriter::key(std::string_view key) {
    if (failed()) {
        return;
    }
    if (levels_.empty() || !levels_.back().is_object || expecting_value_) {
        fail("the metadata has a key outside an object", std::string(kObjectAllowed));
        return;
    }
    if (!has_room(sizeof(uint32_t) + key.size())) {
        return;
    }
    if (!is_utf8(key)) {
        fail("a key of the metadata is not valid UTF-8", "UTF-8 keys and strings");
        return;
    }
    ByteWriter(out_).put_string(key);
    keys_.push_back({out_.size() - key.size(), key.size()});
    expecting_value_ = true;
}

void MetadataWriter::put_null() {
    begin_value(MetadataType::kNull, 0);
}

void MetadataWriter::put_bool(bool value) {
    begin_value(value ? MetadataType::kTrue : MetadataType::kFalse, 0);
}

void MetadataWriter::put_int(int64_t value) {
    if (begin_value(MetadataType::kInt, sizeof(value))) {
        ByteWriter(out_).put(value);
    }
}

void MetadataWriter::put_uint(uint64_t value) {
    // One number has one form: kUint begins where kInt ends.
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        put_int(static_cast<int64_t>(value));
    } else if (begin_value(MetadataType::kUint, sizeof(value))) {
        ByteWriter(out_).put(value);
    }
}

void MetadataWriter::put_double(double value) {
    if (!std::isfinite(value)) {
        fail("a number of the metadata is not finite", "finite 64-bit floats");
    } else if (begin_value(MetadataType::kDouble, sizeof(value))) {
        ByteWriter(out_).put(value);
    }
}

void MetadataWriter::put_string(std::string_view value) {
    // Size first: what is too large is not worth decoding.
    if (!begin_value(MetadataType::kString, sizeof(uint32_t) + value.size())) {
        return;
    }
    if (!is_utf8(value)) {
        fail("a string of the metadata is not valid UTF-8", "UTF-8 keys and strings");
        return;
    }
    ByteWriter(out_).put_string(value);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth of what was encoded once.
void MetadataWriter::put(MetadataView value) {
    switch (value.type()) {
        case MetadataType::kNull:
            return put_null();
        case MetadataType::kFalse:
        case MetadataType::kTrue:
            return put_bool(value.type() == MetadataType::kTrue);
        case MetadataType::kInt:
            return put_int(value.as_int());
        case MetadataType::kUint:
            return put_uint(value.as_uint());
        case MetadataType::kDouble:
            return put_double(value.as_double());
        case MetadataType::kString:
            return put_string(value.as_string());
        case MetadataType::kArray:
        case MetadataType::kObject:
            break;
    }
    const bool is_object = value.type() == MetadataType::kObject;
    is_object ? begin_object() : begin_array();
    value.for_each([&](std::string_view name, MetadataView part) {
        if (is_object) {
            key(name);
        }
        put(part);
        return !failed();
    });
    end();
}

bool MetadataWriter::begin_value(MetadataType type, size_t payload) {
    if (failed() || !has_room(1 + payload)) {
        return false;
    }
    if (levels_.empty()) {
        if (type != MetadataType::kObject || !out_.empty()) {
            fail("the metadata is not one object", std::string(kObjectAllowed));
            return false;
        }
    } else {
        Level& level = levels_.back();
        if (level.is_object && !expecting_value_) {
            fail("the metadata has a value without a key", std::string(kObjectAllowed));
            return false;
        }
        ++level.count;
    }
    expecting_value_ = false;
    ByteWriter(out_).put(static_cast<uint8_t>(type));
    return true;
}

bool MetadataWriter::has_room(size_t more) {
    if (more <= kMetadataBytesMax - out_.size()) {
        return true;
    }
    fail("the metadata is too large",
         "at most " + std::to_string(kMetadataBytesMax) + " bytes in binary form");
    return false;
}

void MetadataWriter::fail(std::string message, std::string allowed) {
    if (!failed()) {
        fault_ = invalid_argument("metadata", std::move(message), std::move(allowed));
    }
}

Result<std::string> MetadataWriter::finish() && {
    if (!levels_.empty() || out_.empty()) {
        fail("the metadata is not a complete object", std::string(kObjectAllowed));
    }
    if (failed()) {
        return *std::move(fault_);
    }
    return std::move(out_);
}

}  // namespace akidb::model
