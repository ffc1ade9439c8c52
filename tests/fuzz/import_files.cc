// Files that `akidb import` reads: the first byte says whether the rest is an .npy, an .fbin, JSON Lines of
// documents, or a .csv. What is read is a few rows: sizes in a header must not be believed before they are
// proved.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "cli/batch_reader.h"
#include "cli/document_lines.h"
#include "cli/vector_file.h"

namespace akidb::cli {
namespace {

constexpr uint32_t kRows = 4;

void read_vectors(const std::string& path) {
    auto file = VectorFile::open(path);
    std::vector<float> rows;
    if (file && file->rows() > 0 &&
        file->read(0, static_cast<uint32_t>(std::min<uint64_t>(kRows, file->rows())), rows)) {
        auto reader = BatchReader::open(
            std::move(*file), {.metadata = {}, .ids_from = {}, .batch_rows = kRows, .first_row = 0});
        static_cast<void>(reader && reader->next().has_value());
    }
}

void read_lines(const std::string& path) {
    auto lines = DocumentLines::open(path, kRows, 0);
    for (uint32_t i = 0; lines && i < kRows; ++i) {
        const auto batch = lines->next();
        if (!batch || !batch->has_value()) {
            return;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr std::array<const char*, 4> kEndings{".npy", ".fbin", ".jsonl", ".csv"};
    if (size == 0) {
        return 0;
    }
    const size_t kind = data[0] % kEndings.size();
    const std::string path = "/tmp/akidb-fuzz-" + std::to_string(::getpid()) + kEndings[kind];
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data) + 1, static_cast<std::streamsize>(size - 1));
    kind == 2 ? read_lines(path) : read_vectors(path);
    ::unlink(path.c_str());
    return 0;
}

}  // namespace akidb::cli
