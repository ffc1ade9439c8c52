// EdgeCodes: beside each row, codes of its neighbours' differences from it, laid so that one scan estimates
// the query's distance to all of them (Gou et al. 2025, SymphonyQG): a walk then reads one place per hop
// instead of one per neighbour. One bit a component, or four where the dimension is too low for one to tell
// enough. With r = n' − x' and its code c: |q' − n'|² = |q' − x'|² + |r|² + 2s⟨c, x'⟩ − 2s⟨c, q'⟩, s = |r|² /
// ⟨r, c⟩; |q' − x'|² comes from the row's eight-bit code. Per slot two floats are kept, |r|² + 2s⟨c, x'⟩ and
// s. Each 32-bit word belongs to one neighbour and is stored whole: a reader that meets a slot while the
// builder rewrites it misjudges one estimate, never a result. The builder writes, any thread reads.
#pragma once

#include <cstdint>
#include <vector>

#include "index/coded_query.h"
#include "index/record_array.h"
#include "index/row_codes.h"

namespace akidb::index {

class EdgeCodes {
  public:
    /// `degree` is at most 64, `bits` 1 or 4.
    EdgeCodes(const CodeSpace& space, uint32_t degree, uint32_t bits);

    uint32_t bits() const { return bits_; }
    void reserve(uint32_t end) { records_.reserve(end); }

    /// Room for the code of one difference; per builder thread.
    struct Edge {
        std::vector<uint8_t> levels;
        simd::EdgeSums sums;
        float scale = 0;
    };
    /// Encodes `to` − from, where `from` is a query set to a row.
    void encode(const CodedQuery& from, const uint8_t* to_codes, RowFactors to, Edge& edge) const;
    /// Puts the edge into a slot of the row that it starts from…
    void store(uint32_t row, uint32_t slot, const Edge& edge) const;
    /// …or, turned round, into one of the row that it leads to.
    void store_reversed(uint32_t row, uint32_t slot, const Edge& edge) const;

    /// Distances of the `degree` neighbours of a row that is `distance` from the query; bit i of the answer
    /// is set where distances[i] < bound. Slots without a neighbour are anything.
    uint64_t scan(const CodedQuery& query, uint32_t row, float distance, float bound, float* distances) const;
    void prefetch(uint32_t row, size_t lines_max) const { records_.prefetch(row, lines_max); }

    size_t bytes() const { return records_.bytes(); }

  private:
    void put(uint32_t row, uint32_t slot, const Edge& edge, float from_product, uint32_t flip) const;

    const CodeSpace& space_;
    const uint32_t degree_;
    const uint32_t bits_;
    const size_t steps_;
    const size_t group_bytes_;  // of 32 neighbours
    RecordArray records_;
};

}  // namespace akidb::index
