// MemoryFile: bytes in memory, read as a file is. Immutable.
#pragma once

#include <string>
#include <utility>

#include "io/file_system.h"

namespace akidb::io {

class MemoryFile final : public ReadFile {
  public:
    explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}
    uint64_t size() const override { return bytes_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        if (offset > bytes_.size() || count > bytes_.size() - offset) {
            return Error(Code::kDataLoss, "the bytes end before what was asked of them");
        }
        out.assign(bytes_, offset, count);
        return {};
    }

  private:
    const std::string bytes_;
};

}  // namespace akidb::io
