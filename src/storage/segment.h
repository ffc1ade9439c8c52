// Segment files: immutable, mapped, checksummed. Four kinds share one container (64-byte header, sections at
// multiples of 4,096 bytes, then a section table with a CRC32C per 64 KiB block, then a 64-byte footer):
//   .rows   documents of rows [first, first + count): vectors (a form of row each), versions, ids, metadata
//   .graph  neighbour lists of rows [0, count): degree × u32 a row
//   .dead   tombstones (row u32, sequence u64) for rows dead at the covered sequence, ascending
//   .keys   keys of writes (72 bytes each) remembered at the covered sequence, by sequence ascending
// `directory` is the collection's seg directory, which writers make when it is not there. Writers stream into
// a temp name, sync, rename and sync the directory; the file is durable at return. Readers check header,
// table, footer, all lengths and the checksums of every section but the vectors at open; vectors are checked
// by verify_vectors in the background, since reading them all would make start-up time grow with size.
// docs/formats/segment.md has a worked hex example. Readers are immutable and thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/keyed_record.h"
#include "storage/manifest.h"

namespace akidb::storage {

/// How the vector of a row lies; here it is only compared.
struct RowForm {
    uint32_t stride = 0;  // words of four bytes a row
    model::VectorStorage storage = model::VectorStorage::kF32;
    bool operator==(const RowForm&) const = default;
    uint64_t row_bytes() const { return uint64_t{stride} * 4; }
};

struct RowsSegmentSpec {
    Uuid collection;
    uint64_t first_row = 0;
    uint64_t row_count = 0;
    RowForm form{};
};
/// One row to be written; views are copied at once.
struct RowRecord {
    std::string_view vector;  // form.row_bytes()
    uint64_t version = 0;
    std::string_view id;        // DocumentId encoding
    std::string_view metadata;  // stored (model/expiry.h)
};

/// Asks `row_at(i)` for i in [0, row_count), possibly several times.
Result<ManifestFile> write_rows_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, const RowsSegmentSpec& spec,
                                        FunctionRef<RowRecord(uint64_t index)> row_at);
/// `lists_of(begin, end, out)` appends the lists of rows [begin, end).
Result<ManifestFile> write_graph_segment(
    io::FileSystem& files, const std::string& directory, const std::string& name, Uuid collection,
    uint64_t row_count, uint32_t degree,
    FunctionRef<void(uint32_t begin, uint32_t end, std::string& out)> lists_of);
struct DeadRow {
    uint32_t row = 0;
    uint64_t sequence = 0;
};
Result<ManifestFile> write_dead_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, Uuid collection,
                                        const std::vector<DeadRow>& dead);

Result<ManifestFile> write_keys_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, Uuid collection,
                                        const std::vector<RememberedKey>& keys);

class RowsSegment {
  public:
    /// `entry` and `form` must agree with the file; kDataLoss otherwise.
    static Result<std::shared_ptr<const RowsSegment>> open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const ManifestRows& entry, Uuid collection,
                                                           const RowForm& form);
    virtual ~RowsSegment() = default;
    /// The file's, within its directory.
    virtual const std::string& name() const = 0;
    virtual uint64_t row_count() const = 0;
    /// row_count × form.row_bytes(), 4,096-byte aligned, mapped.
    virtual const std::byte* vectors() const = 0;
    virtual uint64_t version(uint64_t index) const = 0;
    virtual std::string_view id(uint64_t index) const = 0;
    /// Stored (model/expiry.h).
    virtual std::string_view metadata(uint64_t index) const = 0;
    /// Reads and checks the vector blocks; `cancelled` is asked between blocks, and kCancelled returned when
    /// it says so. kDataLoss names file and offset.
    virtual Result<void> verify_vectors(FunctionRef<bool()> cancelled) const = 0;
};

struct GraphLists {
    std::shared_ptr<const io::MappedFile> file;  // keeps `lists` alive
    std::string_view lists;                      // row_count × degree × u32
    uint64_t row_count = 0;
    uint32_t degree = 0;
    /// Checks them once more, for who goes on reading the file; kDataLoss names file and offset.
    std::function<Result<void>()> verify;
};
Result<GraphLists> open_graph_segment(io::FileSystem& files, const std::string& directory,
                                      const ManifestFile& entry, Uuid collection);
Result<std::vector<DeadRow>> open_dead_segment(io::FileSystem& files, const std::string& directory,
                                               const ManifestFile& entry, Uuid collection);

Result<std::vector<RememberedKey>> open_keys_segment(io::FileSystem& files, const std::string& directory,
                                                     const ManifestFile& entry, Uuid collection);

}  // namespace akidb::storage
