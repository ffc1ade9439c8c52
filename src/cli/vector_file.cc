#include "cli/vector_file.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>

#include "cli/batch_reader.h"

namespace akidb::cli {
namespace {

constexpr std::string_view kNpyMagic("\x93NUMPY", 6);
constexpr uint64_t kNpyHeaderBytesMax = 64 << 10;
constexpr uint32_t kDimensionMax = 1 << 16;

// What stands after `'key':` in the one-line Python dictionary of an .npy header, without leading blanks.
std::string_view value_after(std::string_view header, std::string_view key) {
    const size_t at = header.find("'" + std::string(key) + "':");
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view rest = header.substr(at + key.size() + 3);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return rest;
}

// "(rows, dimension)"; false for any other number of axes.
bool read_shape(std::string_view text, uint64_t& rows, uint64_t& dimension) {
    const auto number = [&](uint64_t& value) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
        text.remove_prefix(static_cast<size_t>(end - text.data()));
        return fault == std::errc{};
    };
    const auto letter = [&](char expected) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        const bool is_there = text.starts_with(expected);
        text.remove_prefix(is_there ? 1 : 0);
        return is_there;
    };
    return letter('(') && number(rows) && letter(',') && number(dimension) &&
           (letter(')') || (letter(',') && letter(')')));
}

template <class Number>
Number little_endian(const char* bytes) {
    Number value = 0;
    for (size_t at = 0; at < sizeof(Number); ++at) {
        value = static_cast<Number>(
            value |
            static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(bytes[at])) << (8 * at)));
    }
    return value;
}

constexpr size_t kCsvLineBytesMax = kDimensionMax * 32;

/// The numbers of a line, appended; nothing when one of its cells is none.
std::optional<uint32_t> read_csv_line(std::string_view line, std::vector<float>& out) {
    uint32_t count = 0;
    while (true) {
        const size_t comma = std::min(line.find(','), line.size());
        std::string_view cell = line.substr(0, comma);
        const size_t begin = std::min(cell.find_first_not_of(" \t"), cell.size());
        cell = cell.substr(begin, cell.find_last_not_of(" \t\r") + 1 - begin);
        cell.remove_prefix(cell.starts_with('+') ? 1 : 0);
        float value = 0;
        const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
        if (cell.empty() || fault != std::errc() || end != cell.data() + cell.size()) {
            return std::nullopt;
        }
        out.push_back(value);
        ++count;
        if (comma == line.size()) {
            return count;
        }
        line.remove_prefix(comma + 1);
    }
}

}  // namespace

Result<VectorFile> VectorFile::open(const std::string& path) {
    VectorFile vectors(path);
    vectors.file_.open(path, std::ios::binary);
    if (!vectors.file_) {
        return Error(Code::kNotFound, path + " cannot be opened").with_field("--vectors");
    }
    if (path.ends_with(".csv")) {
        AKIDB_TRY(vectors.read_csv_head());
        return vectors;
    }
    std::array<char, 6> start{};
    vectors.file_.read(start.data(), start.size());
    const bool is_npy = vectors.file_ && std::string_view(start.data(), start.size()) == kNpyMagic;
    vectors.file_.clear();
    if (!is_npy && path.ends_with(".npy")) {
        return invalid_argument("--vectors", path + " does not begin like an .npy file");
    }
    if (is_npy) {
        AKIDB_TRY(vectors.read_npy_header());
    } else {
        AKIDB_TRY(vectors.read_fbin_header());
    }
    std::error_code fault;
    const uint64_t size = std::filesystem::file_size(path, fault);
    if (vectors.dimension_ == 0 || vectors.dimension_ > kDimensionMax) {
        return invalid_argument(
            "--vectors", path + " has vectors of " + std::to_string(vectors.dimension_) + " components",
            "1..65536");
    }
    const uint64_t row_bytes = uint64_t{vectors.dimension_} * (vectors.is_double_ ? 8 : 4);
    const uint64_t data_bytes = fault || size < vectors.data_at_ ? 0 : size - vectors.data_at_;
    if (fault || data_bytes % row_bytes != 0 || data_bytes / row_bytes != vectors.rows_) {
        return Error(Code::kDataLoss, path + " says " + std::to_string(vectors.rows_) + " rows of " +
                                          std::to_string(vectors.dimension_) + " components, but holds " +
                                          std::to_string(data_bytes) + " bytes of them")
            .with_field("--vectors");
    }
    return vectors;
}

Result<void> VectorFile::read_fbin_header() {
    std::array<char, 8> header{};
    file_.seekg(0);
    if (!file_.read(header.data(), header.size())) {
        return Error(Code::kDataLoss, path_ + " is shorter than the header of an .fbin file")
            .with_field("--vectors");
    }
    rows_ = little_endian<uint32_t>(header.data());
    dimension_ = little_endian<uint32_t>(header.data() + 4);
    data_at_ = header.size();
    return {};
}

Result<void> VectorFile::read_npy_header() {
    std::array<char, 12> start{};
    file_.seekg(0);
    if (!file_.read(start.data(), start.size())) {
        return Error(Code::kDataLoss, path_ + " ends within its header").with_field("--vectors");
    }
    const int version = start[6];
    if (version < 1 || version > 3) {
        return invalid_argument("--vectors", path_ + " is .npy version " + std::to_string(version),
                                "1, 2 or 3");
    }
    const uint64_t length_bytes = version == 1 ? 2 : 4;
    const uint64_t length =
        version == 1 ? little_endian<uint16_t>(start.data() + 8) : little_endian<uint32_t>(start.data() + 8);
    if (length > kNpyHeaderBytesMax) {
        return invalid_argument("--vectors", path_ + " has a header of " + std::to_string(length) + " bytes",
                                "0..65536");
    }
    std::string header(length, '\0');
    file_.seekg(static_cast<std::streamoff>(8 + length_bytes));
    if (!file_.read(header.data(), static_cast<std::streamsize>(length))) {
        return Error(Code::kDataLoss, path_ + " ends within its header").with_field("--vectors");
    }
    data_at_ = 8 + length_bytes + length;
    return understand_npy(header);
}

Result<void> VectorFile::understand_npy(const std::string& header) {
    const std::string_view type = value_after(header, "descr");
    is_double_ = type.starts_with("'<f8'");
    if (!is_double_ && !type.starts_with("'<f4'")) {
        return invalid_argument("--vectors", path_ + " holds elements of another type",
                                "little-endian float32 ('<f4') or float64 ('<f8')");
    }
    if (!value_after(header, "fortran_order").starts_with("False")) {
        return invalid_argument("--vectors", path_ + " is stored by columns",
                                "C order: numpy.save(name, numpy.ascontiguousarray(a))");
    }
    uint64_t dimension = 0;
    if (!read_shape(value_after(header, "shape"), rows_, dimension)) {
        return invalid_argument("--vectors", path_ + " does not have two axes", "shape (rows, dimension)");
    }
    dimension_ = dimension > kDimensionMax ? kDimensionMax + 1 : static_cast<uint32_t>(dimension);
    return {};
}

Result<void> VectorFile::read_csv_head() {
    is_csv_ = true;
    AKIDB_TRY(const uint64_t lines, count_lines(file_, path_, "--vectors"));
    std::vector<float> numbers;
    std::string line;
    for (csv_head_lines_ = 0; csv_head_lines_ <= 1 && std::getline(file_, line); ++csv_head_lines_) {
        numbers.clear();
        if (const auto dimension =
                line.size() <= kCsvLineBytesMax ? read_csv_line(line, numbers) : std::nullopt) {
            dimension_ = *dimension;
            break;
        }
    }
    if (dimension_ == 0 || dimension_ > kDimensionMax) {
        return invalid_argument("--vectors", path_ + ":1: is no line of numbers",
                                "numbers with commas between, a vector a line, 1..65536 of them");
    }
    rows_ = lines - csv_head_lines_;
    next_csv_row_ = rows_;  // read() goes to where it begins
    return {};
}

/// Lines have no fixed place: rows are read in their order, and from the start again for an earlier one.
Result<void> VectorFile::read_csv(uint64_t first, uint32_t count, std::vector<float>& out) {
    if (first < next_csv_row_) {
        file_.clear();
        file_.seekg(0);
        next_csv_row_ = 0;
        for (uint64_t line = 0; line < csv_head_lines_; ++line) {
            file_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
        }
    }
    for (; next_csv_row_ < first; ++next_csv_row_) {
        file_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    out.clear();
    std::string line;
    for (const uint64_t end = first + count; next_csv_row_ < end; ++next_csv_row_) {
        const bool is_read = static_cast<bool>(std::getline(file_, line));
        const auto numbers = is_read ? read_csv_line(line, out) : std::nullopt;
        if (!numbers || *numbers != dimension_) {
            return invalid_argument("--vectors",
                                    path_ + ":" + std::to_string(next_csv_row_ + csv_head_lines_ + 1) +
                                        ": is no line of " + std::to_string(dimension_) + " numbers",
                                    "numbers with commas between, as many as in the first line");
        }
    }
    return {};
}

Result<void> VectorFile::read(uint64_t first, uint32_t count, std::vector<float>& out) {
    if (is_csv_) {
        return read_csv(first, count, out);
    }
    const size_t width = is_double_ ? 8 : 4;
    const size_t elements = size_t{count} * dimension_;
    std::string bytes(elements * width, '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(data_at_ + first * dimension_ * width));
    if (!file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
        return Error(Code::kDataLoss, path_ + " cannot be read at row " + std::to_string(first))
            .with_field("--vectors");
    }
    out.resize(elements);
    for (size_t at = 0; at < elements; ++at) {
        if (is_double_) {
            out[at] =
                static_cast<float>(std::bit_cast<double>(little_endian<uint64_t>(bytes.data() + at * 8)));
        } else {
            out[at] = std::bit_cast<float>(little_endian<uint32_t>(bytes.data() + at * 4));
        }
    }
    return {};
}

}  // namespace akidb::cli
