// Query: how one search runs over one snapshot. Without a filter: compare with every row (small collections,
// `exact`, and whenever another plan could return too few), or walk the graph and scan the head. With one:
// what query_planner.h finds cheapest, and brute force over the matches whenever a walk turns out dearer than
// that, or may have missed some. A document that lacks the vector which is compared is never an answer. Pure
// over the snapshot, thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "engine/query_planner.h"
#include "engine/snapshot.h"
#include "io/clock.h"
#include "model/search.h"

namespace akidb::engine {

struct QuerySettings {
    uint32_t default_ef = 0;    // when the request names none, and the graph was not measured yet
    double default_recall = 0;  // what to aim at when the request does not say; 0 = default_ef always
    std::optional<Plan>
        forced{};  // under a filter: kBrute, kCodes, kInline or kTwoHop and nothing else (benches)
    const io::Clock* clock = nullptr;  // of the request's deadline; null: there is none
    size_t vector = 0;                 // which of the documents' vectors: the number of its column
};

/// What a read that goes through many documents may take, and what it took.
struct Effort {
    const io::Clock* clock = nullptr;  // of the deadline
    std::optional<uint64_t> deadline_us{};
    bool is_late = false;    // it ended at the deadline, with a part
    uint64_t evaluated = 0;  // documents whose metadata the filter read, one by one

    /// Whether to go on. To be asked every thousand documents or so.
    bool has_time() {
        is_late = is_late || (deadline_us && clock->monotonic_us() >= *deadline_us);
        return !is_late;
    }
};

struct QueryCost {
    Plan plan = Plan::kFlat;
    uint64_t distances = 0;
    double estimated_matches = 0;
    double estimated_ns = 0;                 // 0 without a filter
    uint64_t candidates = 0;                 // rows that were held against the filter or compared
    uint64_t evaluated = 0;                  // rows whose metadata the filter read
    bool is_abandoned = false;               // a walk was given up, and brute force answered
    uint32_t ef = 0;                         // of the walk, if there was one
    std::optional<double> estimated_recall;  // at 10; none when nothing was measured for this plan
};

/// How wide a beam a walk for this request gets. The request must have passed model::validate.
uint32_t choose_ef(const Snapshot& snapshot, const model::SearchRequest& request,
                   const QuerySettings& settings);

/// The same.
model::SearchReply run_query(const Snapshot& snapshot, const model::SearchRequest& request,
                             const QuerySettings& settings, index::SearchScratch& scratch, QueryCost& cost);

/// Parts of a row as a document.
model::Document document_at(const Snapshot& snapshot, uint32_t row, const model::Include& include);

/// Rows that the snapshot sees and the filter matches, ascending; null matches all. Fewer when it is late.
std::vector<uint32_t> matching_rows(const Snapshot& snapshot, const model::Filter* filter,
                                    Effort* effort = nullptr);

}  // namespace akidb::engine
