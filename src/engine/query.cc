#include "engine/query.h"

#include <algorithm>

#include "index/flat_scan.h"

namespace akidb::engine {
namespace {

using index::Candidate;
using index::TopK;

// Equal distances beyond the last place are fetched too, so that ties at the edge are decided by id (below),
// not by row.
constexpr size_t kTieSlack = 16;
// The graph is walked under a filter only when about this share of the rows passes; below, walks lose their
// way while comparing with the matching rows is exact and cheap (index design §0.5).
constexpr double kWalkSelectivityMin = 0.3;
constexpr uint32_t kSelectivitySample = 256;

class Search {
  public:
    Search(const Snapshot& snapshot, const model::SearchRequest& request, uint32_t default_ef,
           index::SearchScratch& scratch, QueryCost& cost)
        : snapshot_(snapshot),
          request_(request),
          rows_(snapshot.generation->rows.rows()),
          scratch_(scratch),
          cost_(cost),
          wanted_(static_cast<size_t>(request.top_k) + request.offset),
          ef_(std::max<uint32_t>(request.params.ef.value_or(default_ef), static_cast<uint32_t>(wanted_))),
          query_(rows_.stride()) {
        index::encode_query(rows_.metric(), request.vector, query_);
    }

    model::SearchReply run() {
        const bool has_filter = request_.filter != nullptr && !request_.filter->is_empty();
        const uint32_t linked = std::min(snapshot_.generation->graph.linked(), snapshot_.rows);
        TopK best(wanted_ + kTieSlack);
        if (request_.params.exact || linked == 0 || wanted_ * 4 > linked) {
            is_exact_ = true;
            cost_.kind = request_.params.exact ? "exact" : "flat";
            has_filter ? scan_matching(best) : scan_all(best);
        } else if (has_filter && estimated_selectivity() < kWalkSelectivityMin) {
            is_exact_ = true;
            cost_.kind = "filtered";
            scan_matching(best);
        } else {
            cost_.kind = has_filter ? "filtered" : "graph";
            walk(linked, has_filter, best);
        }
        return answer(best);
    }

  private:
    bool matches(uint32_t row) const {
        return model::matches(*request_.filter,
                              model::MetadataView(snapshot_.generation->rows.metadata(row)));
    }

    void scan_all(TopK& best) {
        cost_.distances += snapshot_.rows;
        index::scan_range(
            rows_, query_.data(), 0, snapshot_.rows, [&](uint32_t row) { return snapshot_.sees(row); }, best);
    }

    void scan_matching(TopK& best) {
        const std::vector<uint32_t> rows = matching_rows(snapshot_, request_.filter.get());
        cost_.distances += rows.size();
        index::scan_ordinals(
            rows_, query_.data(), rows, [](uint32_t) { return true; }, best);
    }

    void walk(uint32_t linked, bool has_filter, TopK& best) {
        auto accept = [&](uint32_t row) { return snapshot_.sees(row) && (!has_filter || matches(row)); };
        cost_.distances +=
            snapshot_.generation->graph.search(query_.data(), ef_, linked, accept, scratch_, best).distances;
        cost_.distances += snapshot_.rows - linked;
        index::scan_range(rows_, query_.data(), linked, snapshot_.rows, accept, best);
        // k results are really returned when k live documents match: a walk through many dead or refused rows
        // may come back with fewer, and then everything is compared.
        if (best.size() < std::min<uint64_t>(wanted_, snapshot_.live)) {
            best.reset(wanted_ + kTieSlack);
            is_exact_ = true;
            has_filter ? scan_matching(best) : scan_all(best);
        }
    }

    double estimated_selectivity() const {
        const uint32_t step = std::max(1u, snapshot_.rows / kSelectivitySample);
        uint32_t seen = 0;
        uint32_t passed = 0;
        for (uint32_t row = 0; row < snapshot_.rows; row += step) {
            ++seen;
            passed += snapshot_.sees(row) && matches(row) ? 1 : 0;
        }
        return static_cast<double>(passed) / seen;
    }

    model::SearchReply answer(TopK& best) const {
        struct Ranked {
            Candidate candidate;
            model::DocumentId id;
        };
        std::vector<Ranked> ranked;
        const std::vector<Candidate> candidates = best.take_sorted();
        ranked.reserve(candidates.size());
        for (const Candidate& candidate : candidates) {
            if (beyond_threshold(candidate.distance)) {
                break;
            }
            ranked.push_back({candidate, decode_id(candidate.ordinal)});
        }
        std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
            return a.candidate.distance != b.candidate.distance ? a.candidate.distance < b.candidate.distance
                                                                : a.id < b.id;
        });
        model::SearchReply reply;
        reply.exact = is_exact_;
        for (size_t i = request_.offset; i < std::min(ranked.size(), wanted_); ++i) {
            model::SearchMatch match;
            match.document = document_at(snapshot_, ranked[i].candidate.ordinal, request_.include);
            match.score = index::score_of(rows_.metric(), ranked[i].candidate.distance);
            reply.matches.push_back(std::move(match));
        }
        return reply;
    }

    bool beyond_threshold(float distance) const {
        if (!request_.score_threshold) {
            return false;
        }
        const float score = index::score_of(rows_.metric(), distance);
        return rows_.metric() == model::Metric::kL2 ? score > *request_.score_threshold
                                                    : score < *request_.score_threshold;
    }

    model::DocumentId decode_id(uint32_t row) const {
        auto id = model::DocumentId::decode(snapshot_.generation->rows.id(row));
        AKIDB_ASSERT(id.has_value());  // checked when it was written or replayed
        return std::move(id).value();
    }

    const Snapshot& snapshot_;
    const model::SearchRequest& request_;
    const index::Rows& rows_;
    index::SearchScratch& scratch_;
    QueryCost& cost_;
    const size_t wanted_;
    const uint32_t ef_;
    bool is_exact_ = false;
    std::vector<float> query_;
};

}  // namespace

model::SearchReply run_query(const Snapshot& snapshot, const model::SearchRequest& request,
                             uint32_t default_ef, index::SearchScratch& scratch, QueryCost& cost) {
    return Search(snapshot, request, default_ef, scratch, cost).run();
}

model::Document document_at(const Snapshot& snapshot, uint32_t row, model::Include include) {
    const RowStore& rows = snapshot.generation->rows;
    model::Document document;
    auto id = model::DocumentId::decode(rows.id(row));
    AKIDB_ASSERT(id.has_value());
    document.id = std::move(id).value();
    document.version = rows.version(row);
    if (include.vector) {
        const std::span<const float> vector = rows.vector(row);
        document.vector.assign(vector.begin(), vector.end());
    }
    document.metadata = include.metadata ? std::string(rows.metadata(row)) : std::string();
    return document;
}

std::vector<uint32_t> matching_rows(const Snapshot& snapshot, const model::Filter* filter) {
    std::vector<uint32_t> rows;
    const bool matches_all = filter == nullptr || filter->is_empty();
    for (uint32_t row = 0; row < snapshot.rows; ++row) {
        if (snapshot.sees(row) &&
            (matches_all ||
             model::matches(*filter, model::MetadataView(snapshot.generation->rows.metadata(row))))) {
            rows.push_back(row);
        }
    }
    return rows;
}

}  // namespace akidb::engine
