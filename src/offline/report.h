// What both verbs print: the JSON document is the answer, and the text is made from the same values. Tables
// have the width of their widest cell. Pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/printable.h"
#include "model/collection_spec.h"
#include "offline/verbs.h"

namespace akidb::offline {

using Json = nlohmann::ordered_json;

/// One line; bytes that are not UTF-8 become U+FFFD, for a file may hold anything.
std::string dump(const Json& document);
/// Rows of cells, two blanks between columns; the first row is the heading.
std::string table_of(const std::vector<std::vector<std::string>>& rows);
Json vector_to_json(const model::VectorSpec& vector);
/// ", dimension 16, l2, f32; vector title: dimension 24, dot, f16".
std::string text_of_vectors(const std::vector<model::VectorSpec>& vectors);
/// Prints that a file is damaged, or on standard error why it cannot be looked at, and answers how the
/// process ends: kUsage when the error names a field.
ExitCode end_with(const Error& error, bool json, Print print);

}  // namespace akidb::offline
