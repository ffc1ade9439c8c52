// The write-ahead log of one collection: numbered files of frames. A frame is one group commit: records that
// became durable by one sync. docs/formats/log.md has a worked hex example.
//
// File: 64-byte header (magic "AKILOG01", format version, collection UUID, file id u64, first sequence u64,
// CRC32C), then frames, each starting at a multiple of 64 bytes, then zeros (preallocated space).
//
// Frame: 40-byte header — magic u32, body bytes u32, first sequence u64, record count u32, epoch u32, file
// offset u64, CRC32C u32 over header and body seeded with collection and file id (so that a misdirected or
// recycled block never passes), 4 zero bytes — then the body: records of { type u8, length u32, bytes }.
// Record i of a frame has sequence first + i. In front of them may be one of type kTime, which takes none.
//
// A clean stop is the last frame of an orderly shutdown: record count 0, first sequence the next one to be
// given, and a body of one record, kCleanStop, which takes no sequence. So the log means the same with and
// without it: one that was written but not synced may be seen by the next process and then vanish in a power
// cut, after later files were made.
//
// Only one group is ever unsynced (rule R4). So an invalid frame that is followed by any valid frame, in the
// file or in a later one, is damage (kDataLoss: quarantine); an invalid frame with nothing valid after it is
// a torn tail of a group that was never acknowledged: it is cut, counted and reported. One exception: rubbish
// no longer than a clean stop at the end of a file is passed over when the next file goes on at the very next
// sequence, which proves that no record is missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/document.h"

namespace akidb::storage {

inline constexpr uint32_t kLogFileBytes = 64 << 20;  // a file is closed when the next frame would pass this
inline constexpr uint32_t kFrameAlignment = 64;

enum class RecordType : uint8_t {
    kUpsert = 1,     // documents
    kDelete = 2,     // resolved ids, never a filter (rule R9)
    kCleanStop = 3,  // alone in a frame of record count 0; empty, without a sequence
    kKeyed = 4,      // an upsert or a delete, and behind it the key that it must not be repeated under
    kTime = 5,       // first in the body of a frame, without a sequence: when its group was committed
};

/// What the time of a group takes of its frame's body.
inline constexpr uint64_t kTimeRecordBytes = 5 + sizeof(uint64_t);

struct LogRecord {
    RecordType type = RecordType::kUpsert;
    std::string body;
};

/// Bytes of the frame body that these records make: what LogWriter::reserve wants to know.
uint64_t group_body_bytes(std::span<const LogRecord> records);

/// Upsert body: u32 count, then per document: id (u32 length + encoding), vectors (f32: the one without a
/// name, then each of `named` in its place, zeros where the document lacks it), stored metadata (u32 length +
/// encoding, model/expiry.h). Documents view the caller's memory until encoded.
std::string encode_upsert(const std::vector<model::Document>& documents,
                          const std::vector<model::VectorSpec>& named = {});
struct UpsertItem {
    std::string_view id;        // DocumentId encoding
    std::string_view vector;    // all vectors one after the other: dimension × f32, unaligned
    std::string_view metadata;  // stored (model/expiry.h)
};
/// Views into `body`; kDataLoss when malformed. `dimension`: of all vectors together.
Result<std::vector<UpsertItem>> decode_upsert(std::string_view body, uint32_t dimension);

/// Delete body: u32 count, then ids as u32 length + encoding.
std::string encode_delete(const std::vector<std::string>& encoded_ids);
Result<std::vector<std::string_view>> decode_delete(std::string_view body);

}  // namespace akidb::storage
