// ChunkedRows: the rows of a set in chunks as the row store has them, in large pages, in the order in which
// an index inserts them. Thread-compatible; no errors but those of running out of memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/index_engine.h"
#include "index/pages.h"
#include "index/rows.h"

namespace akidb::bench {

inline model::Metric model_metric(Metric metric) {
    switch (metric) {
        case Metric::kCosine:
            return model::Metric::kCosine;
        case Metric::kDot:
            return model::Metric::kDot;
        case Metric::kL2:
            return model::Metric::kL2;
    }
    return model::Metric::kL2;
}

class ChunkedRows {
  public:
    ChunkedRows(Metric metric, OrderedBase base, const std::string& kernels = {},
                model::VectorStorage storage = model::VectorStorage::kF32)
        : rows_({model_metric(metric), static_cast<uint32_t>(base.dimension()), storage},
                simd::choose_kernels(kernels.c_str())),
          count_(static_cast<uint32_t>(base.rows())) {
        const size_t row_bytes = rows_.row_bytes();
        for (uint32_t first = 0; first < count_; first += index::kRowsPerChunk) {
            chunks_.emplace_back(index::kRowsPerChunk * row_bytes, index::Pages::Size::kLarge);
            auto* const chunk = static_cast<std::byte*>(chunks_.back().data());
            for (uint32_t row = first; row < std::min(first + index::kRowsPerChunk, count_); ++row) {
                index::encode_row(rows_.shape(), base.row(row),
                                  std::span(chunk + (row - first) * row_bytes, row_bytes));
            }
            rows_.set_chunk(first / index::kRowsPerChunk, chunk);
        }
    }

    const index::Rows& rows() const { return rows_; }
    uint32_t count() const { return count_; }

  private:
    index::Rows rows_;
    uint32_t count_;
    std::vector<index::Pages> chunks_;
};

}  // namespace akidb::bench
