#include "rest/qdrant/payload.h"

#include <algorithm>
#include <array>

#include "model/limits.h"
#include "model/update.h"
#include "rest/answer_codec.h"
#include "rest/metadata_codec.h"
#include "rest/qdrant/reading.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 2> kSelectorNames{"include", "exclude"};
constexpr size_t kPathsMax = 256;

/// Copies what any of the paths leads to. Depth is bounded by that of metadata.
// NOLINTNEXTLINE(misc-no-recursion)
void copy_selected(model::MetadataWriter& writer, model::MetadataView value,
                   const std::vector<std::string_view>& paths) {
    const bool is_object = value.type() == model::MetadataType::kObject;
    if (!is_object && value.type() != model::MetadataType::kArray) {
        writer.put_null();  // a path leads further, and there is nothing
        return;
    }
    is_object ? writer.begin_object() : writer.begin_array();
    value.for_each([&](std::string_view key, model::MetadataView member) {
        if (!is_object) {
            copy_selected(writer, member, paths);
            return true;
        }
        std::vector<std::string_view> rest;
        bool is_whole = false;
        for (std::string_view path : paths) {
            if (!path.starts_with(key)) {
                continue;
            }
            path.remove_prefix(key.size());
            if (path.starts_with("[]")) {
                path.remove_prefix(2);
            }
            is_whole = is_whole || path.empty();
            if (path.size() > 1 && path.front() == '.') {
                rest.push_back(path.substr(1));
            }
        }
        if (is_whole) {
            writer.key(key);
            writer.put(member);
        } else if (!rest.empty() && (member.type() == model::MetadataType::kObject ||
                                     member.type() == model::MetadataType::kArray)) {
            writer.key(key);
            copy_selected(writer, member, rest);
        }
        return true;
    });
    writer.end();
}

std::string selected(const std::string& metadata, const PointParts& parts) {
    std::string kept = metadata;
    if (!parts.included.empty()) {
        model::MetadataWriter writer;
        copy_selected(writer, model::MetadataView(metadata), {parts.included.begin(), parts.included.end()});
        kept = std::move(writer).finish().value();  // a part of what was within the limits
    }
    if (!parts.excluded.empty()) {
        model::DocumentChange change;
        change.remove = parts.excluded;
        kept = model::changed_metadata(change, model::MetadataView(kept)).value();
    }
    return kept;
}

}  // namespace

Result<void> read_with_payload(JsonReader& reader, PointParts& parts) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kBool) {
        AKIDB_TRY(parts.payload, reader.read_bool());
        return {};
    }
    parts.payload = true;
    if (type == JsonType::kArray) {
        AKIDB_TRY(parts.included, read_texts(reader, kPathsMax));
        parts.payload = !parts.included.empty();
        return {};
    }
    return read_object(reader, {kSelectorNames}, [&](size_t which) -> Result<void> {
        AKIDB_TRY((which == 0 ? parts.included : parts.excluded), read_texts(reader, kPathsMax));
        return {};
    });
}

Result<void> read_with_vector(JsonReader& reader, PointParts& parts) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kBool) {
        AKIDB_TRY(parts.vector, reader.read_bool());
        return {};
    }
    AKIDB_TRY(parts.vector_names, read_texts(reader, kPathsMax));
    parts.vector = !parts.vector_names.empty();
    return {};
}

/// As the collection has them: one without a name alone, or all by their names.
void write_vectors(JsonWriter& writer, const model::Document& document, const PointParts& parts) {
    const auto is_asked = [&](std::string_view name) {
        return parts.vector_names.empty() || std::find(parts.vector_names.begin(), parts.vector_names.end(),
                                                       name) != parts.vector_names.end();
    };
    writer.key("vector");
    if (document.vectors.empty() && !document.vector.empty()) {
        writer.floats(is_asked("") ? std::span<const float>(document.vector) : std::span<const float>());
        return;
    }
    writer.begin_object();
    if (!document.vector.empty() && is_asked("")) {
        writer.key("").floats(document.vector);
    }
    for (const model::NamedVector& vector : document.vectors) {
        if (is_asked(vector.name)) {
            writer.key(vector.name).floats(vector.values);
        }
    }
    writer.end_object();
}

void write_parts(JsonWriter& writer, const model::Document& document, const PointParts& parts) {
    if (parts.payload) {
        writer.key("payload");
        const std::string metadata =
            document.metadata.empty() ? std::string(model::empty_metadata()) : document.metadata;
        const bool is_whole = parts.included.empty() && parts.excluded.empty();
        const std::string kept = is_whole ? metadata : selected(metadata, parts);
        write_metadata(writer, model::MetadataView(kept));
    }
    if (parts.vector) {
        write_vectors(writer, document, parts);
    }
}

void write_value(JsonWriter& writer, const model::MatchValue& value) {
    std::visit([&](const auto& found) { writer.value(found); }, value);
}

void write_match(JsonWriter& writer, const model::SearchMatch& match, const PointParts& parts) {
    writer.begin_object().key("id");
    write_id(writer, match.document.id);
    writer.member("version", match.document.version).member("score", match.score);
    write_parts(writer, match.document, parts);
    writer.end_object();
}

void write_point(JsonWriter& writer, const model::Document& document, const PointParts& parts) {
    writer.begin_object().key("id");
    write_id(writer, document.id);
    write_parts(writer, document, parts);
    writer.end_object();
}

}  // namespace akidb::rest::qdrant
