#include "model/search.h"

#include <cmath>

#include "model/limits.h"

namespace akidb::model {
namespace {

Error out_of_range(std::string field, uint32_t given, uint32_t lowest, uint32_t highest) {
    std::string message = field + " is " + std::to_string(given);
    return invalid_argument(std::move(field), std::move(message),
                            std::to_string(lowest) + ".." + std::to_string(highest));
}

}  // namespace

Result<void> validate(const SearchRequest& request, const CollectionSpec& spec) {
    if (request.top_k < 1 || request.top_k > kTopKMax) {
        return out_of_range("top_k", request.top_k, 1, kTopKMax);
    }
    if (request.offset > kOffsetMax) {
        return out_of_range("offset", request.offset, 0, kOffsetMax);
    }
    if (request.offset + request.top_k > kTopKMax) {
        return invalid_argument("offset",
                                "offset + top_k is " + std::to_string(request.offset + request.top_k),
                                "offset + top_k of at most " + std::to_string(kTopKMax));
    }
    if (const auto& target = request.params.recall_target;
        target && !(*target >= kRecallTargetMin && *target <= kRecallTargetMax)) {
        return invalid_argument("params.recall_target", "out of range", "0.80..0.999");
    }
    if (request.params.ef && (*request.params.ef < 1 || *request.params.ef > kEfMax)) {
        return out_of_range("params.ef", *request.params.ef, 1, kEfMax);
    }
    if (request.score_threshold && !std::isfinite(*request.score_threshold)) {
        return invalid_argument("score_threshold", "the threshold is not a finite number", "a finite number");
    }
    AKIDB_TRY(validate_vector(spec, request.vector));
    if (request.filter != nullptr) {
        AKIDB_TRY(validate(*request.filter));
    }
    return {};
}

}  // namespace akidb::model
