#include "cli/batch_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace akidb::cli {
namespace {

using nlohmann::json;

// The value of field `name` when it can be an id, as JSON.
std::optional<std::string> id_in(const json& metadata, const std::string& name) {
    const auto found = metadata.find(name);
    if (found == metadata.end() || !(found->is_string() || found->is_number_unsigned())) {
        return std::nullopt;
    }
    return found->dump();
}

Error line_error(const std::string& path, uint64_t row, const std::string& what) {
    return invalid_argument("--metadata", path + ":" + std::to_string(row + 1) + ": " + what);
}

}  // namespace

Result<uint64_t> count_lines(std::ifstream& file, const std::string& path, const char* flag) {
    std::array<char, 1 << 16> block{};
    uint64_t lines = 0;
    char last = '\n';
    while (file.read(block.data(), block.size()) || file.gcount() > 0) {
        const auto count = static_cast<size_t>(file.gcount());
        lines += static_cast<uint64_t>(std::count(block.data(), block.data() + count, '\n'));
        last = block[count - 1];
    }
    if (file.bad()) {
        return Error(Code::kDataLoss, path + " cannot be read").with_field(flag);
    }
    file.clear();
    file.seekg(0);
    return lines + (last == '\n' ? 0 : 1);
}

void append_float(std::string& out, float value) {
    std::array<char, 32> text{};
    const auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), value);
    static_cast<void>(fault);  // 32 bytes hold every float
    out.append(text.data(), end);
}

Result<BatchReader> BatchReader::open(VectorFile vectors, BatchOptions options) {
    BatchReader reader(std::move(vectors), std::move(options));
    const std::string& path = reader.options_.metadata;
    if (path.empty()) {
        return reader;
    }
    reader.metadata_.open(path, std::ios::binary);
    if (!reader.metadata_) {
        return Error(Code::kNotFound, path + " cannot be opened").with_field("--metadata");
    }
    AKIDB_TRY(const uint64_t lines, count_lines(reader.metadata_, path, "--metadata"));
    if (lines != reader.vectors_.rows()) {
        return invalid_argument("--metadata", path + " has " + std::to_string(lines) + " lines",
                                std::to_string(reader.vectors_.rows()) + ", one for each vector");
    }
    for (uint64_t row = 0; row < reader.options_.first_row; ++row) {
        reader.metadata_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return reader;
}

Result<std::optional<Batch>> BatchReader::next() {
    if (next_row_ >= vectors_.rows()) {
        return std::optional<Batch>();
    }
    Batch batch;
    batch.first_row = next_row_;
    batch.count = static_cast<uint32_t>(std::min<uint64_t>(options_.batch_rows, vectors_.rows() - next_row_));
    AKIDB_TRY(vectors_.read(next_row_, batch.count, floats_));
    batch.body = "{\"documents\":[";
    for (uint32_t at = 0; at < batch.count; ++at) {
        batch.body += at == 0 ? "" : ",";
        AKIDB_TRY(
            append_document(next_row_ + at, floats_.data() + size_t{at} * vectors_.dimension(), batch.body));
    }
    batch.body += "]}";
    next_row_ += batch.count;
    return std::optional<Batch>(std::move(batch));
}

Result<void> BatchReader::append_document(uint64_t row, const float* vector, std::string& body) {
    std::string id = std::to_string(row);
    std::string line;
    if (!options_.metadata.empty()) {
        std::getline(metadata_, line);
        const json metadata = json::parse(line, nullptr, false);
        if (!metadata.is_object()) {
            return line_error(options_.metadata, row, "is not one JSON object");
        }
        if (!options_.ids_from.empty()) {
            const std::optional<std::string> found = id_in(metadata, options_.ids_from);
            if (!found) {
                return line_error(
                    options_.metadata, row,
                    "field \"" + options_.ids_from + "\" is no id: a string or an integer from 0");
            }
            id = *found;
        }
    }
    body.append("{\"id\":").append(id).append(",\"vector\":[");
    for (uint32_t at = 0; at < vectors_.dimension(); ++at) {
        if (!std::isfinite(vector[at])) {
            return invalid_argument("--vectors",
                                    "row " + std::to_string(row) + " has a component that is not finite");
        }
        if (at != 0) {
            body += ',';
        }
        append_float(body, vector[at]);
    }
    body += ']';
    if (!line.empty()) {
        body.append(",\"metadata\":").append(line);
    }
    body += '}';
    return {};
}

}  // namespace akidb::cli
