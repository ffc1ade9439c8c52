#include "rest/metadata_codec.h"

#include <limits>

namespace akidb::rest {
namespace {

/// Depth is bounded by the reader (kJsonDepthMax), so recursion is safe.
Result<void> read_value(JsonReader& reader, model::MetadataWriter& writer);

Result<void> read_members(JsonReader& reader, model::MetadataWriter& writer) {
    writer.begin_object();
    AKIDB_TRY(reader.read_map([&](std::string_view key) -> Result<void> {
        writer.key(key);
        return read_value(reader, writer);
    }));
    writer.end();
    return {};
}

Result<void> read_items(JsonReader& reader, model::MetadataWriter& writer) {
    writer.begin_array();
    AKIDB_TRY(reader.read_array(std::numeric_limits<size_t>::max(),
                                [&](size_t) -> Result<void> { return read_value(reader, writer); }));
    writer.end();
    return {};
}

Result<void> read_scalar(JsonReader& reader, JsonType type, model::MetadataWriter& writer) {
    if (type == JsonType::kString) {
        AKIDB_TRY(std::string_view text, reader.read_string());
        writer.put_string(text);
    } else if (type == JsonType::kBool) {
        AKIDB_TRY(bool flag, reader.read_bool());
        writer.put_bool(flag);
    } else if (type == JsonType::kNull) {
        AKIDB_TRY(reader.read_null());
        writer.put_null();
    } else {
        AKIDB_TRY(JsonNumber number, reader.read_number());
        if (const auto* whole = std::get_if<int64_t>(&number)) {
            writer.put_int(*whole);
        } else if (const auto* large = std::get_if<uint64_t>(&number)) {
            writer.put_uint(*large);
        } else {
            writer.put_double(std::get<double>(number));
        }
    }
    return {};
}

Result<void> read_value(JsonReader& reader, model::MetadataWriter& writer) {
    AKIDB_TRY(JsonType type, reader.type());
    if (type == JsonType::kObject) {
        AKIDB_TRY(read_members(reader, writer));
    } else if (type == JsonType::kArray) {
        AKIDB_TRY(read_items(reader, writer));
    } else {
        AKIDB_TRY(read_scalar(reader, type, writer));
    }
    if (writer.failed()) {
        // The writer knows the limit that broke, the reader knows where.
        Error fault = std::move(std::move(writer).finish()).error();
        return reader.error(fault.message(), fault.allowed());
    }
    return {};
}

}  // namespace

Result<std::string> read_metadata(JsonReader& reader) {
    AKIDB_TRY(JsonType type, reader.type());
    if (type != JsonType::kObject) {
        return reader.error("metadata must be an object", "a JSON object");
    }
    model::MetadataWriter writer;
    AKIDB_TRY(read_members(reader, writer));
    Result<std::string> encoded = std::move(writer).finish();
    if (!encoded) {
        return reader.error(encoded.error().message(), encoded.error().allowed());
    }
    return encoded;
}

void write_metadata(JsonWriter& writer, model::MetadataView value) {
    switch (value.type()) {
        case model::MetadataType::kNull:
            writer.null();
            break;
        case model::MetadataType::kFalse:
            writer.value(false);
            break;
        case model::MetadataType::kTrue:
            writer.value(true);
            break;
        case model::MetadataType::kInt:
            writer.value(value.as_int());
            break;
        case model::MetadataType::kUint:
            writer.value(value.as_uint());
            break;
        case model::MetadataType::kDouble:
            writer.value(value.as_double());
            break;
        case model::MetadataType::kString:
            writer.value(value.as_string());
            break;
        case model::MetadataType::kArray:
            writer.begin_array();
            value.for_each([&](std::string_view, model::MetadataView item) {
                write_metadata(writer, item);
                return true;
            });
            writer.end_array();
            break;
        case model::MetadataType::kObject:
            writer.begin_object();
            value.for_each([&](std::string_view key, model::MetadataView member) {
                writer.key(key);
                write_metadata(writer, member);
                return true;
            });
            writer.end_object();
            break;
    }
}

}  // namespace akidb::rest
