// StopRule: when a walk has gone far enough. A beam of fixed width visits as many rows for an easy query as
// for a hard one. A walk under this rule ends when the nearest row not visited yet is farther than a multiple
// of the k-th nearest found (in the manner of distance-adaptive beam search, Al-Jazzazi et al. 2025): easy
// queries end early, hard ones go on, and one recall costs a third fewer visits where it has to be high
// (docs/index.md). Distances are squared Euclidean ones of the code space; not for dot, whose are products.
//
// The multiple follows from `ef`, so that it goes on to mean what it always did: about as many rows are
// visited. Within r times the distance of the k-th nearest lie about k · r^m rows, m being the intrinsic
// dimension; ef of them, where r² = (ef / k)^(2/m). 2/m is the *growth* of a graph, measured with its recall
// (calibration.h). Thread-compatible.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "index/beam.h"
#include "index/flat_scan.h"
#include "index/top_k.h"

namespace akidb::index {

/// So many rows for each result are visited whatever their distances: of fewer the k-th nearest says little.
inline constexpr uint32_t kVisitsPerResultMin = 2;

class StopRule {
  public:
    /// Of a graph of `count` rows. `nearest` is reset for `results`, and counts the accepted rows alone:
    /// those that were deleted tell nothing of how far the answer reaches.
    StopRule(uint32_t count, uint32_t ef, uint32_t results, float growth, Accept accept, TopK& nearest)
        : accept_(accept), nearest_(nearest), ef_(ef) {
        nearest.reset(results);
        const uint64_t fixed = uint64_t{results} * kVisitsPerResultMin;
        if (growth > 0 && ef > fixed) {
            ratio_ = std::pow(static_cast<float>(ef) / static_cast<float>(results), growth);
            visits_max_ = static_cast<uint32_t>(std::min<uint64_t>(2 * uint64_t{ef} - fixed, count));
        }
    }
    /// A row and its distance by its own code.
    void met(Candidate row) {
        if (ratio_ > 0 && row.distance < nearest_.bound() && accept_(row.ordinal)) {
            has_changed_ |= nearest_.offer(row);
        }
    }
    /// After each visit. The first half of ef goes by a beam of ef alone: among the first rows met there may
    /// be ten alike in a wrong place, and the way out of it is longer than to any of them. Then the beam may
    /// hold up to about twice of ef, nearer than the bound; `margin()` is what the code of a row may be wrong
    /// by.
    template <class Margin>
    void visited(Beam& beam, uint32_t kept_unvisited, Margin margin) {
        if (ratio_ == 0 || ++visits_ < ef_ / 2) {
            return;
        }
        if (visits_ == ef_ / 2) {
            beam.widen(visits_max_ + kept_unvisited, visits_max_);
            has_changed_ = true;
        }
        if (has_changed_ && nearest_.is_full()) {
            beam.set_bound(nearest_.bound() * ratio_ + margin());
            has_changed_ = false;
        }
    }

  private:
    Accept accept_;
    TopK& nearest_;
    uint32_t ef_;
    uint32_t visits_max_ = 0;
    uint32_t visits_ = 0;
    bool has_changed_ = false;
    float ratio_ = 0;  // of squared distances; 0: the beam alone decides
};

/// Of walks while linking: the beam alone decides.
struct NoStopRule {
    void met(Candidate) const {}
    template <class Margin>
    void visited(Beam&, uint32_t, Margin) const {}
};

}  // namespace akidb::index
