// Points in answers, and which of their parts an answer carries: with_payload and with_vector. Pure,
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "model/document.h"
#include "model/search.h"
#include "rest/json_reader.h"
#include "rest/json_writer.h"

namespace akidb::rest::qdrant {

struct PointParts {
    bool vector = false;
    bool payload = false;
    std::vector<std::string> vector_names{};  // empty: all; "" is the unnamed
    std::vector<std::string> included{};      // paths; empty: all of it…
    std::vector<std::string> excluded{};      // …but these

    model::Include include() const { return {.vector = vector, .metadata = payload}; }
};

/// true, false, a list of paths, {"include":[…]} or {"exclude":[…]}.
Result<void> read_with_payload(JsonReader& reader, PointParts& parts);
/// true, false, or a list of names.
Result<void> read_with_vector(JsonReader& reader, PointParts& parts);

/// Members "payload" and "vector" of an object that the caller opened, as asked.
void write_parts(JsonWriter& writer, const model::Document& document, const PointParts& parts);

/// {"id","version","score","payload","vector"}.
void write_match(JsonWriter& writer, const model::SearchMatch& match, const PointParts& parts);
/// {"id","payload","vector"}: of a scroll or a retrieval.
void write_point(JsonWriter& writer, const model::Document& document, const PointParts& parts);
void write_value(JsonWriter& writer, const model::MatchValue& value);

}  // namespace akidb::rest::qdrant
