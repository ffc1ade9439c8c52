#include "engine/cold_format.h"

#include <algorithm>
#include <limits>
#include <span>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

namespace akidb::engine {
namespace {

constexpr std::string_view kMagic = "AKICOLD1";
constexpr uint32_t kFormatVersion = 1;
constexpr uint32_t kBitsAComponent = 4;
constexpr uint64_t kHeadFieldsBytes = 80;
constexpr uint64_t kHeadUnit = 64;
constexpr uint64_t kChecksumBytes = sizeof(uint32_t);
// Of each row in a block, beside the codes; then where its records begin, zeros and the checksum.
constexpr uint64_t kRowFactsBytes = 2 * sizeof(uint32_t) + sizeof(uint16_t);
constexpr uint64_t kBlockEndBytes = sizeof(uint64_t) + sizeof(uint32_t) + kChecksumBytes;
constexpr uint64_t kRecordFieldsBytes = 2 * sizeof(uint64_t);

/// What a checksum covers stands at its place and nowhere else.
enum class Part : uint8_t { kBlock = 1, kRecord = 2, kMetadata = 3 };

uint32_t checksum_of(uint32_t seal, Part part, uint64_t number, std::string_view bytes) {
    std::string place;
    ByteWriter writer(place);
    writer.put(static_cast<uint8_t>(part));
    writer.put(number);
    return crc32c(bytes, crc32c(place, seal));
}

/// Of bytes that end with their checksum, those before it.
Result<std::string_view> unsealed(uint32_t seal, Part part, uint64_t number, std::string_view bytes) {
    if (bytes.size() < kChecksumBytes) {
        return cold_damage("a part of it is too short");
    }
    const std::string_view content = bytes.substr(0, bytes.size() - kChecksumBytes);
    ByteReader reader(bytes.substr(content.size()));
    if (reader.get<uint32_t>() != checksum_of(seal, part, number, content)) {
        return cold_damage("a checksum does not fit");
    }
    return content;
}

}  // namespace

Error cold_damage(std::string_view what) {
    return Error(Code::kDataLoss, "the cold index is damaged: " + std::string(what));
}

ColdLayout::ColdLayout(const ColdIdentity& identity)
    : dimension(index::code_dimension(identity.shape)),
      row_bytes(uint64_t{index::row_stride(identity.shape.dimension, identity.shape.storage)} * 4),
      head_bytes((kHeadFieldsBytes + dimension * sizeof(float) + kChecksumBytes + kHeadUnit - 1) / kHeadUnit *
                 kHeadUnit),
      code_bytes(index::code_block_bytes(dimension)),
      block_bytes(code_bytes + index::kBlockRows * kRowFactsBytes + kBlockEndBytes),
      blocks((identity.rows + index::kBlockRows - 1) / index::kBlockRows) {
    // Codes are read as floats where they lie.
    static_assert((index::kBlockRows * kRowFactsBytes + kBlockEndBytes) % sizeof(uint64_t) == 0);
}

uint64_t ColdLayout::front_bytes(uint64_t id_bytes) const {
    return row_bytes + kRecordFieldsBytes + id_bytes + kChecksumBytes;
}

uint64_t ColdLayout::record_bytes(uint64_t id_bytes, uint64_t metadata_bytes) const {
    return front_bytes(id_bytes) + metadata_bytes + kChecksumBytes;
}

std::string encode_cold_head(ColdHead& head) {
    const ColdLayout layout(head.identity);
    AKIDB_ASSERT(head.frame.mean.size() == layout.dimension);
    std::string bytes(kMagic);
    ByteWriter writer(bytes);
    writer.put(kFormatVersion);
    writer.put(kBitsAComponent);
    const Uuid& collection = head.identity.collection;
    writer.put_bytes({reinterpret_cast<const char*>(collection.bytes.data()), collection.bytes.size()});
    writer.put(head.identity.version);
    writer.put(head.identity.rows);
    writer.put(head.identity.shape.dimension);
    writer.put(static_cast<uint8_t>(head.identity.shape.metric));
    writer.put(static_cast<uint8_t>(head.identity.shape.storage));
    writer.put(uint16_t{0});
    writer.put(index::kCodeSpaceSeed);
    writer.put(head.object_bytes);
    writer.put(static_cast<uint32_t>(layout.row_bytes));
    writer.put(head.frame.scale_squared);
    writer.put_floats(head.frame.mean);
    bytes.resize(layout.head_bytes - kChecksumBytes);
    head.seal = crc32c(bytes);
    writer.put(head.seal);
    return bytes;
}

Result<ColdHead> decode_cold_head(std::string_view bytes, const ColdIdentity& expected) {
    const ColdLayout layout(expected);
    if (bytes.size() != layout.head_bytes || !bytes.starts_with(kMagic)) {
        return cold_damage("it does not begin as one");
    }
    ColdHead head{.identity = expected, .seal = crc32c(bytes.substr(0, bytes.size() - kChecksumBytes))};
    ByteReader checksum(bytes.substr(bytes.size() - kChecksumBytes));
    if (checksum.get<uint32_t>() != head.seal) {
        return cold_damage("the checksum of its head does not fit");
    }
    ByteReader reader(bytes.substr(kMagic.size()));
    const auto format = reader.get<uint32_t>();
    const auto bits = reader.get<uint32_t>();
    if (format != kFormatVersion || bits != kBitsAComponent) {
        return Error(Code::kConflict, "the cold index has format " + std::to_string(format) + " with " +
                                          std::to_string(bits) + " bits, and this AkiDB reads format " +
                                          std::to_string(kFormatVersion) + " with " +
                                          std::to_string(kBitsAComponent));
    }
    Uuid collection;
    const std::string_view raw = reader.get_bytes(collection.bytes.size());
    std::copy(raw.begin(), raw.end(), collection.bytes.begin());
    const bool is_same = collection == expected.collection && reader.get<uint64_t>() == expected.version &&
                         reader.get<uint64_t>() == expected.rows &&
                         reader.get<uint32_t>() == expected.shape.dimension &&
                         reader.get<uint8_t>() == static_cast<uint8_t>(expected.shape.metric) &&
                         reader.get<uint8_t>() == static_cast<uint8_t>(expected.shape.storage) &&
                         reader.get<uint16_t>() == 0 && reader.get<uint64_t>() == index::kCodeSpaceSeed;
    head.object_bytes = reader.get<uint64_t>();
    if (!is_same || reader.get<uint32_t>() != layout.row_bytes) {
        return cold_damage("it is that of something else");
    }
    head.frame.scale_squared = reader.get<float>();
    head.frame.mean.resize(layout.dimension);
    for (float& component : head.frame.mean) {
        component = reader.get<float>();
    }
    return head;
}

uint32_t cold_seconds(uint64_t expires_at_ms) {
    constexpr uint64_t kLast = std::numeric_limits<uint32_t>::max();
    // Nothing can be told from 0 but that it never does.
    return expires_at_ms == 0 ? 0
                              : static_cast<uint32_t>(std::clamp<uint64_t>(expires_at_ms / 1000, 1, kLast));
}

void finish_cold_block(const ColdLayout& layout, uint32_t seal, uint64_t number, const ColdBlock& rows,
                       std::string& block) {
    AKIDB_ASSERT(block.size() == layout.code_bytes);
    ByteWriter writer(block);
    for (const ColdBlock::Row& row : rows.rows) {
        writer.put(row.expires_s);
    }
    for (const ColdBlock::Row& row : rows.rows) {
        writer.put(row.metadata_bytes);
    }
    for (const ColdBlock::Row& row : rows.rows) {
        writer.put(row.id_bytes);
    }
    writer.put(rows.records_at);
    writer.put(uint32_t{0});
    writer.put(checksum_of(seal, Part::kBlock, number, block));
}

Result<void> check_cold_block(uint32_t seal, uint64_t number, std::string_view block) {
    AKIDB_TRY(unsealed(seal, Part::kBlock, number, block));
    return {};
}

ColdBlock read_cold_block(const ColdLayout& layout, std::string_view block) {
    ColdBlock read;
    ByteReader reader(block.substr(layout.code_bytes));
    for (ColdBlock::Row& row : read.rows) {
        row.expires_s = reader.get<uint32_t>();
    }
    for (ColdBlock::Row& row : read.rows) {
        row.metadata_bytes = reader.get<uint32_t>();
    }
    for (ColdBlock::Row& row : read.rows) {
        row.id_bytes = reader.get<uint16_t>();
    }
    read.records_at = reader.get<uint64_t>();
    return read;
}

void append_cold_record(uint32_t seal, uint64_t number, const ColdRecord& record, std::string& out) {
    const size_t begin = out.size();
    ByteWriter writer(out);
    writer.put_bytes(record.row);
    writer.put(record.version);
    writer.put(record.expires_at_ms);
    writer.put_bytes(record.id);
    writer.put(checksum_of(seal, Part::kRecord, number, std::string_view(out).substr(begin)));
    writer.put_bytes(record.metadata);
    writer.put(checksum_of(seal, Part::kMetadata, number, record.metadata));
}

Result<ColdRecord> read_cold_front(const ColdLayout& layout, uint32_t seal, uint64_t number,
                                   std::string_view front) {
    AKIDB_TRY(const std::string_view content, unsealed(seal, Part::kRecord, number, front));
    ByteReader reader(content);
    ColdRecord record;
    record.row = reader.get_bytes(layout.row_bytes);
    record.version = reader.get<uint64_t>();
    record.expires_at_ms = reader.get<uint64_t>();
    record.id = reader.get_bytes(reader.remaining());
    if (reader.failed()) {
        return cold_damage("a record is too short");
    }
    return record;
}

Result<std::string_view> read_cold_metadata(uint32_t seal, uint64_t number, std::string_view back) {
    return unsealed(seal, Part::kMetadata, number, back);
}

}  // namespace akidb::engine
