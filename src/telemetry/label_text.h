// Label values as the Prometheus text format allows them: UTF-8 of bounded length. One bad byte would make
// the scraper refuse the whole page, so bytes that are not UTF-8 become '?'. Quotes, backslashes and line
// ends are the serializer's to escape. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace akidb::telemetry {

/// At most 128 bytes, cut at a character.
std::string label_text(std::string_view value);
/// "a,b" → {"a", "b"}; "" → {}; "a=x/y" → {"a"}.
std::vector<std::string> split_labels(std::string_view labels);
/// The values that a metric of one label has from the start: "a=x/y" → {"x", "y"}; else {}.
std::vector<std::string> first_values(std::string_view labels);

}  // namespace akidb::telemetry
