// VectorFile: rows of floats from .fbin (u32 rows, u32 dimension, then f32; the format of the big-ann
// benchmarks), .npy (versions 1 to 3, little-endian f4 or f8, C order, two axes) or .csv (a row a line,
// numbers with commas between; a first line that is none is passed over as their names). The header is
// checked against the size of the file before anything is allocated. Errors: kNotFound, kInvalidArgument
// (what about the file is not as above), kDataLoss (file and header disagree). Thread-compatible.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/result.h"

namespace akidb::cli {

class VectorFile {
  public:
    static Result<VectorFile> open(const std::string& path);

    uint64_t rows() const { return rows_; }
    uint32_t dimension() const { return dimension_; }
    /// Rows [first, first + count) into `out`, which is resized; they must exist.
    Result<void> read(uint64_t first, uint32_t count, std::vector<float>& out);

  private:
    explicit VectorFile(std::string path) : path_(std::move(path)) {}
    Result<void> read_fbin_header();
    Result<void> read_npy_header();
    Result<void> understand_npy(const std::string& header);
    Result<void> read_csv_head();
    Result<void> read_csv(uint64_t first, uint32_t count, std::vector<float>& out);

    std::string path_;
    std::ifstream file_;
    uint64_t rows_ = 0;
    uint32_t dimension_ = 0;
    uint64_t data_at_ = 0;
    bool is_double_ = false;
    bool is_csv_ = false;
    uint64_t csv_head_lines_ = 0;  // names of columns
    uint64_t next_csv_row_ = 0;    // where the file stands
};

}  // namespace akidb::cli
