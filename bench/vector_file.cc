#include "bench/vector_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

namespace akidb::bench {

VectorFile::VectorFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        throw std::runtime_error("cannot open " + path);
    }
    auto bytes = static_cast<uint64_t>(file.tellg());
    file.seekg(0);
    std::array<uint32_t, 2> header{};
    file.read(reinterpret_cast<char*>(header.data()), sizeof(header));
    uint64_t expected = sizeof(header) + uint64_t{header[0]} * header[1] * sizeof(float);
    if (!file || bytes != expected) {
        throw std::runtime_error(path + " is not an .fbin file: it has " + std::to_string(bytes) +
                                 " bytes where its header says " + std::to_string(expected));
    }
    rows_ = header[0];
    dimension_ = header[1];
    values_.resize(rows_ * dimension_);
    file.read(reinterpret_cast<char*>(values_.data()),
              static_cast<std::streamsize>(values_.size() * sizeof(float)));
    if (!file) {
        throw std::runtime_error("reading " + path + " failed");
    }
}

VectorFile VectorFile::first(size_t rows) const {
    VectorFile part;
    part.rows_ = std::min(rows, rows_);
    part.dimension_ = dimension_;
    part.values_.assign(values_.begin(),
                        values_.begin() + static_cast<std::ptrdiff_t>(part.rows_ * dimension_));
    return part;
}

}  // namespace akidb::bench
