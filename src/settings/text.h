// Small text tools of this room: the nearest known key for a misspelt one, and quoting for messages and TOML.
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::settings {

/// Damerau–Levenshtein distance in its restricted form (optimal string alignment: no substring is edited
/// twice); O(a·b).
size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate at the least distance, if that is ≤ 2 or ≤ a third of the longer name's length; else, when
/// exactly one candidate ends in the same word after its last dot, that one; else empty.
std::string nearest_of(std::string_view name, const std::vector<std::string>& candidates);
/// In double quotes, with control characters and broken UTF-8 escaped, so that it is one line on any
/// terminal; valid as a TOML basic string and as a JSON string when `text` is UTF-8 (else U+FFFD stands for
/// the bad bytes).
std::string quoted(std::string_view text);
/// `quoted`, cut after 80 bytes.
std::string quoted_short(std::string_view text);

}  // namespace akidb::settings
