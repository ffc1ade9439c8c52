#include "rest/qdrant/reading.h"

#include <algorithm>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/nearest.h"

namespace akidb::rest::qdrant {
namespace {

bool holds(std::span<const std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> read_member(JsonReader& reader, const Names& names, std::string_view key, uint64_t& seen,
                         FunctionRef<Result<void>(size_t)> member) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kNull || holds(names.passed_over, key)) {
        return {};  // what is not touched is skipped
    }
    const auto found = std::find(names.read.begin(), names.read.end(), key);
    if (found == names.read.end()) {
        if (holds(names.refused, key)) {
            return reader.error("\"" + printable(key) + "\" is not offered yet", join_names(names.read));
        }
        std::string message = "unknown field \"" + printable(key) + "\"";
        if (const std::string_view near = nearest_name(key, names.read); !near.empty()) {
            message.append("; did you mean \"").append(near).append("\"?");
        }
        return reader.error(std::move(message), join_names(names.read));
    }
    const auto which = static_cast<size_t>(found - names.read.begin());
    if ((seen >> which & 1) != 0) {
        return reader.error("the field \"" + printable(key) + "\" is there twice");
    }
    seen |= uint64_t{1} << which;
    return member(which);
}

}  // namespace

Result<void> read_object(JsonReader& reader, const Names& names, FunctionRef<Result<void>(size_t)> member) {
    uint64_t seen = 0;
    return reader.read_map(
        [&](std::string_view key) { return read_member(reader, names, key, seen, member); });
}

Result<void> read_body(JsonReader& reader, const Names& names, FunctionRef<Result<void>(size_t)> member) {
    uint64_t seen = 0;
    return reader.read_body_map(
        [&](std::string_view key) { return read_member(reader, names, key, seen, member); });
}

Result<void> read_one_or_list(JsonReader& reader, size_t items_max, FunctionRef<Result<void>()> item) {
    AKIDB_TRY(const JsonType type, reader.type());
    return type == JsonType::kArray ? reader.read_array(items_max, [&](size_t) { return item(); }) : item();
}

Result<std::vector<std::string>> read_texts(JsonReader& reader, size_t items_max) {
    std::vector<std::string> texts;
    AKIDB_TRY(reader.read_array(items_max, [&](size_t) -> Result<void> {
        AKIDB_TRY(const std::string_view text, reader.read_string());
        texts.emplace_back(text);
        return {};
    }));
    return texts;
}

Result<std::vector<float>> read_vector(JsonReader& reader) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type != JsonType::kArray) {
        return reader.error(type == JsonType::kObject
                                ? "named, sparse and inferred vectors are not offered yet"
                                : "a vector is an array of numbers",
                            "one array of numbers");
    }
    std::vector<float> vector;
    AKIDB_TRY(reader.read_floats(model::kDimensionMax, vector));
    return vector;
}

Result<uint32_t> read_uint32(JsonReader& reader, uint64_t min, uint64_t max) {
    AKIDB_TRY(const uint64_t number, reader.read_uint(min, max));
    return static_cast<uint32_t>(number);
}

}  // namespace akidb::rest::qdrant
