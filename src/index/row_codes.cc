#include "index/row_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/assert.h"

namespace akidb::index {
namespace {

constexpr uint32_t kRows = simd::kScanRows;
// The error is nearly normal, so that it passes this many deviations to one side for 1 row in 2,000. The 1.9
// of Gao and Long 2024 would lose 1 in 40, measured (codes_test.cc).
constexpr float kErrorDeviations = 3.3f;
// Shrinking the range to this share of the largest component loses least squared error on four-bit codes of
// rotated vectors, whose components are nearly normal.
constexpr std::array<float, 4> kShrinks{1.0f, 0.85f, 0.72f, 0.6f};

size_t record8_bytes(uint32_t dimension) {
    return (dimension + sizeof(RowFactors) + 63) / 64 * 64;
}

void put_factors(uint8_t* record, size_t bytes, RowFactors factors) {
    std::memcpy(record + bytes - sizeof(factors), &factors, sizeof(factors));
}

float load_relaxed(const float* at) {
    return std::atomic_ref<float>(*const_cast<float*>(at)).load(std::memory_order_relaxed);
}

}  // namespace

// Blocks of 64 bytes, the last one of 32 where that is enough.
size_t pair_code_bytes(uint32_t dimension) {
    return ((dimension + 1) / 2 + sizeof(RowFactors) + 31) / 32 * 32;
}

void arrange_pairs(const int8_t* bytes, uint32_t dimension, std::span<int8_t> pairs) {
    std::fill(pairs.begin(), pairs.end(), int8_t{0});
    const size_t code_bytes = pairs.size() / 2;
    for (size_t i = 0; i < dimension; ++i) {
        const size_t byte = i / 2;
        const size_t block = byte / 64;
        const size_t width = std::min<size_t>(64, code_bytes - block * 64);
        pairs[block * 128 + i % 2 * width + byte % 64] = bytes[i];
    }
}

float inverse_step4(const CodeSpace& space, const float* vector) {
    const uint32_t dimension = space.dimension();
    const float largest = space.kernels().largest_f32(vector, dimension);
    float best_error = std::numeric_limits<float>::max();
    float best_inverse = 0;
    for (const float shrink : kShrinks) {
        const float step = largest * shrink / 7.5f;
        const float inverse = step > 0 ? 1 / step : 0;
        float error = 0;
        for (uint32_t i = 0; i < dimension; ++i) {
            const float lost = vector[i] - (level4(vector[i], inverse) - 7.5f) * step;
            error += lost * lost;
        }
        if (error < best_error) {
            best_error = error;
            best_inverse = inverse;
        }
    }
    return best_inverse;
}

RowCodes::RowCodes(const CodeSpace& space, bool has_pairs)
    : space_(space),
      steps_(space.scan_steps(simd::kScanDimensions1)),
      codes8_(record8_bytes(space.dimension())),
      // Three factors a row: |x'|², the scale, the error.
      scans_(steps_ * simd::kScanStepBytes + 3 * kRows * sizeof(float)),
      vector_(space.padded_dimension()) {
    if (has_pairs) {
        codes4_.emplace(pair_code_bytes(space.dimension()));
    }
}

void RowCodes::encode(uint32_t end) {
    uint32_t next = encoded_.load(std::memory_order_relaxed);
    codes8_.reserve(end);
    if (codes4_) {
        codes4_->reserve(end);
    }
    scans_.reserve((end + kRows - 1) / kRows);
    for (; next < end; ++next) {
        space_.place_row(next, vector_.data());
        float squared = space_.kernels().dot_f32(vector_.data(), vector_.data(), vector_.size());
        if (!(squared < kFarthestSquared)) {
            std::fill(vector_.begin(), vector_.end(), 0.0f);
            squared = kFarthestSquared;
        }
        encode8(vector_.data(), squared, codes8_.at(next));
        if (codes4_) {
            encode4(vector_.data(), squared, codes4_->at(next));
        }
        encode1(vector_.data(), squared, next);
    }
    encoded_.store(next, std::memory_order_release);
}

void RowCodes::encode8(const float* vector, float squared, uint8_t* record) const {
    const uint32_t dimension = space_.dimension();
    const float largest = space_.kernels().largest_f32(vector, dimension);
    const float inverse = largest > 0 ? 127 / largest : 0;
    float product = 0;
    for (uint32_t i = 0; i < dimension; ++i) {
        const int code = static_cast<int>(vector[i] * inverse + 128.5f);
        record[i] = static_cast<uint8_t>(code);
        product += vector[i] * static_cast<float>(code - 128);
    }
    const float scale = product > 0 ? std::min(squared / product, largest / 64) : 0;
    put_factors(record, codes8_.record_bytes(), {scale, squared});
}

void RowCodes::encode4(const float* vector, float squared, uint8_t* record) const {
    const float inverse = inverse_step4(space_, vector);
    std::memset(record, 0, codes4_->record_bytes());
    float product = 0;
    for (uint32_t i = 0; i < space_.dimension(); ++i) {
        const float level = level4(vector[i], inverse);
        product += vector[i] * (level - 7.5f);
        record[i / 2] = static_cast<uint8_t>(record[i / 2] | static_cast<unsigned>(level) << (i % 2 * 4));
    }
    put_factors(record, codes4_->record_bytes(), {product > 0 ? squared / product : 0, squared});
}

// The error of the estimated product is that of a random direction: |x'| · |q'| · √((1 − c²)/c²/(d − 1)),
// where c is the cosine between x' and its code.
void RowCodes::encode1(const float* vector, float squared, uint32_t ordinal) const {
    uint8_t* const block = scans_.at(ordinal / kRows);
    const uint32_t row = ordinal % kRows;
    float sum = 0;
    for (size_t step = 0; step < steps_; ++step) {
        uint32_t word = 0;
        for (uint32_t bit = 0; bit < simd::kScanDimensions1; ++bit) {
            const float component = vector[step * simd::kScanDimensions1 + bit];
            word |= component > 0 ? 1u << bit : 0u;
            sum += std::abs(component);
        }
        store_relaxed(block + step * simd::kScanStepBytes + row * sizeof(word), word);
    }
    const auto dimension = static_cast<float>(space_.dimension());
    uint8_t* const factors = block + steps_ * simd::kScanStepBytes + row * sizeof(float);
    // A zero has no error, and neither has what is encoded as one.
    const float cosine_squared = sum > 0 ? sum * sum / squared / dimension : 1;
    store_relaxed(factors, squared);
    store_relaxed(factors + kRows * sizeof(float), sum > 0 ? squared / sum : 0);
    store_relaxed(factors + 2 * kRows * sizeof(float),
                  std::sqrt(squared * std::max(1 / cosine_squared - 1, 0.0f) / (dimension - 1)));
}

void RowCodes::distances8(const CodedQuery& query, const uint32_t* ordinals, uint32_t count,
                          float* out) const {
    constexpr uint32_t kBatch = 64;
    std::array<const uint8_t*, kBatch> records{};
    std::array<int32_t, kBatch> dots;
    AKIDB_ASSERT(count <= kBatch);
    for (uint32_t i = 0; i < count; ++i) {
        records[i] = codes8_.at(ordinals[i]);
    }
    space_.kernels().dots_u8(records.data(), count, query.bytes(), space_.dimension(), dots.data());
    for (uint32_t i = 0; i < count; ++i) {
        const RowFactors factors = factors_at(records[i], codes8_.record_bytes());
        out[i] = query.distance8(dots[i], factors.scale, factors.squared);
    }
}

void RowCodes::distances4(const CodedQuery& query, const uint32_t* ordinals, uint32_t count,
                          float* out) const {
    constexpr uint32_t kBatch = 64;
    std::array<const uint8_t*, kBatch> records{};
    std::array<int32_t, kBatch> dots;
    AKIDB_ASSERT(count <= kBatch);
    for (uint32_t i = 0; i < count; ++i) {
        records[i] = codes4_->at(ordinals[i]);
    }
    space_.kernels().dots_u4(records.data(), count, query.pairs(), 2 * codes4_->record_bytes(), dots.data());
    for (uint32_t i = 0; i < count; ++i) {
        const RowFactors factors = factors_at(records[i], codes4_->record_bytes());
        out[i] = query.distance4(dots[i], factors.scale, factors.squared);
    }
}

uint32_t RowCodes::scan_block(const CodedQuery& query, uint32_t block, float bound, float* distances) const {
    const uint8_t* const record = scans_.at(block);
    const float* const factors = reinterpret_cast<const float*>(record + steps_ * simd::kScanStepBytes);
    scan_record(query, record, distances);
    const float reach = kErrorDeviations * query.terms().weight * query.length();
    uint32_t nearer = 0;
    for (uint32_t i = 0; i < kRows; ++i) {
        // Atomic: the writer may be encoding a later row of the block.
        const float error = load_relaxed(factors + 2 * kRows + i);
        nearer |= distances[i] - reach * error < bound ? 1u << i : 0u;
    }
    return nearer;
}

void RowCodes::scan_record(const CodedQuery& query, const uint8_t* record, float* distances) const {
    std::array<int32_t, kRows> sums;
    space_.kernels().scan_b1(record, query.table(), steps_, sums.data());
    simd::Estimate estimate = query.estimate1(steps_);
    estimate.bound = std::numeric_limits<float>::infinity();
    space_.kernels().estimate_32(sums.data(),
                                 reinterpret_cast<const float*>(record + steps_ * simd::kScanStepBytes),
                                 estimate, distances);
}

ScanBlocks::ScanBlocks(uint32_t rows, const RowCodes& codes)
    : record_bytes_(codes.scans_.record_bytes()),
      records_((rows + kRows - 1) / kRows * record_bytes_, Pages::Size::kSmall) {}

void ScanBlocks::copy(const RowCodes& codes, uint32_t ordinal, uint32_t place) const {
    const uint8_t* const from = codes.scans_.at(ordinal / kRows) + ordinal % kRows * sizeof(uint32_t);
    uint8_t* const to = static_cast<uint8_t*>(records_.data()) + place / kRows * record_bytes_ +
                        place % kRows * sizeof(uint32_t);
    const size_t words = codes.scans_.record_bytes() / simd::kScanStepBytes;
    for (size_t i = 0; i < words; ++i) {  // of the code, then of the factors
        uint32_t word = 0;
        std::memcpy(&word, from + i * simd::kScanStepBytes, sizeof(word));
        store_relaxed(to + i * simd::kScanStepBytes, word);
    }
}

void ScanBlocks::scan(const RowCodes& codes, const CodedQuery& query, uint32_t block,
                      float* distances) const {
    codes.scan_record(query, static_cast<const uint8_t*>(records_.data()) + block * record_bytes_, distances);
}

size_t RowCodes::bytes() const {
    return codes8_.bytes() + (codes4_ ? codes4_->bytes() : 0) + scans_.bytes();
}

}  // namespace akidb::index
