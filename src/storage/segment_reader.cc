#include <cstring>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "storage/durable_files.h"
#include "storage/segment.h"
#include "storage/segment_container.h"

namespace akidb::storage {
namespace {

// Far above what any collection has, and small enough that their product stays within 64 bits.
constexpr uint64_t kRowsMax = uint64_t{1} << 32;
constexpr uint32_t kWidthMax = 1 << 20;

uint64_t load_u64(std::string_view section, uint64_t index) {
    uint64_t value;
    std::memcpy(&value, section.data() + index * sizeof(value), sizeof(value));
    return value;
}

/// Strings one after the other, and where each begins.
struct StringTable {
    std::string_view offsets;
    std::string_view bytes;

    std::string_view at(uint64_t index) const {
        uint64_t begin = load_u64(offsets, index);
        return {bytes.data() + begin, load_u64(offsets, index + 1) - begin};
    }
};

Result<void> check_size(const SegmentContainer& container) {
    const SegmentHeader& header = container.header();
    return header.row_count <= kRowsMax && header.width <= kWidthMax
               ? Result<void>()
               : damage(container.path(), 0, "more rows than a segment can have");
}

/// After this, at() is safe for every row: offsets start at 0, grow, and end where the bytes end.
Result<StringTable> open_strings(const SegmentContainer& container, SectionType offsets, SectionType bytes) {
    uint64_t row_count = container.header().row_count;
    StringTable table;
    AKIDB_TRY(table.offsets, container.section(offsets, (row_count + 1) * sizeof(uint64_t)));
    AKIDB_TRY(table.bytes, container.section(bytes));
    uint64_t before = load_u64(table.offsets, 0);
    bool grows = before == 0;
    for (uint64_t i = 1; i <= row_count && grows; ++i) {
        uint64_t offset = load_u64(table.offsets, i);
        grows = offset >= before;
        before = offset;
    }
    if (!grows || before != table.bytes.size()) {
        return damage(container.path(), 0,
                      "offsets of section " + std::to_string(static_cast<uint32_t>(offsets)) +
                          " do not ascend to the end");
    }
    return table;
}

class MappedRowsSegment final : public RowsSegment {
  public:
    MappedRowsSegment(SegmentContainer container, std::string name)
        : container_(std::move(container)), name_(std::move(name)) {}

    Result<void> read_sections() {
        AKIDB_TRY(check_size(container_));
        AKIDB_TRY(container_.verify_all_but(SectionType::kVectors));
        uint64_t vector_bytes = row_count() * container_.header().form().row_bytes();
        AKIDB_TRY(vectors_, container_.section(SectionType::kVectors, vector_bytes));
        AKIDB_TRY(versions_, container_.section(SectionType::kVersions, row_count() * sizeof(uint64_t)));
        AKIDB_TRY(ids_, open_strings(container_, SectionType::kIdOffsets, SectionType::kIds));
        AKIDB_TRY(metadata_, open_strings(container_, SectionType::kMetadataOffsets, SectionType::kMetadata));
        return {};
    }

    const std::string& name() const override { return name_; }
    uint64_t row_count() const override { return container_.header().row_count; }
    const std::byte* vectors() const override { return reinterpret_cast<const std::byte*>(vectors_.data()); }
    uint64_t version(uint64_t index) const override {
        AKIDB_DEBUG_ASSERT(index < row_count());
        return load_u64(versions_, index);
    }
    std::string_view id(uint64_t index) const override {
        AKIDB_DEBUG_ASSERT(index < row_count());
        return ids_.at(index);
    }
    std::string_view metadata(uint64_t index) const override {
        AKIDB_DEBUG_ASSERT(index < row_count());
        return metadata_.at(index);
    }
    Result<void> verify_vectors(FunctionRef<bool()> cancelled) const override {
        return container_.verify(SectionType::kVectors, cancelled);
    }

  private:
    SegmentContainer container_;
    std::string name_;
    std::string_view vectors_;
    std::string_view versions_;
    StringTable ids_;
    StringTable metadata_;
};

}  // namespace

Result<std::shared_ptr<const RowsSegment>> RowsSegment::open(io::FileSystem& files,
                                                             const std::string& directory,
                                                             const ManifestRows& entry, Uuid collection,
                                                             const RowForm& form) {
    AKIDB_TRY(SegmentContainer container,
              SegmentContainer::open(files, directory, entry.file, SegmentKind::kRows, collection));
    const SegmentHeader& header = container.header();
    if (header.first_row != entry.first_row || header.row_count != entry.row_count || header.form() != form) {
        return damage(container.path(), 0, "rows or their form are not those that the manifest names");
    }
    auto opened = std::make_shared<MappedRowsSegment>(std::move(container), entry.file.name);
    AKIDB_TRY(opened->read_sections());
    return std::shared_ptr<const RowsSegment>(std::move(opened));
}

Result<GraphLists> open_graph_segment(io::FileSystem& files, const std::string& directory,
                                      const ManifestFile& entry, Uuid collection) {
    AKIDB_TRY(SegmentContainer container,
              SegmentContainer::open(files, directory, entry, SegmentKind::kGraph, collection));
    AKIDB_TRY(check_size(container));
    const SegmentHeader& header = container.header();
    GraphLists lists{.file = container.file(),
                     .lists = {},
                     .row_count = header.row_count,
                     .degree = header.width,
                     .verify = {}};
    AKIDB_TRY(lists.lists,
              container.section(SectionType::kLists, header.row_count * header.width * sizeof(uint32_t)));
    lists.verify = [held = std::make_shared<const SegmentContainer>(std::move(container))] {
        return held->verify(SectionType::kLists, [] { return false; });
    };
    AKIDB_TRY(lists.verify());
    return lists;
}

Result<std::vector<DeadRow>> open_dead_segment(io::FileSystem& files, const std::string& directory,
                                               const ManifestFile& entry, Uuid collection) {
    AKIDB_TRY(SegmentContainer container,
              SegmentContainer::open(files, directory, entry, SegmentKind::kDead, collection));
    AKIDB_TRY(check_size(container));
    AKIDB_TRY(container.verify(SectionType::kDeadRows, [] { return false; }));
    AKIDB_TRY(std::string_view bytes,
              container.section(SectionType::kDeadRows, container.header().row_count * kDeadRowBytes));
    ByteReader reader(bytes);
    std::vector<DeadRow> dead(container.header().row_count);
    for (size_t i = 0; i < dead.size(); ++i) {
        dead[i].row = reader.get<uint32_t>();
        dead[i].sequence = reader.get<uint64_t>();
        if (i > 0 && dead[i].row <= dead[i - 1].row) {
            return damage(container.path(), 0, "dead rows are not ascending");
        }
    }
    return dead;
}

Result<std::vector<RememberedKey>> open_keys_segment(io::FileSystem& files, const std::string& directory,
                                                     const ManifestFile& entry, Uuid collection) {
    AKIDB_TRY(SegmentContainer container,
              SegmentContainer::open(files, directory, entry, SegmentKind::kKeys, collection));
    AKIDB_TRY(check_size(container));
    AKIDB_TRY(container.verify(SectionType::kKeys, [] { return false; }));
    AKIDB_TRY(std::string_view bytes,
              container.section(SectionType::kKeys, container.header().row_count * kRememberedKeyBytes));
    ByteReader reader(bytes);
    std::vector<RememberedKey> keys(container.header().row_count);
    for (size_t i = 0; i < keys.size(); ++i) {
        keys[i] = get_remembered_key(reader);
        if (i > 0 && keys[i].sequence <= keys[i - 1].sequence) {
            return damage(container.path(), 0, "remembered keys are not ascending");
        }
    }
    return keys;
}

}  // namespace akidb::storage
