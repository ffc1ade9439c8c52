// nearest_name: "did you mean": the name out of a short list that is closest to a mistyped one by Levenshtein
// distance (Wagner–Fischer, two rows). Pure, thread-safe; long inputs are cut, so the cost is bounded.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace akidb::rest {

/// Empty when nothing is near (more than a third of the letters, at least two, would change).
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names);

/// "a, b, c".
std::string join_names(std::span<const std::string_view> names);

/// Text from a client made fit for a message: at most 64 bytes, no control characters, not cut inside a UTF-8
/// letter.
std::string printable(std::string_view text);

}  // namespace akidb::rest
