#include "engine/cold_writer.h"

#include <algorithm>
#include <cstring>

#include "index/row_codes.h"
#include "model/expiry.h"
#include "simd/kernels.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

// The mean of so many rows is as good as that of all.
constexpr uint32_t kFrameRows = 4 * index::kRowsPerChunk;
// Far below what a code can have, so that no sum passes it.
constexpr float kSquaredMax = index::kFarthestSquared / 16;

const simd::Kernels& kernels() {
    return simd::choose_kernels("");
}

}  // namespace

/// Codes of one block after another, through a window of rows.
class ColdIndexFile::Encoder {
  public:
    Encoder(const index::RowShape& shape, const index::CodeFrame& frame)
        : window_(shape, kernels()), space_(window_, frame), rows_(index::kBlockRows * window_.row_bytes()) {
        window_.set_chunk(0, rows_.data());
    }
    void encode(const ColdIndexFile& file, uint64_t block, std::string& out) {
        const uint64_t first = block * index::kBlockRows;
        const auto count =
            static_cast<uint32_t>(std::min<uint64_t>(index::kBlockRows, file.live_.size() - first));
        for (uint32_t i = 0; i < count; ++i) {
            const std::string_view row = file.row_at(first + i);
            std::memcpy(rows_.data() + i * row.size(), row.data(), row.size());
        }
        out.resize(file.layout_.code_bytes);
        index::encode_block(space_, count, reinterpret_cast<uint8_t*>(out.data()));
    }

  private:
    index::Rows window_;
    const index::CodeSpace space_;
    std::vector<std::byte> rows_;
};

Result<std::unique_ptr<ColdIndexFile>> ColdIndexFile::make(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const storage::Manifest& manifest,
                                                           FunctionRef<bool()> cancelled) {
    if (!manifest.vectors.empty()) {
        return std::unique_ptr<ColdIndexFile>();
    }
    const std::string folder = directory + "/" + std::string(storage::kSegmentDirectory);
    const storage::RowForm form{.stride = index::row_stride(manifest.dimension, manifest.storage),
                                .storage = manifest.storage};
    std::vector<Segment> segments;
    uint64_t rows = 0;
    for (const storage::ManifestRows& entry : manifest.rows) {
        AKIDB_TRY(auto opened, storage::RowsSegment::open(files, folder, entry, manifest.collection, form));
        rows = entry.first_row + entry.row_count;
        segments.push_back({entry.first_row, std::move(opened)});
    }
    std::vector<storage::DeadRow> dead;
    if (manifest.dead) {
        AKIDB_TRY(dead, storage::open_dead_segment(files, folder, *manifest.dead, manifest.collection));
    }
    if (rows > index::kRowsMax) {
        return Error(Code::kDataLoss, "the segments hold more rows than a collection can");
    }
    std::vector<uint32_t> live;
    live.reserve(rows - std::min<uint64_t>(rows, dead.size()));
    auto next_dead = dead.begin();
    for (uint32_t row = 0; row < rows; ++row) {
        if (next_dead != dead.end() && next_dead->row == row) {
            ++next_dead;
        } else {
            live.push_back(row);
        }
    }
    if (live.empty()) {
        return std::unique_ptr<ColdIndexFile>();
    }
    for (const Segment& segment : segments) {
        AKIDB_TRY(segment.rows->verify_vectors(cancelled));
    }
    std::unique_ptr<ColdIndexFile> made(new ColdIndexFile(manifest, std::move(segments), std::move(live)));
    return made->has_codes() ? std::move(made) : std::unique_ptr<ColdIndexFile>();
}

ColdIndexFile::ColdIndexFile(const storage::Manifest& manifest, std::vector<Segment> segments,
                             std::vector<uint32_t> live)
    : segments_(std::move(segments)),
      live_(std::move(live)),
      head_{.identity = {.collection = manifest.collection,
                         .version = manifest.version,
                         .rows = live_.size(),
                         .shape = {manifest.metric, manifest.dimension, manifest.storage}}},
      layout_(head_.identity) {
    place_records();
    measure_frame();
    head_bytes_ = encode_cold_head(head_);
}

/// Whether every vector is short enough. The second factor of a row is its squared length.
bool ColdIndexFile::has_codes() const {
    const index::RowShape& shape = head_.identity.shape;
    if (shape.metric == model::Metric::kCosine) {
        return true;
    }
    const size_t at = index::factors_offset(shape.dimension, shape.storage) + sizeof(float);
    for (uint64_t number = 0; number < live_.size(); ++number) {
        float squared = 0;
        std::memcpy(&squared, row_at(number).data() + at, sizeof(squared));
        if (!(squared < kSquaredMax)) {
            return false;
        }
    }
    return true;
}

void ColdIndexFile::place_records() {
    uint64_t at = layout_.codes_end();
    for (uint64_t number = 0; number < live_.size(); ++number) {
        if (number % index::kBlockRows == 0) {
            records_at_.push_back(at);
        }
        const ColdRecord record = record_at(number);
        at += layout_.record_bytes(record.id.size(), record.metadata.size());
    }
    head_.object_bytes = at;
}

void ColdIndexFile::measure_frame() {
    index::Rows sample(head_.identity.shape, kernels());
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(kFrameRows, live_.size()));
    std::vector<std::byte> rows(count * sample.row_bytes());
    for (uint32_t i = 0; i < count; ++i) {
        const std::string_view row = row_at(live_.size() * i / count);
        std::memcpy(rows.data() + i * row.size(), row.data(), row.size());
    }
    for (uint32_t chunk = 0; chunk * index::kRowsPerChunk < count; ++chunk) {
        sample.set_chunk(chunk, rows.data() + size_t{chunk} * index::kRowsPerChunk * sample.row_bytes());
    }
    head_.frame = index::CodeSpace(sample, count).frame();
}

std::string_view ColdIndexFile::row_at(uint64_t number) const {
    const uint32_t row = live_[number];
    const auto segment =
        std::prev(std::upper_bound(segments_.begin(), segments_.end(), row,
                                   [](uint32_t at, const Segment& one) { return at < one.first_row; }));
    return {reinterpret_cast<const char*>(segment->rows->vectors()) +
                (row - segment->first_row) * layout_.row_bytes,
            layout_.row_bytes};
}

ColdRecord ColdIndexFile::record_at(uint64_t number) const {
    const uint32_t row = live_[number];
    const auto segment =
        std::prev(std::upper_bound(segments_.begin(), segments_.end(), row,
                                   [](uint32_t at, const Segment& one) { return at < one.first_row; }));
    const uint64_t index = row - segment->first_row;
    const model::StoredMetadata stored = model::split_stored(segment->rows->metadata(index));
    return {.row = row_at(number),
            .version = segment->rows->version(index),
            .expires_at_ms = stored.expires_at_ms,
            .id = segment->rows->id(index),
            .metadata = stored.metadata};
}

uint64_t ColdIndexFile::end_of_block(uint64_t block) const {
    return std::min<uint64_t>((block + 1) * index::kBlockRows, live_.size());
}

ColdBlock ColdIndexFile::block_at(uint64_t block) const {
    ColdBlock made{.records_at = records_at_[block]};
    for (uint64_t number = block * index::kBlockRows; number < end_of_block(block); ++number) {
        const ColdRecord record = record_at(number);
        made.rows[number % index::kBlockRows] = {
            .expires_s = cold_seconds(record.expires_at_ms),
            .metadata_bytes = static_cast<uint32_t>(record.metadata.size()),
            .id_bytes = static_cast<uint16_t>(record.id.size())};
    }
    return made;
}

ColdIndexFile::Piece ColdIndexFile::piece_at(uint64_t offset, std::unique_ptr<Encoder>& encoder) const {
    if (offset < layout_.head_bytes) {
        return {0, head_bytes_};
    }
    Piece piece;
    if (offset < layout_.codes_end()) {
        const uint64_t block = (offset - layout_.head_bytes) / layout_.block_bytes;
        piece.begin = layout_.block_at(block);
        if (encoder == nullptr) {
            encoder = std::make_unique<Encoder>(head_.identity.shape, head_.frame);
        }
        encoder->encode(*this, block, piece.bytes);
        finish_cold_block(layout_, head_.seal, block, block_at(block), piece.bytes);
        return piece;
    }
    const auto next = std::upper_bound(records_at_.begin(), records_at_.end(), offset);
    const auto block = static_cast<uint64_t>(next - records_at_.begin() - 1);
    piece.begin = records_at_[block];
    for (uint64_t number = block * index::kBlockRows; number < end_of_block(block); ++number) {
        append_cold_record(head_.seal, number, record_at(number), piece.bytes);
    }
    return piece;
}

Result<void> ColdIndexFile::read_at(uint64_t offset, size_t count, std::string& out) const {
    out.clear();
    if (offset > size() || count > size() - offset) {
        return Error(Code::kDataLoss, "the cold index ends before what was asked of it");
    }
    std::unique_ptr<Encoder> encoder;
    while (out.size() < count) {
        const Piece piece = piece_at(offset + out.size(), encoder);
        const uint64_t skipped = offset + out.size() - piece.begin;
        out.append(piece.bytes, skipped, count - out.size());
    }
    return {};
}

}  // namespace akidb::engine
