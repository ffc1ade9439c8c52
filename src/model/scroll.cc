#include "model/scroll.h"

#include <algorithm>

#include "base/bytes.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

Result<void> validate_limit(uint32_t limit, uint32_t most) {
    if (limit >= 1 && limit <= most) {
        return {};
    }
    return invalid_argument("limit", "limit is " + std::to_string(limit), "1.." + std::to_string(most));
}

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr uint8_t kCursorVersion = 2;
// An id, and a value of metadata.
constexpr size_t kCursorBytesMax = kMetadataBytesMax + 1024;

enum class CursorValue : uint8_t { kNone, kBool, kInt, kUint, kDouble, kText };

void put(ByteWriter& writer, CursorValue kind) {
    writer.put(static_cast<uint8_t>(kind));
}

void put_value(ByteWriter& writer, const MatchValue& value) {
    if (const auto* truth = std::get_if<bool>(&value)) {
        put(writer, CursorValue::kBool);
        writer.put(static_cast<uint8_t>(*truth ? 1 : 0));
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
        put(writer, CursorValue::kInt);
        writer.put(*integer);
    } else if (const auto* natural = std::get_if<uint64_t>(&value)) {
        put(writer, CursorValue::kUint);
        writer.put(*natural);
    } else if (const auto* real = std::get_if<double>(&value)) {
        put(writer, CursorValue::kDouble);
        writer.put(*real);
    } else {
        put(writer, CursorValue::kText);
        writer.put_string(*std::get_if<std::string>(&value));
    }
}

std::optional<MatchValue> get_value(ByteReader& reader) {
    switch (static_cast<CursorValue>(reader.get<uint8_t>())) {
        case CursorValue::kBool:
            return reader.get<uint8_t>() != 0;
        case CursorValue::kInt:
            return reader.get<int64_t>();
        case CursorValue::kUint:
            return reader.get<uint64_t>();
        case CursorValue::kDouble:
            return reader.get<double>();
        case CursorValue::kText:
            return std::string(reader.get_string());
        case CursorValue::kNone:
            break;
    }
    return std::nullopt;
}

std::optional<std::string> from_hex(std::string_view text) {
    std::string bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
        const size_t high = kDigits.find(text[i]);
        const size_t low = kDigits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return text.size() % 2 == 0 ? std::optional(bytes) : std::nullopt;
}

std::string indexed_names(const std::vector<MetadataField>& indexed) {
    std::string names;
    for (const MetadataField& field : indexed) {
        names.append(names.empty() ? "" : ", ").append(field.key);
    }
    return names.empty() ? "a field with a metadata index; this collection has none" : names;
}

}  // namespace

Result<void> validate(const ScrollRequest& request, const std::vector<MetadataField>& indexed) {
    AKIDB_TRY(validate_limit(request.limit, kScrollLimitMax));
    if (request.order) {
        const bool is_indexed = std::any_of(indexed.begin(), indexed.end(), [&](const MetadataField& field) {
            return field.key == request.order->key;
        });
        if (!is_indexed) {
            return invalid_argument("order_by.key", "the field has no metadata index",
                                    indexed_names(indexed));
        }
    }
    if (request.from && request.from->order != request.order) {
        return invalid_argument("cursor", "the cursor is that of a scroll in another order",
                                "next_cursor of the same request");
    }
    return request.filter == nullptr ? Result<void>() : validate(*request.filter);
}

Result<void> validate(const FacetRequest& request) {
    if (request.key.empty() || request.key.size() > kFilterKeyBytesMax) {
        return invalid_argument("key", "not a path of metadata",
                                "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
    }
    AKIDB_TRY(validate_limit(request.limit, kFacetLimitMax));
    return request.filter == nullptr ? Result<void>() : validate(*request.filter);
}

std::string encode_cursor(const ScrollCursor& cursor) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.put(kCursorVersion);
    writer.put_string(cursor.id.encoded());
    if (cursor.value) {
        put_value(writer, *cursor.value);
        writer.put_string(cursor.order ? cursor.order->key : std::string());
        writer.put(static_cast<uint8_t>(cursor.order && cursor.order->descending ? 1 : 0));
    } else {
        put(writer, CursorValue::kNone);
    }
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        text.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
        text.push_back(kDigits[static_cast<uint8_t>(byte) & 15U]);
    }
    return text;
}

Result<ScrollCursor> decode_cursor(std::string_view text) {
    const auto wrong = [] {
        return invalid_argument("cursor", "the text is no cursor of a scroll", "next_cursor of an answer");
    };
    const auto bytes = text.size() <= 2 * kCursorBytesMax ? from_hex(text) : std::nullopt;
    if (!bytes) {
        return wrong();
    }
    ByteReader reader(*bytes);
    const auto version = reader.get<uint8_t>();
    const Result<DocumentId> id = DocumentId::decode(reader.get_string());
    if (reader.failed() || version != kCursorVersion || !id) {
        return wrong();
    }
    ScrollCursor cursor{.value = get_value(reader), .id = *id};
    if (cursor.value) {
        cursor.order.emplace();
        cursor.order->key = reader.get_string();
        cursor.order->descending = reader.get<uint8_t>() != 0;
    }
    return reader.finished() ? Result<ScrollCursor>(std::move(cursor)) : wrong();
}

}  // namespace akidb::model
