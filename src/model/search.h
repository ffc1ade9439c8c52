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
    std::optional<double> recall_target;  // recall@10 wanted; chooses ef by what was measured on the graph
    bool exact = false;                   // compare with every live document
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
    bool explain = false;
};

struct SearchMatch {
    Document document;  // parts as asked
    float score = 0;
};

/// How an answer was found.
struct SearchExplanation {
    std::string plan;  // exact, flat, graph; under a filter also brute, inline, two_hop
    uint64_t estimated_matches = 0;
    double estimated_cost_us = 0;  // 0 without a filter: there was nothing to choose
    double actual_cost_us = 0;
    uint64_t distances = 0;
    uint64_t candidates = 0;  // rows compared or held against the filter
    bool abandoned = false;   // a walk was given up for comparing with all matches
    uint32_t ef = 0;          // of the walk; 0 when there was none
    /// Recall@10 as measured on this graph for that ef; 1 where all were compared; none where nothing was
    /// measured: before the graph was, and for walks under a filter.
    std::optional<double> estimated_recall;
};

struct SearchReply {
    std::vector<SearchMatch> matches;              // best first, ties by id
    bool exact = false;                            // whether every live document was compared
    std::optional<SearchExplanation> explanation;  // when asked for
};

/// top_k, offset, ef and the vector against the collection; fields as in the REST request.
Result<void> validate(const SearchRequest& request, const CollectionSpec& spec);

}  // namespace akidb::model
