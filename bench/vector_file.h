// VectorFile: a `.fbin` file in memory: u32 rows, u32 dimension, then rows × dimension f32, little-endian,
// row-major: the format of the big-ann benchmarks. Throws std::runtime_error with the file's name when it is
// not one. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace akidb::bench {

class VectorFile {
  public:
    explicit VectorFile(const std::string& path);
    /// A copy of its first rows, all when it has no more.
    VectorFile first(size_t rows) const;
    size_t rows() const { return rows_; }
    size_t dimension() const { return dimension_; }
    std::span<const float> row(size_t index) const {
        return {values_.data() + index * dimension_, dimension_};
    }

  private:
    VectorFile() = default;
    size_t rows_ = 0;
    size_t dimension_ = 0;
    std::vector<float> values_;
};

}  // namespace akidb::bench
