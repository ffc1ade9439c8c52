// BatchReader: vectors and their metadata, row by row, as bodies of PUT /documents. Floats are written in
// their shortest form that reads back exactly. Errors name file and line. Thread-compatible.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/vector_file.h"

namespace akidb::cli {

struct Batch {
    uint64_t first_row = 0;
    uint32_t count = 0;
    std::string body;
};

struct BatchOptions {
    std::string metadata;  // path of JSON Lines; empty = none
    std::string ids_from;  // field of the metadata; empty = the row number
    uint32_t batch_rows = 500;
    uint64_t first_row = 0;
};

class BatchReader {
  public:
    /// Counts the lines of the metadata (kInvalidArgument when they are not as many as the rows) and skips to
    /// first_row.
    static Result<BatchReader> open(VectorFile vectors, BatchOptions options);
    /// Nothing after the last row.
    Result<std::optional<Batch>> next();

  private:
    BatchReader(VectorFile vectors, BatchOptions options)
        : vectors_(std::move(vectors)), options_(std::move(options)), next_row_(options_.first_row) {}
    Result<void> append_document(uint64_t row, const float* vector, std::string& body);

    VectorFile vectors_;
    BatchOptions options_;
    std::ifstream metadata_;
    uint64_t next_row_;
    std::vector<float> floats_;
};

/// Of a whole text file, which stands at its beginning afterwards. `flag` is named in errors.
Result<uint64_t> count_lines(std::ifstream& file, const std::string& path, const char* flag);

/// The shortest text that reads back as the same float.
void append_float(std::string& out, float value);

}  // namespace akidb::cli
