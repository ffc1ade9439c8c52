// ColdIndexFile: the cold index of a checkpoint, made as it is read: no byte of it lies on the disk, and the
// same offset always gives the same bytes, so it can be hashed first and sent in parts that are sent again.
// Reads the mapped segments that the manifest names, whose vectors are checked before a byte of them gets a
// checksum of its own. Takes 12 bytes of memory a row. Thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "engine/cold_format.h"
#include "io/file_system.h"
#include "storage/manifest.h"
#include "storage/segment.h"

namespace akidb::engine {

class ColdIndexFile final : public io::ReadFile {
  public:
    /// Of the collection in `directory`, whose manifest covers all its writes. Null when it can have none:
    /// there is nothing in it, its documents have named vectors, or a vector is too long for codes.
    /// `cancelled` is asked now and then (kCancelled); kDataLoss when a file is damaged.
    static Result<std::unique_ptr<ColdIndexFile>> make(io::FileSystem& files, const std::string& directory,
                                                       const storage::Manifest& manifest,
                                                       FunctionRef<bool()> cancelled);

    uint64_t size() const override { return head_.object_bytes; }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override;
    const ColdIdentity& identity() const { return head_.identity; }

  private:
    struct Segment {
        uint64_t first_row = 0;
        std::shared_ptr<const storage::RowsSegment> rows;
    };
    class Encoder;

    ColdIndexFile(const storage::Manifest& manifest, std::vector<Segment> segments,
                  std::vector<uint32_t> live);
    bool has_codes() const;
    void place_records();
    void measure_frame();
    std::string_view row_at(uint64_t number) const;
    ColdRecord record_at(uint64_t number) const;
    ColdBlock block_at(uint64_t block) const;
    uint64_t end_of_block(uint64_t block) const;
    /// The part that begins at `begin`, with the byte at `offset` in it.
    struct Piece {
        uint64_t begin = 0;
        std::string bytes{};
    };
    Piece piece_at(uint64_t offset, std::unique_ptr<Encoder>& encoder) const;

    std::vector<Segment> segments_;
    std::vector<uint32_t> live_;        // rows of the collection, ascending
    std::vector<uint64_t> records_at_;  // of the first row of each block
    ColdHead head_;
    const ColdLayout layout_;
    std::string head_bytes_;
};

}  // namespace akidb::engine
