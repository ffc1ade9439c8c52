// FilteredWalk: the loops behind filtered_search.h, over any distance. In a two-hop step the neighbours of a
// visited row are tested; those that match are compared with the query, and the lists of those that do not
// are looked through for matches, nearest first, at most half of them and only until about a row's worth of
// matches is found; not at all where half of the row matches (the local choice of NaviX, Sehgal and Salihoglu
// 2025). Rows that do not match steer a walk only while it probes, but for a few that a two-hop walk starts
// from.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "index/filtered_search.h"
#include "index/walk.h"

namespace akidb::index {

/// Rows [0, count), count > 0. `distance(ordinal)` is asked once for each row compared; rows that match are
/// told to `meet(candidate)`, unless `meet.wants(candidate)` is false.
template <class Distance, class Meet>
class FilteredWalk {
  public:
    FilteredWalk(const Rows& rows, const NeighbourLists& lists, const FilteredSearch& search, uint32_t count,
                 SearchScratch::State& state, Distance distance, Meet meet)
        : rows_(rows),
          lists_(lists),
          search_(search),
          count_(count),
          state_(state),
          distance_(distance),
          meet_(meet) {}

    FilteredCost run() {
        state_.marks.reset(count_);
        state_.beam.reset(search_.ef);
        compare_entries();
        while (cost_.hops < search_.probe_hops && visit_inline()) {
        }
        const WalkChoice choice = search_.choose(local_share());
        cost_.kind = choice.kind;
        if (choice.kind == WalkKind::kInline) {
            state_.beam.set_width(choice.width);
            while (!is_spent() && visit_inline()) {
            }
        } else if (choice.kind == WalkKind::kTwoHop) {
            start_two_hop(choice.width);
            while (!is_spent() && visit_two_hop()) {
            }
        } else {
            cost_.is_abandoned = true;
        }
        if (!cost_.is_abandoned) {
            count_held();
        }
        return cost_;
    }

  private:
    static constexpr size_t kLocalRows = 128;    // a share of 30 % within 4 points
    static constexpr size_t kWaypointsMax = 16;  // that do not match, to start a two-hop walk from
    static constexpr size_t kFreshMax = 2 * kDegreeMax;

    bool matches(uint32_t row) {
        ++cost_.tests;
        return search_.matches(row);
    }

    bool is_spent() {
        const double spent = cost_.distances + search_.test_weight * cost_.tests;
        cost_.is_abandoned = spent > search_.spend_max;
        return cost_.is_abandoned;
    }

    void compare_entries() {
        std::array<uint32_t, kEntriesMax> entries;
        const uint32_t count = spread_entries(count_, entries);
        for (uint32_t i = 0; i < count; ++i) {
            state_.marks.set(entries[i]);
            fresh_[found_++] = entries[i];
        }
        compare_fresh([this](Candidate candidate) {
            if (matches(candidate.ordinal)) {
                meet_(candidate);
                matching_entries_[entry_count_++] = candidate;
            }
        });
    }

    /// `tell(candidate)` of each fresh row, which then enters the beam if it is near enough.
    template <class Tell>
    void compare_fresh(Tell tell) {
        for (uint32_t i = 0; i < found_; ++i) {
            rows_.prefetch(fresh_[i]);
        }
        for (uint32_t i = 0; i < found_; ++i) {
            const Candidate candidate{distance_(fresh_[i]), fresh_[i]};
            tell(candidate);
            if (candidate.distance < state_.beam.worst()) {
                state_.beam.insert(candidate);
            }
        }
        cost_.distances += found_;
        found_ = 0;
    }

    bool is_new(uint32_t row) const {  // kNoNeighbour is above every count
        return row < count_ && !state_.marks.is_set(row);
    }

    void prefetch_next() {
        if (const uint32_t next = state_.beam.peek_next(); next != Beam::kNone) {
            lists_.prefetch(next);
        }
    }

    bool visit_inline() {
        const uint32_t row = state_.beam.visit_next();
        if (row == Beam::kNone) {
            return false;
        }
        ++cost_.hops;
        const uint32_t* const list = lists_.list(row);
        for (uint32_t slot = 0; slot < lists_.degree(); ++slot) {
            const uint32_t neighbour = NeighbourLists::load(list + slot);
            if (is_new(neighbour)) {
                state_.marks.set(neighbour);
                fresh_[found_++] = neighbour;
            }
        }
        compare_fresh([this](Candidate candidate) { meet_if_match(candidate); });
        prefetch_next();
        return true;
    }

    void meet_if_match(Candidate candidate) {
        if (meet_.wants(candidate) && matches(candidate.ordinal)) {
            meet_(candidate);
        }
    }

    double local_share() {
        const size_t near = std::min(state_.beam.size(), kLocalRows);
        size_t matching = 0;
        for (size_t i = 0; i < near; ++i) {
            const uint32_t row = state_.beam.at(i).ordinal;
            matching += matches(row) && search_.accept(row) ? 1 : 0;
        }
        return near == 0 ? 0 : static_cast<double>(matching) / static_cast<double>(near);
    }

    // What the probe met and matches, the nearest rows that it did not visit, and the matches among the
    // entries: where none match near the query, they are the way in.
    void start_two_hop(uint32_t width) {
        std::vector<Candidate> start(matching_entries_.begin(),
                                     matching_entries_.begin() + static_cast<ptrdiff_t>(entry_count_));
        size_t waypoints = 0;
        for (size_t i = 0; i < state_.beam.size(); ++i) {
            const Candidate candidate = state_.beam.at(i);
            if (matches(candidate.ordinal)) {
                start.push_back(candidate);
            } else if (i >= search_.probe_hops && waypoints < kWaypointsMax) {
                start.push_back(candidate);
                ++waypoints;
            }
        }
        std::sort(start.begin(), start.end());
        start.erase(std::unique(start.begin(), start.end()), start.end());
        state_.beam.reset(width);
        for (const Candidate& candidate : start) {
            if (candidate.distance < state_.beam.worst()) {
                state_.beam.insert(candidate);
            }
        }
    }

    bool visit_two_hop() {
        const uint32_t row = state_.beam.visit_next();
        if (row == Beam::kNone) {
            return false;
        }
        ++cost_.hops;
        const uint32_t degree = lists_.degree();
        const uint32_t* const list = lists_.list(row);
        uint32_t failing_count = 0;
        for (uint32_t slot = 0; slot < degree; ++slot) {
            const uint32_t neighbour = NeighbourLists::load(list + slot);
            if (!is_new(neighbour)) {
                continue;
            }
            state_.marks.set(neighbour);
            if (matches(neighbour)) {
                fresh_[found_++] = neighbour;
            } else {
                failing_[failing_count++] = neighbour;
            }
        }
        if (found_ < failing_count) {
            expand(std::min(failing_count, degree / 2));
        }
        compare_fresh(meet_);
        prefetch_next();
        return true;
    }

    void expand(uint32_t failing_count) {
        const uint32_t degree = lists_.degree();
        for (uint32_t i = 0; i < failing_count; ++i) {
            lists_.prefetch(failing_[i]);
        }
        for (uint32_t i = 0; i < failing_count && found_ < degree; ++i) {
            const uint32_t* const list = lists_.list(failing_[i]);
            for (uint32_t slot = 0; slot < degree && found_ < kFreshMax; ++slot) {
                const uint32_t neighbour = NeighbourLists::load(list + slot);
                if (is_new(neighbour) && matches(neighbour)) {
                    state_.marks.set(neighbour);
                    fresh_[found_++] = neighbour;
                }
            }
        }
    }

    void count_held() {
        for (size_t i = 0; i < state_.beam.size() && cost_.held < search_.held_wanted; ++i) {
            const uint32_t row = state_.beam.at(i).ordinal;
            cost_.held += search_.matches(row) && search_.accept(row) ? 1 : 0;
        }
    }

    const Rows& rows_;
    const NeighbourLists& lists_;
    const FilteredSearch& search_;
    const uint32_t count_;
    SearchScratch::State& state_;
    Distance distance_;
    Meet meet_;
    FilteredCost cost_;
    std::array<uint32_t, kFreshMax> fresh_;
    uint32_t found_ = 0;
    std::array<uint32_t, kDegreeMax> failing_;
    std::array<Candidate, kEntriesMax> matching_entries_;
    size_t entry_count_ = 0;
};

}  // namespace akidb::index
