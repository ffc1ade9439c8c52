// DocumentLines: JSON Lines of whole documents ({"id":…,"vector":[…],"metadata":{…}}, as `akidb export`
// writes them) as bodies of PUT /documents. A line goes to the server as it is; what is wrong in it the
// server tells. Errors name file and line. Thread-compatible.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/batch_reader.h"

namespace akidb::cli {

class DocumentLines {
  public:
    /// Counts the lines, reads the dimension off the first, and skips to first_row.
    static Result<DocumentLines> open(const std::string& path, uint32_t batch_rows, uint64_t first_row);

    uint64_t rows() const { return rows_; }
    /// 0: vectors of the documents have names.
    uint32_t dimension() const { return dimension_; }
    /// Nothing after the last line. A batch ends early where its body would grow beyond some MiB.
    Result<std::optional<Batch>> next();

  private:
    DocumentLines() = default;

    std::string path_;
    std::ifstream file_;
    uint64_t rows_ = 0;
    uint32_t dimension_ = 0;
    uint32_t batch_rows_ = 0;
    uint64_t next_row_ = 0;
};

}  // namespace akidb::cli
