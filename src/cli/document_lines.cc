#include "cli/document_lines.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace akidb::cli {
namespace {

constexpr const char* kFlag = "--documents";
constexpr size_t kBodyBytesMax = 16 << 20;

Error document_line_error(const std::string& path, uint64_t row, const std::string& what) {
    return invalid_argument(kFlag, path + ":" + std::to_string(row + 1) + ": " + what,
                            R"(one {"id":…,"vector":[…],"metadata":{…}} a line, or {"id":…,"vectors":{…}})");
}

std::string_view trimmed(std::string_view line) {
    const size_t begin = line.find_first_not_of(" \t\r");
    const size_t end = line.find_last_not_of(" \t\r");
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin, end - begin + 1);
}

}  // namespace

Result<DocumentLines> DocumentLines::open(const std::string& path, uint32_t batch_rows, uint64_t first_row) {
    DocumentLines lines;
    lines.path_ = path;
    lines.batch_rows_ = batch_rows;
    lines.next_row_ = first_row;
    lines.file_.open(path, std::ios::binary);
    if (!lines.file_) {
        return Error(Code::kNotFound, path + " cannot be opened").with_field(kFlag);
    }
    AKIDB_TRY(lines.rows_, count_lines(lines.file_, path, kFlag));
    std::string first;
    std::getline(lines.file_, first);
    const nlohmann::json document = nlohmann::json::parse(first, nullptr, false);
    const bool has_vector = document.is_object() && document.contains("vector");
    const bool has_names = document.is_object() && (document.contains("vectors") || !has_vector);
    if (has_vector ? !document["vector"].is_array() : !document.is_object() || !document.contains("id")) {
        return document_line_error(path, 0, "is no document");
    }
    lines.dimension_ = has_names ? 0 : static_cast<uint32_t>(document["vector"].size());
    lines.file_.clear();
    lines.file_.seekg(0);
    for (uint64_t row = 0; row < first_row; ++row) {
        lines.file_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return lines;
}

Result<std::optional<Batch>> DocumentLines::next() {
    if (next_row_ >= rows_) {
        return std::optional<Batch>();
    }
    Batch batch;
    batch.first_row = next_row_;
    batch.body = "{\"documents\":[";
    std::string line;
    while (batch.count < batch_rows_ && next_row_ < rows_ && batch.body.size() < kBodyBytesMax) {
        std::getline(file_, line);
        const std::string_view document = trimmed(line);
        if (document.size() < 2 || document.front() != '{' || document.back() != '}') {
            return document_line_error(path_, next_row_, "is not one JSON object");
        }
        batch.body.append(batch.count == 0 ? "" : ",").append(document);
        ++batch.count;
        ++next_row_;
    }
    batch.body += "]}";
    return std::optional<Batch>(std::move(batch));
}

}  // namespace akidb::cli
