// filter_argument: --filter of the verbs that take one, as JSON for the server, which says what is wrong in
// it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace akidb::cli {

inline Result<nlohmann::ordered_json> filter_argument(const std::string& text) {
    auto filter = nlohmann::ordered_json::parse(text, nullptr, false);
    if (filter.is_discarded()) {
        return invalid_argument("--filter", "not JSON",
                                R"({"must":[{"key":"lang","match":{"value":"en"}}]})");
    }
    return filter;
}

}  // namespace akidb::cli
