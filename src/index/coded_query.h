// CodedQuery: a query made ready to be compared with codes: rotated into the code space, then in the forms
// that each kernel wants. Distances of codes estimate the squared Euclidean distance of the code space (dot:
// the negated product). Reused by its thread. Thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/code_space.h"

namespace akidb::index {

struct RowFactors {
    float scale = 0;
    float squared = 0;  // |x'|²
};

/// Which forms a query is needed in; each costs a microsecond or less at 768 dimensions.
struct QueryForms {
    bool pairs = false;  // to compare with four-bit row codes
    bool table = false;  // to scan one-bit codes
};

class CodedQuery {
  public:
    /// `query` as encode_query made it.
    void set(const CodeSpace& space, const float* query, QueryForms forms);
    /// A row of the space itself, from its eight-bit code: distances are then those the graph is built on.
    void set_row(const CodeSpace& space, const uint8_t* codes, RowFactors factors, QueryForms forms);

    /// |q'|.
    float length() const { return length_; }
    const float* rotated() const { return rotated_.data(); }
    const CodeSpace::Terms& terms() const { return terms_; }
    /// About 4 standard deviations of what rounding a row of this squared norm and the query to eight bits
    /// adds to a distance.
    float margin(float squared) const;

    const int8_t* bytes() const { return bytes_.data(); }
    const int8_t* pairs() const { return pairs_.data(); }
    const uint8_t* table() const { return table_.data(); }

    /// From ⟨codes, bytes()⟩ of an eight-bit row code.
    float distance8(int32_t dot, float scale, float squared) const {
        return terms_.base + terms_.constant * squared -
               weight8_ * scale * static_cast<float>(dot - 128 * sum_);
    }
    float distance4(int32_t dot, float scale, float squared) const {
        return terms_.base + terms_.constant * squared -
               weight8_ * scale * (static_cast<float>(dot) - 7.5f * static_cast<float>(sum_));
    }
    /// To a row whose eight-bit code is given; for a query set to a row.
    float distance_to_row(const uint8_t* codes, RowFactors to) const;
    /// How sums of scan_b1 and scan_b4 become products with the query; base and bound are the caller's.
    simd::Estimate estimate1(size_t steps) const {
        return {terms_.base, terms_.constant, table_scale_, table_offset_ * static_cast<float>(steps), 0};
    }
    simd::Estimate estimate4() const {
        return {terms_.base, terms_.constant, weight8_, -7.5f * weight8_ * static_cast<float>(sum_), 0};
    }

  private:
    void round_to_bytes(uint32_t dimension);
    void make_forms(const CodeSpace& space, QueryForms forms);

    CodeSpace::Terms terms_;
    std::vector<float> rotated_;  // padded_dimension
    std::vector<int8_t> bytes_;   // padded_dimension, zeros at the end
    std::vector<int8_t> pairs_;   // as four-bit row codes lie, see row_codes.h
    std::vector<uint8_t> table_;
    float squared_ = 0;
    float length_ = 0;
    float scale_ = 0;    // bytes · scale is about the rotated query
    float weight8_ = 0;  // terms.weight · scale
    float largest_ = 0;  // component
    int32_t sum_ = 0;    // of bytes
    float table_scale_ = 0;
    float table_offset_ = 0;  // a step
    uint32_t dimension_ = 0;
    const simd::Kernels* kernels_ = nullptr;
};

}  // namespace akidb::index
