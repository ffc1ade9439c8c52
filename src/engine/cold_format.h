// ColdFormat: the bytes of a *cold index*, the one object by which a collection whose files are in an object
// store alone answers searches (docs/formats/cold-index.md has a worked hex example):
//   head      what it is of, and the frame of the code space; one length for all of a dimension
//   blocks    of 32 rows each: four-bit codes (index/block_codes.h), and what is to be known of a row before
//             it is read: seconds of its expiry, and how long id and metadata are
//   records   one a row: the vector as rows keep it, version, expiry, id; then the metadata
// Where head and blocks lie follows from the count of rows and their form alone, so they are asked for at
// once; where a record lies the blocks say. Each block, each record and each metadata has a checksum that
// begins from the head's and its own number, so bytes of another place or another object do not pass. Rows
// are the live ones, in their order. Pure; errors are kDataLoss.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "index/block_codes.h"
#include "index/rows.h"

namespace akidb::engine {

Error cold_damage(std::string_view what);

struct ColdIdentity {
    Uuid collection;
    uint64_t version = 0;  // of the manifest whose documents these are
    uint64_t rows = 0;     // 1..index::kRowsMax
    index::RowShape shape{};
};

struct ColdLayout {
    explicit ColdLayout(const ColdIdentity& identity);
    uint64_t codes_end() const { return head_bytes + blocks * block_bytes; }
    uint64_t block_at(uint64_t block) const { return head_bytes + block * block_bytes; }
    /// Without the metadata and its checksum.
    uint64_t front_bytes(uint64_t id_bytes) const;
    uint64_t record_bytes(uint64_t id_bytes, uint64_t metadata_bytes) const;

    uint32_t dimension;  // of codes
    uint64_t row_bytes;  // of a row as it is kept
    uint64_t head_bytes;
    uint64_t code_bytes;  // of a block, as the next
    uint64_t block_bytes;
    uint64_t blocks;
};

struct ColdHead {
    ColdIdentity identity;
    uint64_t object_bytes = 0;
    index::CodeFrame frame{};
    uint32_t seal = 0;  // its checksum, which all others begin from
};
/// Sets the seal.
std::string encode_cold_head(ColdHead& head);
/// It must be of `expected`.
Result<ColdHead> decode_cold_head(std::string_view bytes, const ColdIdentity& expected);

/// What a block tells of its rows beside the codes.
struct ColdBlock {
    struct Row {
        uint32_t expires_s = 0;  // 0: never; else the second within which it does, or the last that there is
        uint32_t metadata_bytes = 0;
        uint16_t id_bytes = 0;
    };
    std::array<Row, index::kBlockRows> rows{};
    uint64_t records_at = 0;  // of its first row
};
uint32_t cold_seconds(uint64_t expires_at_ms);
/// Ends a block of which the codes are there.
void finish_cold_block(const ColdLayout& layout, uint32_t seal, uint64_t number, const ColdBlock& rows,
                       std::string& block);
Result<void> check_cold_block(uint32_t seal, uint64_t number, std::string_view block);
/// Of a block that was checked.
ColdBlock read_cold_block(const ColdLayout& layout, std::string_view block);

struct ColdRecord {
    std::string_view row;  // row_bytes
    uint64_t version = 0;
    uint64_t expires_at_ms = 0;
    std::string_view id;        // encoded
    std::string_view metadata;  // without an expiry behind it
};
void append_cold_record(uint32_t seal, uint64_t number, const ColdRecord& record, std::string& out);
/// All but the metadata, from its front.
Result<ColdRecord> read_cold_front(const ColdLayout& layout, uint32_t seal, uint64_t number,
                                   std::string_view front);
/// From what follows the front.
Result<std::string_view> read_cold_metadata(uint32_t seal, uint64_t number, std::string_view back);

}  // namespace akidb::engine
