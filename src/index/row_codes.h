// RowCodes: what is kept of each row in few bits, beside the rows: an eight-bit code (building, exact enough
// for ranking), at wish a four-bit code (walking in little memory), and a one-bit code in blocks of 32 rows
// (scanning the head). All are symmetric round a row's own scale: component ≈ scale · (code − middle), where
// the scale makes ⟨x', code⟩ unbiased (Gao and Long 2024, extended RaBitQ). One writer encodes rows in order;
// readers use rows below encoded(). Thread-safe so.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "index/code_space.h"
#include "index/coded_query.h"
#include "index/record_array.h"

namespace akidb::index {

/// A squared length beyond which a vector has no code: it is encoded as a zero of this squared norm, farther
/// than all others, and only exact distances tell such vectors apart.
inline constexpr float kFarthestSquared = 1e30f;

/// Bytes of a four-bit row code, factors included: component 2j in the low half and 2j + 1 in the high half
/// of byte j; what dots_u4 reads.
size_t pair_code_bytes(uint32_t dimension);
/// Puts a query's bytes where the components of four-bit codes meet them, zeros elsewhere.
void arrange_pairs(const int8_t* bytes, uint32_t dimension, std::span<int8_t> pairs);

/// Four-bit codes of a vector of the space: one over the step between levels, and the level 0…15 of a
/// component, which stands for a multiple of level − 7.5.
float inverse_step4(const CodeSpace& space, const float* vector);
inline float level4(float component, float inverse_step) {
    return std::clamp(std::floor(component * inverse_step + 8), 0.0f, 15.0f);
}

class RowCodes;

/// One-bit codes of some rows, 32 to a block. One writer; readers use rows that it published.
class ScanBlocks {
  public:
    /// Room for `rows` rows like those of `codes`.
    ScanBlocks(uint32_t rows, const RowCodes& codes);
    /// The code of a row as the one at `place`.
    void copy(const RowCodes& codes, uint32_t ordinal, uint32_t place) const;
    /// Distances of the 32 rows of a block.
    void scan(const RowCodes& codes, const CodedQuery& query, uint32_t block, float* distances) const;

  private:
    size_t record_bytes_;
    Pages records_;
};

class RowCodes {
  public:
    RowCodes(const CodeSpace& space, bool has_pairs);

    /// The writer: rows [encoded(), end).
    void encode(uint32_t end);
    uint32_t encoded() const { return encoded_.load(std::memory_order_acquire); }

    const uint8_t* codes8(uint32_t ordinal) const { return codes8_.at(ordinal); }
    RowFactors factors8(uint32_t ordinal) const {
        return factors_at(codes8_.at(ordinal), codes8_.record_bytes());
    }
    bool has_pairs() const { return codes4_.has_value(); }
    void prefetch8(uint32_t ordinal) const { codes8_.prefetch(ordinal, kPrefetchLines); }
    void prefetch4(uint32_t ordinal) const { codes4_->prefetch(ordinal, kPrefetchLines); }

    /// Distances of `count` rows by their eight-bit (four-bit) codes.
    void distances8(const CodedQuery& query, const uint32_t* ordinals, uint32_t count, float* out) const;
    void distances4(const CodedQuery& query, const uint32_t* ordinals, uint32_t count, float* out) const;
    /// Distances of rows [32 · block, 32 · block + 32) by their one-bit codes; bit i of the answer says that
    /// row i may be nearer than `bound`: its distance less the error that one-bit codes stay within for 999
    /// rows in 1,000. Rows not encoded yet are anything.
    uint32_t scan_block(const CodedQuery& query, uint32_t block, float bound, float* distances) const;

    size_t bytes() const;

  private:
    friend class ScanBlocks;
    static constexpr size_t kPrefetchLines = 14;

    // The last eight bytes of a record.
    static RowFactors factors_at(const uint8_t* record, size_t bytes) {
        RowFactors factors;
        __builtin_memcpy(&factors, record + bytes - sizeof(factors), sizeof(factors));
        return factors;
    }
    void encode8(const float* vector, float squared, uint8_t* record) const;
    void encode4(const float* vector, float squared, uint8_t* record) const;
    void encode1(const float* vector, float squared, uint32_t ordinal) const;
    void scan_record(const CodedQuery& query, const uint8_t* record, float* distances) const;

    const CodeSpace& space_;
    const size_t steps_;  // of a one-bit code
    RecordArray codes8_;
    std::optional<RecordArray> codes4_;
    RecordArray scans_;
    std::atomic<uint32_t> encoded_{0};
    std::vector<float> vector_;  // the writer's
};

}  // namespace akidb::index
