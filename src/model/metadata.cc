#include "model/metadata.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"
#include "model/document_id.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

constexpr size_t kTagBytes = 1;
constexpr size_t kLengthBytes = 4;
constexpr size_t kContainerHeadBytes = kTagBytes + 2 * kLengthBytes;

template <class T>
T load(std::string_view bytes, size_t offset) {
    AKIDB_DEBUG_ASSERT(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

/// Bytes of the value that `bytes` begins with.
size_t value_size(std::string_view bytes) {
    switch (static_cast<MetadataType>(bytes[0])) {
        case MetadataType::kNull:
        case MetadataType::kFalse:
        case MetadataType::kTrue:
            return kTagBytes;
        case MetadataType::kInt:
        case MetadataType::kUint:
        case MetadataType::kDouble:
            return kTagBytes + sizeof(uint64_t);
        case MetadataType::kString:
        case MetadataType::kArray:
        case MetadataType::kObject:
            return kTagBytes + kLengthBytes + load<uint32_t>(bytes, kTagBytes);
    }
    return bytes.size();
}

/// Steps through the members of an object or the items of an array without an indirect call per step.
class Cursor {
  public:
    explicit Cursor(std::string_view container)
        : keyed_(static_cast<MetadataType>(container[0]) == MetadataType::kObject),
          left_(load<uint32_t>(container, kTagBytes + kLengthBytes)),
          rest_(container.substr(kContainerHeadBytes)) {}

    /// False after the last one.
    bool next() {
        if (left_ == 0) {
            return false;
        }
        --left_;
        rest_.remove_prefix(value_bytes_);
        if (keyed_) {
            const auto length = load<uint32_t>(rest_, 0);
            key_ = rest_.substr(kLengthBytes, length);
            rest_.remove_prefix(kLengthBytes + length);
        }
        value_bytes_ = value_size(rest_);
        return true;
    }
    std::string_view key() const { return key_; }
    MetadataView value() const { return MetadataView(rest_); }

  private:
    bool keyed_;
    uint32_t left_;
    size_t value_bytes_ = 0;
    std::string_view key_;
    std::string_view rest_;  // starts at the current value
};

/// What of a path is still to walk; none left means that the value is reached.
using Remaining = std::optional<std::string_view>;

/// "b" of "b" and of "b[]".
std::string_view key_of_step(std::string_view step) {
    while (step.size() > 2 && step.ends_with("[]")) {
        step.remove_suffix(2);
    }
    return step;
}

enum class LastArray : uint8_t { kByItems, kWhole };

/// Recursion is bounded by the depth of the metadata, which the writer and validate_metadata hold to
/// kMetadataDepthMax. False when the visitor asked to stop.
template <LastArray kLastArray>
// NOLINTNEXTLINE(misc-no-recursion)
bool walk(MetadataView value, Remaining path, const FunctionRef<bool(MetadataView)>& visit) {
    const MetadataType type = value.type();
    if (type == MetadataType::kArray && (path || kLastArray == LastArray::kByItems)) {
        for (Cursor items(value.bytes()); items.next();) {
            if (!walk<kLastArray>(items.value(), path, visit)) {
                return false;
            }
        }
        return true;
    }
    if (!path) {
        return visit(value);
    }
    if (type != MetadataType::kObject) {
        return true;
    }
    const size_t dot = path->find('.');
    const std::optional<MetadataView> member = value.member(key_of_step(path->substr(0, dot)));
    if (!member) {
        return true;
    }
    return walk<kLastArray>(*member, dot == std::string_view::npos ? Remaining() : path->substr(dot + 1),
                            visit);
}

bool is_well_formed(ByteReader& reader, uint32_t depth);

/// The items or members of a container whose tag is already read.
// NOLINTNEXTLINE(misc-no-recursion)
bool is_container_well_formed(ByteReader& reader, bool keyed, uint32_t depth) {
    if (depth > kMetadataDepthMax) {
        return false;
    }
    ByteReader inside(reader.get_string());
    const auto count = inside.get<uint32_t>();
    for (uint32_t i = 0; i < count; ++i) {
        if (inside.failed() || (keyed && !is_utf8(inside.get_string())) || !is_well_formed(inside, depth)) {
            return false;
        }
    }
    return !reader.failed() && inside.finished();
}

/// Takes one value off the reader. `depth` is that of the container around it.
// NOLINTNEXTLINE(misc-no-recursion)
bool is_well_formed(ByteReader& reader, uint32_t depth) {
    const auto tag = reader.get<uint8_t>();
    if (reader.failed()) {
        return false;
    }
    switch (static_cast<MetadataType>(tag)) {
        case MetadataType::kNull:
        case MetadataType::kFalse:
        case MetadataType::kTrue:
            return true;
        case MetadataType::kInt:
            reader.get<int64_t>();
            return !reader.failed();
        case MetadataType::kUint:
            return reader.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
        case MetadataType::kDouble:
            return std::isfinite(reader.get<double>()) && !reader.failed();
        case MetadataType::kString:
            return is_utf8(reader.get_string()) && !reader.failed();
        case MetadataType::kArray:
            return is_container_well_formed(reader, false, depth + 1);
        case MetadataType::kObject:
            return is_container_well_formed(reader, true, depth + 1);
    }
    return false;
}

}  // namespace

MetadataType MetadataView::type() const {
    return bytes_.empty() ? MetadataType::kNull : static_cast<MetadataType>(bytes_[0]);
}

bool MetadataView::is_number() const {
    const MetadataType kind = type();
    return kind == MetadataType::kInt || kind == MetadataType::kUint || kind == MetadataType::kDouble;
}

int64_t MetadataView::as_int() const {
    return type() == MetadataType::kInt ? load<int64_t>(bytes_, kTagBytes) : 0;
}

uint64_t MetadataView::as_uint() const {
    if (type() == MetadataType::kUint) {
        return load<uint64_t>(bytes_, kTagBytes);
    }
    const int64_t value = as_int();
    return value < 0 ? 0 : static_cast<uint64_t>(value);
}

double MetadataView::as_double() const {
    switch (type()) {
        case MetadataType::kDouble:
            return load<double>(bytes_, kTagBytes);
        case MetadataType::kInt:
            return static_cast<double>(as_int());
        case MetadataType::kUint:
            return static_cast<double>(as_uint());
        default:
            return 0;
    }
}

std::string_view MetadataView::as_string() const {
    if (type() != MetadataType::kString) {
        return {};
    }
    return bytes_.substr(kTagBytes + kLengthBytes, load<uint32_t>(bytes_, kTagBytes));
}

uint32_t MetadataView::size() const {
    const MetadataType kind = type();
    const bool container = kind == MetadataType::kArray || kind == MetadataType::kObject;
    return container ? load<uint32_t>(bytes_, kTagBytes + kLengthBytes) : 0;
}

void MetadataView::for_each(FunctionRef<bool(std::string_view key, MetadataView value)> visit) const {
    if (size() == 0) {
        return;
    }
    for (Cursor parts(bytes_); parts.next();) {
        if (!visit(parts.key(), parts.value())) {
            return;
        }
    }
}

std::optional<MetadataView> MetadataView::member(std::string_view key) const {
    if (type() != MetadataType::kObject) {
        return std::nullopt;
    }
    for (Cursor members(bytes_); members.next();) {
        if (members.key() == key) {
            return members.value();
        }
    }
    return std::nullopt;
}

std::string_view MetadataView::bytes() const {
    return bytes_.empty() ? bytes_ : bytes_.substr(0, value_size(bytes_));
}

void for_each_at_path(MetadataView root, std::string_view path, FunctionRef<bool(MetadataView)> visit) {
    walk<LastArray::kByItems>(root, path, visit);
}

void for_each_whole_at_path(MetadataView root, std::string_view path, FunctionRef<bool(MetadataView)> visit) {
    walk<LastArray::kWhole>(root, path, visit);
}

bool is_same_path(std::string_view a, std::string_view b) {
    for (;;) {
        const size_t end_a = a.find('.');
        const size_t end_b = b.find('.');
        const bool is_last = end_a == std::string_view::npos;
        if (key_of_step(a.substr(0, end_a)) != key_of_step(b.substr(0, end_b)) ||
            is_last != (end_b == std::string_view::npos)) {
            return false;
        }
        if (is_last) {
            return true;
        }
        a.remove_prefix(end_a + 1);
        b.remove_prefix(end_b + 1);
    }
}

std::string_view empty_metadata() {
    // Object, byte length 4 (the count alone), count 0.
    return {"\x08\x04\x00\x00\x00\x00\x00\x00\x00", kContainerHeadBytes};
}

Result<void> validate_metadata(std::string_view encoded) {
    ByteReader reader(encoded);
    const bool is_object = !encoded.empty() && static_cast<MetadataType>(encoded[0]) == MetadataType::kObject;
    if (!is_object || encoded.size() > kMetadataBytesMax || !is_well_formed(reader, 0) ||
        !reader.finished()) {
        return Error(Code::kDataLoss, "the bytes are not an encoded metadata object");
    }
    return {};
}

}  // namespace akidb::model
