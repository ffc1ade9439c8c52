// Seeded data sets and exact answers for the tests of this layer. Thread-compatible; errors do not occur. A
// DataSet owns the chunks its Rows point to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "index/rows.h"
#include "index/top_k.h"

namespace akidb::index::testing {

using Vector = std::vector<float>;

inline std::vector<Vector> gaussian_clusters(uint32_t count, uint32_t dimension, uint32_t clusters,
                                             uint32_t seed, float spread = 0.3f) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<Vector> centres(clusters, Vector(dimension));
    for (Vector& centre : centres) {
        std::generate(centre.begin(), centre.end(), [&] { return normal(random); });
    }
    std::vector<Vector> vectors;
    for (uint32_t i = 0; i < count; ++i) {
        Vector vector = centres[random() % clusters];
        for (float& component : vector) {
            component += spread * normal(random);
        }
        vectors.push_back(std::move(vector));
    }
    return vectors;
}

/// Points along a line in the first two dimensions, in shuffled order.
inline std::vector<Vector> line(uint32_t count, uint32_t seed) {
    std::vector<Vector> vectors(count, Vector(16));
    for (uint32_t i = 0; i < count; ++i) {
        vectors[i][0] = static_cast<float>(i);
        vectors[i][1] = 0.5f * static_cast<float>(i);
    }
    std::shuffle(vectors.begin(), vectors.end(), std::mt19937(seed));
    return vectors;
}

class DataSet {
  public:
    DataSet(model::Metric metric, const std::vector<Vector>& vectors,
            model::VectorStorage storage = model::VectorStorage::kF32)
        : rows_({metric, static_cast<uint32_t>(vectors.front().size()), storage}),
          count_(static_cast<uint32_t>(vectors.size())) {
        const size_t row_bytes = rows_.row_bytes();
        for (uint32_t i = 0; i < count_; ++i) {
            if (i % kRowsPerChunk == 0) {
                chunks_.push_back(std::make_unique<std::byte[]>(kRowsPerChunk * row_bytes));
                rows_.set_chunk(i >> kChunkShift, chunks_.back().get());
            }
            encode_row(rows_.shape(), vectors[i],
                       std::span(chunks_.back().get() + i % kRowsPerChunk * row_bytes, row_bytes));
        }
    }

    const Rows& rows() const { return rows_; }
    uint32_t count() const { return count_; }
    Vector query(std::span<const float> vector) const {
        Vector encoded(rows_.query_size());
        encode_query(rows_.metric(), vector, encoded);
        return encoded;
    }
    /// By definition, without the scan under test.
    std::vector<Candidate> nearest(const Vector& query, size_t k) const {
        std::vector<Candidate> all;
        for (uint32_t i = 0; i < count_; ++i) {
            all.push_back({rows_.distance(query.data(), i), i});
        }
        std::sort(all.begin(), all.end());
        all.resize(std::min(all.size(), k));
        return all;
    }

  private:
    Rows rows_;
    uint32_t count_;
    std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

inline constexpr auto kAcceptAll = [](uint32_t) { return true; };
inline constexpr auto kNeverCancelled = [] { return false; };

}  // namespace akidb::index::testing
