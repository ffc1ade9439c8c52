#include "rest/field_readers.h"

#include <array>
#include <limits>
#include <utility>

#include "base/printable.h"
#include "model/expiry.h"
#include "model/limits.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 2> kIncludeNames{"vector", "metadata"};

}  // namespace

Result<model::DocumentId> read_id(JsonReader& reader) {
    constexpr std::string_view kAllowed =
        "a whole number of 0..18446744073709551615 or a string of 1..255 bytes";
    AKIDB_TRY(JsonType type, reader.type());
    if (type == JsonType::kNumber) {
        AKIDB_TRY(uint64_t number, reader.read_uint(0, std::numeric_limits<uint64_t>::max()));
        return model::DocumentId(number);
    }
    if (type != JsonType::kString) {
        return reader.error("an id is a whole number or a string", std::string(kAllowed));
    }
    AKIDB_TRY(std::string_view text, reader.read_string());
    Result<model::DocumentId> id = model::DocumentId::from_text(text);
    if (!id) {
        return reader.error(id.error().message(),
                            id.error().allowed().empty() ? std::string(kAllowed) : id.error().allowed());
    }
    return id;
}

Result<std::vector<model::DocumentId>> read_ids(JsonReader& reader) {
    std::vector<model::DocumentId> ids;
    AKIDB_TRY(reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(model::DocumentId id, read_id(reader));
        ids.push_back(std::move(id));
        return {};
    }));
    if (ids.empty()) {
        return reader.error("the list is empty", "1.." + std::to_string(model::kBatchDocumentsMax) + " ids");
    }
    return ids;
}

Result<uint64_t> read_expiry(JsonReader& reader) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kNull) {
        AKIDB_TRY(reader.read_null());
        return uint64_t{0};
    }
    AKIDB_TRY(const std::string_view text, reader.read_string());
    Result<uint64_t> expires_at_ms = model::parse_expiry(text);
    return expires_at_ms ? expires_at_ms
                         : reader.error(expires_at_ms.error().message(), expires_at_ms.error().allowed());
}

Result<uint64_t> read_deadline(JsonReader& reader, uint64_t received_us) {
    AKIDB_TRY(const uint64_t deadline_ms, reader.read_uint(1, model::kDeadlineMsMax));
    return received_us + deadline_ms * 1'000;
}

Result<model::Include> read_include(JsonReader& reader) {
    model::Include include;
    constexpr std::string_view kOfNames = "vectors.";
    constexpr size_t kPartsMax = 2 + model::kNamedVectorsMax;
    AKIDB_TRY(reader.read_array(kPartsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(std::string_view part, reader.read_string());
        if (part.starts_with(kOfNames)) {
            include.vectors.emplace_back(part.substr(kOfNames.size()));
            return {};
        }
        if (part != kIncludeNames[0] && part != kIncludeNames[1]) {
            return reader.error("unknown part \"" + printable(part) + "\"",
                                join_names(kIncludeNames) + ", vectors.NAME");
        }
        (part == kIncludeNames[0] ? include.vector : include.metadata) = true;
        return {};
    }));
    return include;
}

Result<std::vector<model::NamedVector>> read_named_vectors(JsonReader& reader) {
    std::vector<model::NamedVector> vectors;
    const auto read_one = [&](std::string_view name) -> Result<void> {
        if (vectors.size() == model::kNamedVectorsMax) {
            return reader.error("too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
        }
        model::NamedVector& vector = vectors.emplace_back();
        vector.name = name;
        AKIDB_TRY(reader.read_floats(model::kDimensionMax, vector.values));
        return vector.values.empty() ? reader.error("the vector is empty", "an array of numbers")
                                     : Result<void>();
    };
    AKIDB_TRY(reader.read_map(read_one));
    return vectors;
}

Result<std::shared_ptr<const model::Filter>> read_shared_filter(JsonReader& reader, FilterDialect dialect) {
    AKIDB_TRY(model::Filter filter, read_filter(reader, dialect));
    return filter.is_empty() ? nullptr : std::make_shared<const model::Filter>(std::move(filter));
}

Error missing(std::string_view path, std::string allowed) {
    const std::string_view name = path.substr(path.find_last_of('.') + 1);
    return invalid_argument(std::string(path), "the field \"" + std::string(name) + "\" is missing",
                            std::move(allowed));
}

}  // namespace akidb::rest
