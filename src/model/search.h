// SearchRequest and SearchReply: the question AkiDB exists for, as plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/document.h"
#include "model/filter.h"

namespace akidb::model {

struct SearchParams {
    std::optional<uint32_t> ef;  // candidates kept while walking the graph; default from the collection
    bool exact = false;          // compare with every live document
};

struct SearchRequest {
    std::vector<float> vector;
    uint32_t top_k = 10;
    uint32_t offset = 0;                   // skip this many of the best; offset + top_k ≤ kTopKMax
    std::shared_ptr<const Filter> filter;  // null = no filter
    /// cosine and dot: at least; l2: at most.
    std::optional<float> score_threshold;
    Include include;
    SearchParams params;
};

struct SearchMatch {
    Document document;  // parts as asked
    float score = 0;
};

struct SearchReply {
    std::vector<SearchMatch> matches;  // best first, ties by id
    bool exact = false;                // whether every live document was compared
};

/// top_k, offset, ef and the vector against the collection; fields as in the REST request.
Result<void> validate(const SearchRequest& request, const CollectionSpec& spec);

}  // namespace akidb::model
