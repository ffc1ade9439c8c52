// A rule that a write is held to (WriteTerms::rule): which documents it covers. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "engine/snapshot.h"
#include "model/document.h"
#include "model/filter.h"

namespace akidb::engine {

/// Null covers all.
inline bool is_covered(const Snapshot& snapshot, uint32_t row, const model::Filter* rule) {
    const RowStore& rows = snapshot.generation->rows;
    return rule == nullptr || model::matches(*rule, model::MetadataView(rows.metadata(row)), rows.id(row));
}

/// kNoRow for what is not there, or not covered.
inline uint32_t find_covered(const Snapshot& snapshot, const std::string& id, const model::Filter* rule) {
    const uint32_t row = snapshot.find(id);
    return row != kNoRow && is_covered(snapshot, row, rule) ? row : kNoRow;
}

/// kPermissionDenied on the first document that the rule does not cover.
inline Result<void> check_rule(const model::Filter& rule, const std::vector<model::Document>& documents) {
    for (size_t i = 0; i < documents.size(); ++i) {
        const model::Document& document = documents[i];
        if (!model::matches(rule, model::MetadataView(document.metadata), document.id.encoded())) {
            return Error(Code::kPermissionDenied,
                         "the row rule of the key does not cover what is to be written")
                .with_field("documents[" + std::to_string(i) + "]");
        }
    }
    return {};
}

}  // namespace akidb::engine
