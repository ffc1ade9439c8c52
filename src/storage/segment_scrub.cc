#include "storage/segment_scrub.h"

#include <algorithm>

#include "base/crc32c.h"
#include "storage/durable_files.h"

namespace akidb::storage {

Result<SegmentScrub> SegmentScrub::open(io::FileSystem& files, const std::string& directory,
                                        const ManifestFile& entry, SegmentKind kind, Uuid collection) {
    AKIDB_TRY(SegmentContainer container, SegmentContainer::open(files, directory, entry, kind, collection));
    AKIDB_TRY(std::unique_ptr<io::ReadFile> file, files.open_uncached(container.path()));
    SegmentScrub made(std::move(container), std::move(file));
    made.plan();
    return made;
}

void SegmentScrub::plan_between(uint64_t begin, uint64_t end) {
    for (uint64_t at = begin; at < end; at += kSegmentBlockBytes) {
        pieces_.push_back(
            {.offset = at, .bytes = static_cast<uint32_t>(std::min(kSegmentBlockBytes, end - at))});
    }
}

void SegmentScrub::plan() {
    uint64_t end = 0;
    for (const Section& section : container_.sections()) {
        plan_between(end, section.offset);
        end = section.offset + section.length;
        uint64_t at = section.offset;
        for (const uint32_t crc : section.block_crcs) {
            pieces_.push_back({.offset = at,
                               .bytes = static_cast<uint32_t>(std::min(kSegmentBlockBytes, end - at)),
                               .crc = crc,
                               .has_crc = true});
            at += kSegmentBlockBytes;
        }
    }
    plan_between(end, container_.file()->bytes().size());
}

Result<bool> SegmentScrub::holds(const Piece& piece) {
    AKIDB_TRY(file_->read_at(piece.offset, piece.bytes, buffer_));
    return piece.has_crc ? crc32c(buffer_) == piece.crc
                         : buffer_ == container_.file()->bytes().substr(piece.offset, piece.bytes);
}

Result<uint64_t> SegmentScrub::advance(uint64_t bytes_max) {
    uint64_t read = 0;
    while (!is_done() && read < bytes_max) {
        const Piece& piece = pieces_[next_];
        AKIDB_TRY(bool is_right, holds(piece));
        if (!is_right) {
            AKIDB_TRY(is_right, holds(piece));
        }
        if (!is_right) {
            return damage(container_.path(), piece.offset,
                          piece.has_crc ? "the block's checksum does not hold"
                                        : "these bytes are not those that were opened");
        }
        read += piece.bytes;
        ++next_;
    }
    return read;
}

}  // namespace akidb::storage
