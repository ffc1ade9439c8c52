#include "index/metadata_answer.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <variant>

#include "index/metadata_runs.h"
#include "index/nested_outline.h"

namespace akidb::index {
namespace {

using model::Filter;
using model::FilterNode;
using model::HasIdCondition;
using model::MatchCondition;
using model::MinShould;
using model::NestedCondition;

/// Conditions times min_count, that is bitmaps united for one min_should: so many at most, which also keeps
/// those in memory at 32 and fewer. Beyond it, rows that meet one condition are candidates.
constexpr size_t kThresholdSteps = 1024;

class Estimator {
  public:
    Estimator(const MetadataIndexView& view, uint32_t rows) : view_(view), rows_(rows) {}

    // NOLINTNEXTLINE(misc-no-recursion): the depth is held to kFilterDepthMax by validate().
    MatchEstimate of(const Filter& filter) const {
        MatchEstimate all{rows_, rows_};
        for (const FilterNode& node : filter.must) {
            all = both(all, of(node));
        }
        for (const FilterNode& node : filter.must_not) {
            const MatchEstimate met = of(node);
            all = both(all, {rows_ - met.high, rows_ - met.low});
        }
        MatchEstimate any;
        for (const FilterNode& node : filter.should) {
            const MatchEstimate met = of(node);
            any = {std::max(any.low, met.low), std::min(rows_, any.high + met.high)};
        }
        if (!filter.should.empty()) {
            all = both(all, any);
        }
        return filter.min_should ? both(all, enough_of(*filter.min_should)) : all;
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    MatchEstimate of(const FilterNode& node) const {
        return std::visit(
            [&](const auto& condition) {
                using Condition = std::decay_t<decltype(condition)>;
                if constexpr (std::is_same_v<Condition, std::shared_ptr<Filter>>) {
                    return condition == nullptr ? MatchEstimate{rows_, rows_} : of(*condition);
                } else if constexpr (std::is_same_v<Condition, HasIdCondition>) {
                    return MatchEstimate{0, std::min<uint64_t>(condition.ids.size(), rows_)};
                } else if constexpr (std::is_same_v<Condition, NestedCondition>) {
                    return MatchEstimate{0, view_.fields.empty() ? rows_ : of(outline_of(condition)).high};
                } else if constexpr (kIsOfColumns<Condition>) {
                    return of_condition(condition);
                } else {
                    return MatchEstimate{0, rows_};
                }
            },
            node);
    }

    /// The rows' counts of conditions met sum up to the conditions' counts of rows. In that sum a row with
    /// enough is worth min_count at least and all conditions at most, another one at most min_count - 1.
    // NOLINTNEXTLINE(misc-no-recursion)
    MatchEstimate enough_of(const MinShould& wanted) const {
        const uint64_t conditions = wanted.conditions.size();
        if (wanted.min_count == 0) {
            return {rows_, rows_};
        }
        if (wanted.min_count > conditions) {
            return {};
        }
        MatchEstimate sum;
        for (const FilterNode& node : wanted.conditions) {
            const MatchEstimate met = of(node);
            sum.low += met.low;
            sum.high += met.high;
        }
        const uint64_t others_most = (wanted.min_count - 1) * rows_;
        const uint64_t beyond = sum.low - std::min(sum.low, others_most);
        return {beyond / (conditions - wanted.min_count + 1), std::min(rows_, sum.high / wanted.min_count)};
    }

    template <class Condition>
    MatchEstimate of_condition(const Condition& condition) const {
        const IndexedField* field = view_.find(condition.key);
        if (field == nullptr || !is_answered(*field, condition)) {
            return {0, rows_};
        }
        MatchEstimate sum;
        for (const auto& block : field->blocks) {
            add_block(*block, condition, sum);
        }
        // Rows that the index lacks may match; rows that it has and the reader does not see may be the ones
        // counted.
        sum.high += rows_ - std::min<uint64_t>(rows_, field->indexed);
        const uint64_t unseen = std::max<uint64_t>(rows_, field->indexed) - rows_;
        return {std::min(sum.low - std::min(sum.low, unseen), rows_), std::min(sum.high, rows_)};
    }

    template <class Condition>
    static void add_block(const MetadataBlock& block, const Condition& condition, MatchEstimate& sum) {
        std::vector<std::pair<size_t, size_t>> runs;
        for_each_run(block, condition, [&](const auto&, auto run) { runs.emplace_back(run.begin, run.end); });
        std::sort(runs.begin(), runs.end());
        runs.erase(std::unique(runs.begin(), runs.end()), runs.end());  // a list may name a value twice
        uint64_t entries = 0;
        uint64_t longest = 0;
        for (const auto& [begin, end] : runs) {
            entries += end - begin;
            longest = std::max<uint64_t>(longest, end - begin);
        }
        const bool counts_rows = block.holds_one_each || entries == 0;
        const uint64_t met = std::min<uint64_t>(entries, block.end - block.begin);
        if (!is_negated(condition)) {
            sum.high += met;
            // Rows of one value are distinct; those of several may be the same.
            sum.low += counts_rows ? met : std::is_same_v<Condition, MatchCondition> ? longest : 0;
            return;
        }
        const uint64_t all =
            std::min<uint64_t>(block.entries() + block.others.size(), block.end - block.begin);
        const bool is_known = block.holds_one_each && block.others.empty();
        sum.low += is_known ? all - std::min(all, met) : 0;
        sum.high += is_known ? all - std::min(all, met) : all;
    }

    MatchEstimate both(MatchEstimate a, MatchEstimate b) const {
        return {a.low + b.low > rows_ ? a.low + b.low - rows_ : 0, std::min(a.high, b.high)};
    }

    const MetadataIndexView& view_;
    const uint64_t rows_;
};

class Finder {
  public:
    Finder(const MetadataIndexView& view, uint32_t rows, const FindRow& find_row)
        : view_(view), rows_(rows), find_row_(find_row) {}

    // NOLINTNEXTLINE(misc-no-recursion)
    Candidates of(const Filter& filter) const {
        Candidates all{std::nullopt, rows_};
        for (const FilterNode& node : filter.must) {
            intersect(all, of(node));
        }
        for (const FilterNode& node : filter.must_not) {
            intersect(all, complement(of(node)));
        }
        if (!filter.should.empty()) {
            intersect(all, any_of(filter.should));
        }
        if (filter.min_should) {
            intersect(all, enough_of(*filter.min_should));
        }
        return all;
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    Candidates of(const FilterNode& node) const {
        return std::visit(
            [&](const auto& condition) {
                using Condition = std::decay_t<decltype(condition)>;
                if constexpr (std::is_same_v<Condition, std::shared_ptr<Filter>>) {
                    return condition == nullptr ? Candidates{std::nullopt, rows_} : of(*condition);
                } else if constexpr (std::is_same_v<Condition, HasIdCondition>) {
                    return of_ids(condition);
                } else if constexpr (std::is_same_v<Condition, NestedCondition>) {
                    return view_.fields.empty() ? Candidates{std::nullopt, 0}
                                                : Candidates{of(outline_of(condition)).rows, 0};
                } else if constexpr (kIsOfColumns<Condition>) {
                    return of_condition(condition);
                } else {
                    return Candidates{std::nullopt, 0};
                }
            },
            node);
    }

    Candidates of_ids(const HasIdCondition& condition) const {
        std::vector<uint32_t> found;
        found.reserve(condition.ids.size());
        for (const std::string& id : condition.ids) {
            if (const uint32_t row = find_row_(id); row < rows_) {
                found.push_back(row);
            }
        }
        return {Bitmap::of_rows(std::move(found)), rows_};
    }

    template <class Condition>
    Candidates of_condition(const Condition& condition) const {
        const IndexedField* field = view_.find(condition.key);
        if (field == nullptr || !is_answered(*field, condition)) {
            return {std::nullopt, 0};
        }
        Bitmap met = gather(*field, [&](const MetadataBlock& block, ChunkRows& rows) {
            for_each_run(block, condition, [&](const auto& column, auto run) { column.collect(run, rows); });
        });
        if (is_negated(condition)) {
            Bitmap all = gather(*field, [&](const MetadataBlock& block, ChunkRows& rows) {
                block.numbers.collect(block.numbers.all(), rows);
                block.texts.collect(block.texts.all(), rows);
                rows.add(block.others);
            });
            all.subtract(met);
            met = std::move(all);
        }
        met.unite(Bitmap::of_range(field->indexed, rows_));
        return {std::move(met), std::min(field->indexed, rows_)};
    }

    template <class Add>
    static Bitmap gather(const IndexedField& field, Add add) {
        Bitmap gathered;
        ChunkRows rows;
        for (size_t i = 0; i < field.blocks.size(); ++i) {
            add(*field.blocks[i], rows);
            const uint32_t chunk = field.blocks[i]->begin >> ChunkRows::kShift;
            const bool is_last =
                i + 1 == field.blocks.size() || field.blocks[i + 1]->begin >> ChunkRows::kShift != chunk;
            if (is_last) {
                gathered.set_chunk(chunk, std::exchange(rows, {}));
            }
        }
        return gathered;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Candidates any_of(const std::vector<FilterNode>& nodes) const {
        Candidates any{Bitmap(), rows_};
        for (const FilterNode& node : nodes) {
            Candidates met = of(node);
            any.exact_below = std::min(any.exact_below, met.exact_below);
            if (!met.rows) {
                any.rows.reset();
            } else if (any.rows) {
                any.rows->unite(*met.rows);
            }
        }
        return any;
    }

    /// A condition that no index answers may be met by any row, so that fewer of the others must be.
    // NOLINTNEXTLINE(misc-no-recursion)
    Candidates enough_of(const MinShould& wanted) const {
        if (wanted.min_count == 0) {
            return {std::nullopt, rows_};
        }
        if (wanted.min_count > wanted.conditions.size()) {
            return {Bitmap(), rows_};
        }
        const bool is_dear = wanted.conditions.size() * wanted.min_count > kThresholdSteps;
        std::vector<Bitmap> in_at_least(is_dear ? 1 : wanted.min_count);  // one, two, … of the answers
        Candidates enough{std::nullopt, rows_};
        size_t unanswered = 0;
        for (const FilterNode& node : wanted.conditions) {
            const Candidates met = of(node);
            enough.exact_below = std::min(enough.exact_below, met.exact_below);
            if (met.rows) {
                count_in(in_at_least, *met.rows);
            } else {
                ++unanswered;
            }
        }
        if (unanswered < wanted.min_count) {
            enough.rows = std::move(in_at_least[is_dear ? 0 : wanted.min_count - unanswered - 1]);
            enough.exact_below = is_dear ? 0 : enough.exact_below;
        }
        return enough;
    }

    static void count_in(std::vector<Bitmap>& in_at_least, const Bitmap& one_more) {
        for (size_t i = in_at_least.size() - 1; i > 0; --i) {
            Bitmap both = in_at_least[i - 1];
            both.intersect(one_more);
            in_at_least[i].unite(both);
        }
        in_at_least[0].unite(one_more);
    }

    /// Below exact_below the others; from there on, where a candidate may or may not have matched, all.
    Candidates complement(const Candidates& met) const {
        if (met.exact_below == 0) {
            return {std::nullopt, 0};
        }
        Bitmap others = Bitmap::of_range(0, met.exact_below);
        if (met.rows) {
            others.subtract(*met.rows);
        } else {
            others = Bitmap();
        }
        others.unite(Bitmap::of_range(met.exact_below, rows_));
        return {std::move(others), met.exact_below};
    }

    static void intersect(Candidates& all, Candidates met) {
        all.exact_below = std::min(all.exact_below, met.exact_below);
        if (!all.rows) {
            all.rows = std::move(met.rows);
        } else if (met.rows) {
            all.rows->intersect(*met.rows);
        }
    }

    const MetadataIndexView& view_;
    const uint32_t rows_;
    const FindRow& find_row_;
};

}  // namespace

MatchEstimate estimate_matches(const MetadataIndexView& view, const model::Filter& filter, uint32_t rows) {
    return Estimator(view, rows).of(filter);
}

Candidates find_candidates(const MetadataIndexView& view, const model::Filter& filter, uint32_t rows,
                           FindRow find_row) {
    return Finder(view, rows, find_row).of(filter);
}

}  // namespace akidb::index
