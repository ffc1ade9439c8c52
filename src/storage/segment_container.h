// The container that all segment files share (docs/formats/segment.md): a 64-byte header, sections at
// multiples of 4,096 bytes, a table with the place of each section and a CRC32C per 64 KiB of it, and a
// 64-byte footer whose checksum covers the table's and the header's, so that this one number names the whole
// content. Lengths are bytes. SegmentWriter buffers at most 1 MiB and makes the file durable in finish();
// errors are those of io, and the temp file is removed. SegmentContainer proves header, table, footer and all
// places at open; kDataLoss names file and offset. The writer is not thread-safe; the container is immutable
// and is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/uuid.h"
#include "io/file_system.h"
#include "storage/segment.h"

namespace akidb::storage {

/// The second has rows with expiries behind their metadata, the third vectors that are not kept as floats,
/// and perhaps expiries; others are written as the first.
inline constexpr uint32_t kSegmentFormatVersion = 1;
inline constexpr uint32_t kSegmentFormatVersionWithExpiries = 2;
inline constexpr uint32_t kSegmentFormatVersionWithStorage = 3;
inline constexpr uint64_t kSectionAlignment = 4096;
inline constexpr uint64_t kSegmentBlockBytes = 64 << 10;
inline constexpr uint64_t kDeadRowBytes = sizeof(uint32_t) + sizeof(uint64_t);  // row and version
inline constexpr uint64_t kWriteBufferBytes = 1 << 20;

enum class SegmentKind : uint32_t { kRows = 1, kGraph = 2, kDead = 3, kKeys = 4 };
enum class SectionType : uint32_t {
    kVectors = 1,          // row_count × width × 4 bytes
    kVersions = 2,         // row_count × u64
    kIdOffsets = 3,        // (row_count + 1) × u64 into kIds
    kIds = 4,              // DocumentId encodings, one after the other
    kMetadataOffsets = 5,  // (row_count + 1) × u64 into kMetadata
    kMetadata = 6,         // stored metadata (model/expiry.h), one after the other
    kLists = 7,            // row_count × width × u32
    kDeadRows = 8,         // row_count × (row u32, sequence u64)
    kKeys = 9,             // row_count × 72 bytes (keyed_record.h)
};

struct SegmentHeader {
    SegmentKind kind = SegmentKind::kRows;
    Uuid collection;
    uint64_t first_row = 0;
    uint64_t row_count = 0;
    uint32_t width = 0;  // words of four bytes a row, or neighbours a row
    uint32_t format_version = kSegmentFormatVersion;
    model::VectorStorage storage = model::VectorStorage::kF32;

    RowForm form() const { return {width, storage}; }
};

struct Section {
    SectionType type = SectionType::kVectors;
    uint64_t offset = 0;
    uint64_t length = 0;
    std::vector<uint32_t> block_crcs;
};

class SegmentWriter {
  public:
    static Result<SegmentWriter> create(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, const SegmentHeader& header);
    SegmentWriter(SegmentWriter&&) = default;
    ~SegmentWriter();

    /// Ends the section before it.
    Result<void> begin_section(SectionType type);
    Result<void> append(std::string_view bytes);
    /// Table, footer, sync, rename, directory sync. The only call after which the file exists.
    Result<ManifestFile> finish();

  private:
    SegmentWriter(io::FileSystem& files, std::string directory, std::string name);
    std::string temporary_path() const;
    uint64_t position() const;
    Result<void> write(std::string_view bytes);
    Result<void> pad_to(uint64_t alignment);
    Result<void> flush();
    std::string encode_table() const;

    io::FileSystem* files_;
    std::string directory_;
    std::string name_;
    std::unique_ptr<io::AppendFile> file_;  // null when moved from or finished
    std::string buffer_;
    std::vector<Section> sections_;
    uint32_t header_crc_ = 0;
};

class SegmentContainer {
  public:
    /// The file must be the very one that `entry` names, of this kind and collection.
    static Result<SegmentContainer> open(io::FileSystem& files, const std::string& directory,
                                         const ManifestFile& entry, SegmentKind kind, Uuid collection);

    /// Any segment file, whatever its kind and collection, held against itself only: for looking at it.
    static Result<SegmentContainer> open_alone(io::FileSystem& files, const std::string& path);
    /// What is left of a damaged file: footer and table are proved, and the header is not looked at.
    static Result<SegmentContainer> open_headless(io::FileSystem& files, const std::string& directory,
                                                  const ManifestFile& entry);

    const SegmentHeader& header() const { return header_; }
    const std::vector<Section>& sections() const { return sections_; }
    /// Offsets in the file of the blocks whose checksum does not hold.
    std::vector<uint64_t> bad_blocks(const Section& section) const;
    const std::string& path() const { return path_; }
    const std::shared_ptr<const io::MappedFile>& file() const { return file_; }
    /// kDataLoss when there is no such section, or it is not `length` bytes long.
    Result<std::string_view> section(SectionType type, uint64_t length) const;
    Result<std::string_view> section(SectionType type) const;
    /// Checks the blocks of one section; kCancelled when `cancelled` says so.
    Result<void> verify(SectionType type, FunctionRef<bool()> cancelled) const;
    /// Every section but `skipped`.
    Result<void> verify_all_but(SectionType skipped) const;

  private:
    struct Footer;
    SegmentContainer(std::string path, std::shared_ptr<const io::MappedFile> file);
    static Result<SegmentContainer> map(io::FileSystem& files, std::string path);
    Result<Footer> read_footer(const ManifestFile& entry) const;
    Result<void> read_header(const Footer& footer);
    Result<void> read_table(const Footer& footer);
    const Section* find(SectionType type) const;

    std::string path_;
    std::shared_ptr<const io::MappedFile> file_;
    SegmentHeader header_;
    std::vector<Section> sections_;
};

}  // namespace akidb::storage
