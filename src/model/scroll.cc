#include "model/scroll.h"

#include <algorithm>

#include "model/limits.h"

namespace akidb::model {
namespace {

Result<void> validate_limit(uint32_t limit, uint32_t most) {
    if (limit >= 1 && limit <= most) {
        return {};
    }
    return invalid_argument("limit", "limit is " + std::to_string(limit), "1.." + std::to_string(most));
}

std::string indexed_names(const std::vector<MetadataField>& indexed) {
    std::string names;
    for (const MetadataField& field : indexed) {
        names.append(names.empty() ? "" : ", ").append(field.key);
    }
    return names.empty() ? "a field with a metadata index; this collection has none" : names;
}

}  // namespace

Result<void> validate(const ScrollRequest& request, const std::vector<MetadataField>& indexed) {
    AKIDB_TRY(validate_limit(request.limit, kScrollLimitMax));
    if (request.order) {
        const bool is_indexed =
            std::any_of(indexed.begin(), indexed.end(),
                        [&](const MetadataField& field) { return field.key == request.order->key; });
        if (!is_indexed) {
            return invalid_argument("order_by.key", "the field has no metadata index", indexed_names(indexed));
        }
    }
    if (request.from && request.from->value.has_value() != request.order.has_value()) {
        return invalid_argument("cursor", "the cursor is that of a scroll in another order",
                                "next_cursor of the same request");
    }
    return request.filter == nullptr ? Result<void>() : validate(*request.filter);
}

Result<void> validate(const FacetRequest& request) {
    if (request.key.empty() || request.key.size() > kFilterKeyBytesMax) {
        return invalid_argument("key", "not a path of metadata",
                                "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
    }
    AKIDB_TRY(validate_limit(request.limit, kFacetLimitMax));
    return request.filter == nullptr ? Result<void>() : validate(*request.filter);
}

}  // namespace akidb::model
