#include "rest/qdrant/reading.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/nearest.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 2> kParamNames{"hnsw_ef", "exact"};
constexpr std::array<std::string_view, 3> kParamPassedOver{"quantization", "indexed_only", "acorn"};

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
        return reader.error(type == JsonType::kObject ? "sparse and inferred vectors are not offered yet"
                                                      : "a vector is an array of numbers",
                            "one array of numbers");
    }
    std::vector<float> vector;
    AKIDB_TRY(reader.read_floats(model::kDimensionMax, vector));
    return vector;
}

Result<PointVectors> read_vectors_of_point(JsonReader& reader) {
    PointVectors vectors;
    AKIDB_TRY(const JsonType type, reader.type());
    if (type != JsonType::kObject) {
        AKIDB_TRY(vectors.unnamed, read_vector(reader));
        return vectors;
    }
    AKIDB_TRY(reader.read_map([&](std::string_view name) -> Result<void> {
        if (vectors.named.size() == model::kNamedVectorsMax) {
            return reader.error("too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
        }
        std::string named(name);
        AKIDB_TRY(std::vector<float> values, read_vector(reader));
        if (named.empty()) {
            vectors.unnamed = std::move(values);
        } else {
            vectors.named.push_back({std::move(named), std::move(values)});
        }
        return {};
    }));
    return vectors;
}

Result<std::vector<PointVectors>> read_vector_column(JsonReader& reader) {
    std::vector<PointVectors> vectors;
    AKIDB_TRY(const JsonType type, reader.type());
    if (type != JsonType::kObject) {
        AKIDB_TRY(reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
            AKIDB_TRY(PointVectors one, read_vectors_of_point(reader));
            vectors.push_back(std::move(one));
            return {};
        }));
        return vectors;
    }
    size_t names = 0;
    AKIDB_TRY(reader.read_map([&](std::string_view key) -> Result<void> {
        const std::string name(key);
        if (names++ == model::kNamedVectorsMax) {
            return reader.error("too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
        }
        return reader.read_array(model::kBatchDocumentsMax, [&](size_t at) -> Result<void> {
            vectors.resize(std::max(vectors.size(), at + 1));
            AKIDB_TRY(std::vector<float> values, read_vector(reader));
            if (name.empty()) {
                vectors[at].unnamed = std::move(values);
            } else {
                vectors[at].named.push_back({name, std::move(values)});
            }
            return {};
        });
    }));
    return vectors;
}

Result<void> read_search_params(JsonReader& reader, model::SearchParams& params) {
    return read_object(reader, {kParamNames, kParamPassedOver}, [&](size_t which) -> Result<void> {
        if (which == 1) {
            AKIDB_TRY(params.exact, reader.read_bool());
            return {};
        }
        AKIDB_TRY(const uint32_t ef, read_uint32(reader, 0, std::numeric_limits<uint32_t>::max()));
        if (ef > 0) {
            params.ef = std::min(ef, model::kEfMax);
        }
        return {};
    });
}

Result<uint32_t> read_uint32(JsonReader& reader, uint64_t min, uint64_t max) {
    AKIDB_TRY(const uint64_t number, reader.read_uint(min, max));
    return static_cast<uint32_t>(number);
}

}  // namespace akidb::rest::qdrant
