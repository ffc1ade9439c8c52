#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "model/expiry.h"
#include "storage/segment.h"
#include "storage/segment_container.h"

namespace akidb::storage {
namespace {

using RowAt = FunctionRef<RowRecord(uint64_t index)>;

template <class T>
std::string_view view_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

Error refused(const std::string& name, std::string_view what) {
    return Error(Code::kInternal, "writing segment " + name + ": " + std::string(what));
}

Result<void> write_vectors(SegmentWriter& writer, const std::string& name, const RowsSegmentSpec& spec,
                           RowAt row_at) {
    AKIDB_TRY(writer.begin_section(SectionType::kVectors));
    for (uint64_t i = 0; i < spec.row_count; ++i) {
        RowRecord row = row_at(i);
        if (row.vector.size() != spec.form.row_bytes() || row.id.empty()) {
            return refused(name, "row " + std::to_string(i) + " has no id, or a vector of another form");
        }
        AKIDB_TRY(writer.append(row.vector));
    }
    return {};
}

Result<void> write_versions(SegmentWriter& writer, uint64_t row_count, RowAt row_at) {
    AKIDB_TRY(writer.begin_section(SectionType::kVersions));
    for (uint64_t i = 0; i < row_count; ++i) {
        AKIDB_TRY(writer.append(view_of(row_at(i).version)));
    }
    return {};
}

bool any_has_trailer(uint64_t row_count, RowAt row_at) {
    for (uint64_t i = 0; i < row_count; ++i) {
        if (model::trailer_bytes(model::split_stored(row_at(i).metadata)) > 0) {
            return true;
        }
    }
    return false;
}

struct StringSections {
    SectionType offsets;
    SectionType bytes;
};

Result<void> write_strings(SegmentWriter& writer, const std::string& name, StringSections sections,
                           uint64_t row_count, FunctionRef<std::string_view(uint64_t index)> field_at) {
    uint64_t end = 0;
    AKIDB_TRY(writer.begin_section(sections.offsets));
    AKIDB_TRY(writer.append(view_of(end)));
    for (uint64_t i = 0; i < row_count; ++i) {
        end += field_at(i).size();
        AKIDB_TRY(writer.append(view_of(end)));
    }
    uint64_t written = 0;
    AKIDB_TRY(writer.begin_section(sections.bytes));
    for (uint64_t i = 0; i < row_count; ++i) {
        std::string_view field = field_at(i);
        written += field.size();
        AKIDB_TRY(writer.append(field));
    }
    return written == end ? Result<void>() : refused(name, "rows changed while they were written");
}

}  // namespace

Result<ManifestFile> write_rows_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, const RowsSegmentSpec& spec, RowAt row_at) {
    SegmentHeader header{.kind = SegmentKind::kRows,
                         .collection = spec.collection,
                         .first_row = spec.first_row,
                         .row_count = spec.row_count,
                         .width = spec.form.stride,
                         .storage = spec.form.storage};
    if (spec.form.storage != model::VectorStorage::kF32) {
        header.format_version = kSegmentFormatVersionWithStorage;
    } else if (any_has_trailer(spec.row_count, row_at)) {
        header.format_version = kSegmentFormatVersionWithExpiries;
    }
    AKIDB_TRY(SegmentWriter writer, SegmentWriter::create(files, directory, name, header));
    AKIDB_TRY(write_vectors(writer, name, spec, row_at));
    AKIDB_TRY(write_versions(writer, spec.row_count, row_at));
    AKIDB_TRY(write_strings(writer, name, {SectionType::kIdOffsets, SectionType::kIds}, spec.row_count,
                            [&](uint64_t index) { return row_at(index).id; }));
    AKIDB_TRY(write_strings(writer, name, {SectionType::kMetadataOffsets, SectionType::kMetadata},
                            spec.row_count, [&](uint64_t index) { return row_at(index).metadata; }));
    return writer.finish();
}

Result<ManifestFile> write_graph_segment(
    io::FileSystem& files, const std::string& directory, const std::string& name, Uuid collection,
    uint64_t row_count, uint32_t degree,
    FunctionRef<void(uint32_t begin, uint32_t end, std::string& out)> lists_of) {
    if (row_count > std::numeric_limits<uint32_t>::max()) {
        return refused(name, "too many rows for a graph");
    }
    SegmentHeader header{
        .kind = SegmentKind::kGraph, .collection = collection, .row_count = row_count, .width = degree};
    AKIDB_TRY(SegmentWriter writer, SegmentWriter::create(files, directory, name, header));
    AKIDB_TRY(writer.begin_section(SectionType::kLists));
    uint64_t list_bytes = uint64_t{degree} * sizeof(uint32_t);
    uint64_t rows_a_piece = std::max<uint64_t>(1, kWriteBufferBytes / std::max<uint64_t>(1, list_bytes));
    std::string piece;
    for (uint64_t begin = 0; begin < row_count; begin += rows_a_piece) {
        uint64_t end = std::min(row_count, begin + rows_a_piece);
        piece.clear();
        lists_of(static_cast<uint32_t>(begin), static_cast<uint32_t>(end), piece);
        if (piece.size() != (end - begin) * list_bytes) {
            return refused(name, "the lists are not `degree` long");
        }
        AKIDB_TRY(writer.append(piece));
    }
    return writer.finish();
}

Result<ManifestFile> write_dead_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, Uuid collection,
                                        const std::vector<DeadRow>& dead) {
    SegmentHeader header{.kind = SegmentKind::kDead, .collection = collection, .row_count = dead.size()};
    AKIDB_TRY(SegmentWriter writer, SegmentWriter::create(files, directory, name, header));
    AKIDB_TRY(writer.begin_section(SectionType::kDeadRows));
    for (size_t i = 0; i < dead.size(); ++i) {
        if (i > 0 && dead[i].row <= dead[i - 1].row) {
            return refused(name, "dead rows are not ascending");
        }
        AKIDB_TRY(writer.append(view_of(dead[i].row)));
        AKIDB_TRY(writer.append(view_of(dead[i].sequence)));
    }
    return writer.finish();
}

Result<ManifestFile> write_keys_segment(io::FileSystem& files, const std::string& directory,
                                        const std::string& name, Uuid collection,
                                        const std::vector<RememberedKey>& keys) {
    SegmentHeader header{.kind = SegmentKind::kKeys, .collection = collection, .row_count = keys.size()};
    AKIDB_TRY(SegmentWriter writer, SegmentWriter::create(files, directory, name, header));
    AKIDB_TRY(writer.begin_section(SectionType::kKeys));
    std::string piece;
    for (size_t i = 0; i < keys.size(); ++i) {
        if (i > 0 && keys[i].sequence <= keys[i - 1].sequence) {
            return refused(name, "remembered keys are not ascending");
        }
        piece.clear();
        ByteWriter bytes(piece);
        put_remembered_key(bytes, keys[i]);
        AKIDB_TRY(writer.append(piece));
    }
    return writer.finish();
}

}  // namespace akidb::storage
