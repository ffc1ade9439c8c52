// SearchRequest and SearchReply: the question AkiDB exists for, as plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/document.h"
#include "model/filter.h"

namespace akidb::model {

struct SearchParams {
    std::optional<uint32_t> ef;  // candidates kept while walking the graph; default from the collection
    std::optional<double> recall_target;  // recall@10 wanted; chooses ef by what was measured on the graph
    bool exact = false;                   // compare with every live document
};

/// What an answer is to be like, or unlike: a document of the collection, or a vector.
using Example = std::variant<DocumentId, std::vector<float>>;

/// Instead of a vector: the search goes from the mean of `positive`, away from the mean of `negative` by as
/// much as that differs (mean(positive) · 2 - mean(negative)); under cosine all examples count alike,
/// whatever their lengths. Documents among them are not in the answer.
struct Examples {
    std::vector<Example> positive;  // at least one
    std::vector<Example> negative;
    bool is_one_id = false;  // the request says "id": for messages

    bool is_empty() const { return positive.empty() && negative.empty(); }
};

/// Matches gathered by the value of a metadata field: top_k groups, the one with the best match first, and of
/// each the best `size`. A document with several values is in several groups; one without is in none.
struct GroupBy {
    std::string key;
    uint32_t size = 1;
};

/// Maximal marginal relevance (Carbonell and Goldstein 1998): of the `candidates` best, one after another
/// those for which (1 - weight) · similarity to the query - weight · greatest similarity to those chosen
/// already is largest.
struct Diversity {
    double weight = 0.5;
    uint32_t candidates = 0;  // 0: some times top_k
};

/// One of several searches whose answers become one. It names what to be like, and what of the documents it
/// may find; all else is said by the request around it.
struct FusedQuery {
    std::string vector_name{};  // as that of a request
    std::vector<float> vector;
    Examples examples{};                   // either this or vector
    uint32_t top_k = 0;                    // 0: some times that of the request
    std::shared_ptr<const Filter> filter;  // besides that of the request
    std::optional<float> score_threshold;  // by the score of this query
    SearchParams params;
};

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the score of a document is the sum, over the
/// queries that found it, of 1 / (k + its rank there), where the best has rank 1. Higher is better, whatever
/// the metric.
struct Fusion {
    std::vector<FusedQuery> queries;
    uint32_t k = 60;
};

struct SearchRequest {
    /// Of the documents' vectors, which one to compare with; only documents that have it are found. Empty:
    /// the one without a name.
    std::string vector_name{};
    std::vector<float> vector;
    Examples examples{};  // either this or vector, or fusion
    uint32_t top_k = 10;
    uint32_t offset = 0;                   // skip this many of the best; offset + top_k ≤ kTopKMax
    std::shared_ptr<const Filter> filter;  // null = no filter
    /// cosine and dot: at least; l2: at most.
    std::optional<float> score_threshold;
    Include include;
    SearchParams params;
    bool explain = false;
    std::optional<GroupBy> group_by{};
    std::optional<Diversity> diversity{};
    std::optional<Fusion> fusion{};
    /// By the clock of the server (monotonic, microseconds): what was found by then is the answer, and says
    /// that it is partial; when nothing was begun by then, kDeadlineExceeded.
    std::optional<uint64_t> deadline_us{};
    /// Of a look that a composed search takes, not of a client: documents that are no answer, and that the
    /// filter was validated, to which a condition may have come.
    std::vector<DocumentId> excluded{};
    bool is_filter_checked = false;

    /// Whether it takes more than one look at the collection.
    bool is_composed() const { return !examples.is_empty() || group_by || diversity || fusion; }
};

struct SearchMatch {
    Document document;  // parts as asked
    float score = 0;
};

struct SearchGroup {
    MatchValue value;
    std::vector<SearchMatch> matches;  // best first
};

/// How an answer was found.
struct SearchExplanation {
    std::string plan;  // exact, flat, graph; under a filter also brute, codes, inline, two_hop; cold
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
    uint64_t round_trips = 0;    // to the object store, of a search by its ranges (cold)
    uint64_t fetched_bytes = 0;  // in them
};

struct SearchReply {
    std::vector<SearchMatch> matches;   // best first, ties by id
    std::vector<SearchGroup> groups{};  // instead of matches, when…
    bool is_grouped = false;
    bool exact = false;                            // whether every live document was compared
    bool partial = false;                          // the deadline came first: better ones may be missing
    std::optional<SearchExplanation> explanation;  // of one look, always; a client is told when he asked
};

/// top_k, offset, ef and the vector against the collection; fields as in the REST request. Of a composed
/// request all but what its examples are worth.
Result<void> validate(const SearchRequest& request, const CollectionSpec& spec);

}  // namespace akidb::model
