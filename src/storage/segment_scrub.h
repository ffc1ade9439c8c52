// SegmentScrub: reads a segment file from end to end, past the page cache where that is possible, and holds
// each block against its checksum: what a start after a power cut would find. Header, table, footer and the
// space between sections, which have checksums as a whole or none, must be those that are mapped. A block
// that is wrong is read once more before it counts. kDataLoss names file and offset; other errors say that
// the disk could not be asked. In slices; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/segment_container.h"

namespace akidb::storage {

class SegmentScrub {
  public:
    static Result<SegmentScrub> open(io::FileSystem& files, const std::string& directory,
                                     const ManifestFile& entry, SegmentKind kind, Uuid collection);
    /// Reads on until it has read `bytes_max`, a block more at most, or all; how many bytes that were.
    Result<uint64_t> advance(uint64_t bytes_max);
    bool is_done() const { return next_ == pieces_.size(); }

  private:
    struct Piece {
        uint64_t offset = 0;
        uint32_t bytes = 0;
        uint32_t crc = 0;
        bool has_crc = false;
    };
    SegmentScrub(SegmentContainer container, std::unique_ptr<io::ReadFile> file)
        : container_(std::move(container)), file_(std::move(file)) {}
    void plan();
    void plan_between(uint64_t begin, uint64_t end);
    Result<bool> holds(const Piece& piece);

    SegmentContainer container_;
    std::unique_ptr<io::ReadFile> file_;
    std::vector<Piece> pieces_;  // the whole file, ascending
    size_t next_ = 0;
    std::string buffer_;
};

}  // namespace akidb::storage
