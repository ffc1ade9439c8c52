// How the Qdrant dialect reads objects: what is null counts as absent, and settings that change no answer may
// be there and are passed over; what would change one and is not offered is refused by name, so nothing is
// done by half. Errors: kInvalidArgument with the path. Pure, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "model/document.h"
#include "model/search.h"
#include "rest/json_reader.h"

namespace akidb::rest::qdrant {

struct Names {
    std::span<const std::string_view> read;           // handed to `member` by index, unless null
    std::span<const std::string_view> passed_over{};  // tuning: anything may stand there
    std::span<const std::string_view> refused{};      // unless null
};

Result<void> read_object(JsonReader& reader, const Names& names, FunctionRef<Result<void>(size_t)> member);
Result<void> read_body(JsonReader& reader, const Names& names, FunctionRef<Result<void>(size_t)> member);

/// One value, or a list of up to `items_max`.
Result<void> read_one_or_list(JsonReader& reader, size_t items_max, FunctionRef<Result<void>()> item);
Result<std::vector<std::string>> read_texts(JsonReader& reader, size_t items_max);
Result<uint32_t> read_uint32(JsonReader& reader, uint64_t min, uint64_t max);
/// An array of numbers. Sparse vectors and lists of vectors are refused.
Result<std::vector<float>> read_vector(JsonReader& reader);
/// The vectors of a point: an array of numbers, or an object of such by their names, where "" is the unnamed.
struct PointVectors {
    std::vector<float> unnamed{};
    std::vector<model::NamedVector> named{};
};
Result<PointVectors> read_vectors_of_point(JsonReader& reader);
/// Of a batch: a list of such, or an object of lists of arrays by the names of the vectors.
Result<std::vector<PointVectors>> read_vector_column(JsonReader& reader);
Result<void> read_search_params(JsonReader& reader, model::SearchParams& params);

}  // namespace akidb::rest::qdrant
