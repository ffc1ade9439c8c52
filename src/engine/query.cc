#include "engine/query.h"

#include <algorithm>
#include <limits>

#include "engine/filter_matches.h"
#include "index/flat_scan.h"
#include "model/limits.h"

namespace akidb::engine {
namespace {

using index::Candidate;
using index::TopK;

// Equal distances beyond the last place are fetched too, so that ties at the edge are decided by id (below),
// not by row.
constexpr size_t kTieSlack = 16;
// Up to this many rows a bitmap is made in less time than a wide walk spends on metadata that it lacks in
// cache.
constexpr uint32_t kBitmapRowsMax = 500'000;
// A scan looks at the clock so often: a few milliseconds of work.
constexpr uint32_t kRowsBetweenLooks = 16'384;
constexpr double kUnlimited = std::numeric_limits<double>::infinity();

class Search {
  public:
    Search(const Snapshot& snapshot, const model::SearchRequest& request, const QuerySettings& settings,
           index::SearchScratch& scratch, QueryCost& cost)
        : snapshot_(snapshot),
          request_(request),
          index_(*snapshot.generation->indexes[settings.vector]),
          column_(index_.column),
          rows_(column_.rows),
          settings_(settings),
          scratch_(scratch),
          cost_(cost),
          counted_(snapshot.count_of(index_)),
          linked_(snapshot.linked_of(index_)),
          wanted_(static_cast<size_t>(request.top_k) + request.offset),
          ef_(choose_ef(snapshot, request, settings)),
          query_(rows_.query_size()) {
        for (const model::DocumentId& id : request.excluded) {
            if (const uint32_t row = snapshot.find(id.encoded()); row != kNoRow) {
                excluded_.push_back(row);
            }
        }
        std::sort(excluded_.begin(), excluded_.end());
        excluded_.erase(std::unique(excluded_.begin(), excluded_.end()), excluded_.end());
        index::encode_query(rows_.metric(), request.vector, query_);
    }

    model::SearchReply run() {
        TopK best(wanted_ + kTieSlack);
        const bool has_filter = request_.filter != nullptr && !request_.filter->is_empty();
        const bool compares_all = request_.params.exact || linked_ == 0 || wanted_ * 4 > linked_;
        cost_.plan = request_.params.exact ? Plan::kExact : compares_all ? Plan::kFlat : Plan::kGraph;
        if (has_filter) {
            FilterMatches matches(snapshot_, *request_.filter);
            const QueryPlanner planner(shape_of(matches));
            cost_.estimated_matches = matches.count();
            cost_.estimated_ns = compares_all ? planner.brute_ns() : planner.estimated_ns();
            compares_all ? scan(matches, planner, best) : search_filtered(matches, planner, best);
            cost_.evaluated = matches.evaluated();
        } else {
            cost_.estimated_matches =
                std::min(static_cast<double>(snapshot_.live), static_cast<double>(counted_));
            compares_all ? scan_all(best) : walk(best);
        }
        return answer(best);
    }

  private:
    QueryShape shape_of(const FilterMatches& matches) const {
        return {.rows = snapshot_.rows,
                .dimension = rows_.dimension(),
                .degree = index_.graph.options().degree,
                .wanted = static_cast<uint32_t>(wanted_ + kTieSlack),
                .ef = ef_,
                .matches = matches.count() * live_share() * counted_share(),
                .candidates = matches.candidate_count(),
                .fresh_share = index_.walks.fresh_share(),
                .is_exact = matches.is_exact(),
                .has_codes = has_codes()};
    }

    /// But for a few of the last rows: others would be compared exactly after all.
    bool has_codes() const {
        constexpr uint32_t kShareWithout = 16;
        return index_.graph.encoded() + counted_ / kShareWithout >= counted_;
    }

    double live_share() const {
        return static_cast<double>(snapshot_.live) / std::max(1.0, static_cast<double>(snapshot_.rows));
    }
    double counted_share() const {
        return static_cast<double>(counted_) / std::max(1.0, static_cast<double>(snapshot_.rows));
    }

    void scan_all(TopK& best) {
        scan_counted(best);
        to_rows(best);
    }

    /// As walks, by what the graph counts.
    void scan_counted(TopK& best) {
        is_exact_ = true;
        cost_.estimated_recall = 1;
        for (uint32_t begin = 0; begin < counted_ && !is_late(); begin += kRowsBetweenLooks) {
            const uint32_t end = std::min(counted_, begin + kRowsBetweenLooks);
            cost_.distances += end - begin;
            cost_.candidates += end - begin;
            index::scan_range(
                column_.counted(), query_.data(), begin, end,
                [&](uint32_t counted) { return is_wanted(column_.row_of(counted)); }, best);
        }
    }

    /// From what the graph counts, where that is not every row.
    void to_rows(TopK& best) const {
        if (column_.members == nullptr) {
            return;
        }
        const std::vector<Candidate> found = best.take_sorted();
        for (const Candidate& candidate : found) {
            best.offer({candidate.distance, column_.row_of(candidate.ordinal)});
        }
    }

    bool is_excluded(uint32_t row) const {
        return !excluded_.empty() && std::binary_search(excluded_.begin(), excluded_.end(), row);
    }
    bool has_vector(uint32_t row) const { return snapshot_.generation->rows.has(row, column_); }
    bool is_wanted(uint32_t row) const { return snapshot_.sees(row) && !is_excluded(row); }
    /// As many as were asked for, or all that there are.
    bool has_enough(const TopK& best) const {
        return best.size() >= wanted_ || best.size() + excluded_.size() >=
                                             (column_.members == nullptr ? snapshot_.documents() : counted_);
    }

    /// Whether the deadline has passed; then the answer is a part.
    bool is_late() {
        if (!is_partial_ && settings_.clock != nullptr && request_.deadline_us &&
            settings_.clock->monotonic_us() >= *request_.deadline_us) {
            is_partial_ = true;
            is_exact_ = false;
            cost_.estimated_recall.reset();
        }
        return is_partial_;
    }

    void walk(TopK& best) {
        auto accept = [&](uint32_t counted) { return is_wanted(column_.row_of(counted)); };
        const index::Graph& graph = index_.graph;
        cost_.ef = ef_;
        if (const auto curve = index_.recall.load(); curve != nullptr && !curve->is_empty()) {
            cost_.estimated_recall = curve->recall_at(ef_);
        }
        const auto walked = graph.search(query_.data(), ef_, linked_, accept, scratch_, best);
        const auto scanned = graph.scan(query_.data(), linked_, counted_, accept, scratch_, best);
        cost_.distances += walked.distances + walked.exact + scanned.distances + scanned.exact;
        cost_.candidates = cost_.distances;
        // k results are really returned when k documents live: a walk through many dead rows may come back
        // with fewer, and then everything is compared.
        if (!has_enough(best)) {
            best.reset(wanted_ + kTieSlack);
            scan_counted(best);
        }
        to_rows(best);
    }

    /// Brute force.
    void scan(FilterMatches& matches, const QueryPlanner& planner, TopK& best) {
        using Order = FilterMatches::Order;
        is_exact_ = true;
        cost_.estimated_recall = 1;
        const Order order = planner.evaluates_first() ? Order::kEvaluateFirst : Order::kCompareFirst;
        matches.for_each_batch(snapshot_.rows, order, [&](std::span<const uint32_t> batch) {
            if (is_late()) {
                return false;
            }
            cost_.distances += batch.size();
            cost_.candidates += batch.size();
            index::scan_ordinals(
                rows_, query_.data(), batch,
                [&](uint32_t row) {
                    return has_vector(row) && !is_excluded(row) &&
                           (order == Order::kEvaluateFirst || matches.admits(row));
                },
                best);
            return true;
        });
    }

    /// Brute force by codes: all that match when those are fewer than wanted, else within what one-bit codes
    /// let slip, one row in a thousand.
    void scan_codes(FilterMatches& matches, TopK& best) {
        constexpr double kCodesRecall = 0.999;
        cost_.estimated_recall = kCodesRecall;
        std::vector<uint32_t> counted;
        index_.graph.aim(query_.data(), scratch_);
        matches.for_each_batch(snapshot_.rows, FilterMatches::Order::kCompareFirst,
                               [&](std::span<const uint32_t> batch) {
                                   if (is_late()) {
                                       return false;
                                   }
                                   const index::SearchCost cost = index_.graph.scan_rows(
                                       query_.data(), to_counted(batch, counted),
                                       [&](uint32_t one) {
                                           const uint32_t row = column_.row_of(one);
                                           return !is_excluded(row) && matches.admits(row);
                                       },
                                       scratch_, best);
                                   cost_.distances += cost.distances + cost.exact;
                                   cost_.candidates += batch.size();
                                   return true;
                               });
        to_rows(best);
    }

    /// Of rows, ascending, those that have the vector, as the graph counts them.
    std::span<const uint32_t> to_counted(std::span<const uint32_t> rows, std::vector<uint32_t>& room) const {
        if (column_.members == nullptr) {
            return rows;
        }
        room.clear();
        for (const uint32_t row : rows) {
            if (has_vector(row)) {
                room.push_back(column_.count_below(row));
            }
        }
        return room;
    }

    static bool is_walk(Plan plan) { return plan == Plan::kInline || plan == Plan::kTwoHop; }

    void search_filtered(FilterMatches& matches, const QueryPlanner& planner, TopK& best) {
        cost_.plan = settings_.forced.value_or(planner.plan());
        if (is_walk(cost_.plan) && walk_filtered(matches, planner, best)) {
            scan_head(matches, best);
            to_rows(best);
            // As in walk(); the others that match must be dead, if none was missed.
            if (settings_.forced || has_enough(best)) {
                return;
            }
        }
        cost_.is_abandoned = is_walk(cost_.plan);
        best.reset(wanted_ + kTieSlack);
        if (settings_.forced ? cost_.plan == Plan::kCodes : planner.compares_by_codes()) {
            cost_.plan = Plan::kCodes;
            scan_codes(matches, best);
        } else {
            cost_.plan = Plan::kBrute;
            scan(matches, planner, best);
        }
    }

    /// False when the walk gave up, or what it found may not be the nearest.
    bool walk_filtered(FilterMatches& matches, const QueryPlanner& planner, TopK& best) {
        if (snapshot_.rows <= kBitmapRowsMax || planner.plan() != Plan::kInline) {
            matches.find();
            matches.make_quick();
        }
        auto choose = [&](double local_share) {
            return settings_.forced ? planner.forced(*settings_.forced, local_share)
                                    : planner.choose(local_share);
        };
        const index::FilteredCost walked = index_.graph.search_filtered(
            query_.data(),
            {.ef = std::min(ef_, linked_),
             .end = linked_,
             .matches = [&](uint32_t counted) { return matches.has(column_.row_of(counted)); },
             .accept = [&](uint32_t counted) { return is_wanted(column_.row_of(counted)); },
             .choose = choose,
             .spend_max = settings_.forced ? kUnlimited : planner.spend_max(),
             .test_weight = planner.test_weight(),
             .probe_hops = planner.probe_hops(),
             .held_wanted = static_cast<uint32_t>(wanted_)},
            scratch_, best);
        cost_.distances += walked.distances;
        cost_.candidates += walked.tests;
        if (walked.kind != index::WalkKind::kNone) {
            cost_.plan = walked.kind == index::WalkKind::kInline ? Plan::kInline : Plan::kTwoHop;
        }
        return !walked.is_abandoned &&
               (settings_.forced || walked.held >= std::min<size_t>(wanted_, linked_));
    }

    void scan_head(const FilterMatches& matches, TopK& best) {
        std::vector<uint32_t> candidates;
        for (uint32_t counted = linked_; counted < counted_; ++counted) {
            if (matches.is_candidate(column_.row_of(counted))) {
                candidates.push_back(counted);
            }
        }
        index_.graph.aim(query_.data(), scratch_);
        const index::SearchCost cost = index_.graph.scan_rows(
            query_.data(), candidates,
            [&](uint32_t counted) {
                const uint32_t row = column_.row_of(counted);
                return is_wanted(row) && matches.has(row);
            },
            scratch_, best);
        cost_.distances += cost.distances + cost.exact;
        cost_.candidates += candidates.size();
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
        reply.partial = is_partial_;
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
    const VectorIndex& index_;
    const VectorColumn& column_;
    const index::Rows& rows_;
    const QuerySettings& settings_;
    index::SearchScratch& scratch_;
    QueryCost& cost_;
    const uint32_t counted_;  // rows that have the vector
    const uint32_t linked_;   // of them
    const size_t wanted_;
    const uint32_t ef_;
    bool is_exact_ = false;
    bool is_partial_ = false;
    std::vector<float> query_;
    std::vector<uint32_t> excluded_;  // rows, ascending
};

}  // namespace

uint32_t choose_ef(const Snapshot& snapshot, const model::SearchRequest& request,
                   const QuerySettings& settings) {
    // The curve is that of ten results; each further one wants a place in the beam, and some company.
    constexpr uint32_t kCalibratedTop = 10;
    constexpr double kBeamPerResult = 1.5;
    const uint32_t wanted = request.top_k + request.offset;
    if (request.params.ef) {
        return std::max(*request.params.ef, wanted);
    }
    const bool has_filter = request.filter != nullptr && !request.filter->is_empty();
    const double target = request.params.recall_target.value_or(has_filter ? 0 : settings.default_recall);
    const auto curve = snapshot.generation->indexes[settings.vector]->recall.load();
    if (curve == nullptr || curve->is_empty() || target == 0) {
        return std::max(settings.default_ef, wanted);
    }
    const double more = wanted > kCalibratedTop ? kBeamPerResult * (wanted - kCalibratedTop) : 0;
    const auto ef = static_cast<uint32_t>(std::min(curve->ef_for(target) + more, double{model::kEfMax}));
    return std::max({ef, wanted, has_filter ? settings.default_ef : 0});
}

model::SearchReply run_query(const Snapshot& snapshot, const model::SearchRequest& request,
                             const QuerySettings& settings, index::SearchScratch& scratch, QueryCost& cost) {
    return Search(snapshot, request, settings, scratch, cost).run();
}

}  // namespace akidb::engine
