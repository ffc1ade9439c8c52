// nearest_name: "did you mean": the name out of a short list that another product has another word for, or
// the closest to a mistyped one by Levenshtein distance (Wagner–Fischer, one row, ended early as Ukkonen,
// 1985). Pure, thread-safe; long inputs are cut, so the cost is bounded.
#pragma once

#include <span>
#include <string_view>

namespace akidb::rest {

/// The first of the nearest; empty when nothing is near (more than a third of the letters, at least two, or
/// all of them would change). What differs after 96 bytes is not seen.
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names);

}  // namespace akidb::rest
