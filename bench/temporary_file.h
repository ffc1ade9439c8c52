// For tests of bench programs: a file with given bytes that is gone with its object, and the bytes of an
// .fbin file.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace akidb::bench {

class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& bytes) {
        const int file = mkstemp(path_.data());
        close(file);
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/akidb-bench-XXXXXX";
};

inline std::string fbin(uint32_t rows, uint32_t dimension, const std::vector<float>& values) {
    std::string bytes(reinterpret_cast<const char*>(&rows), sizeof(rows));
    bytes.append(reinterpret_cast<const char*>(&dimension), sizeof(dimension));
    return bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

}  // namespace akidb::bench
