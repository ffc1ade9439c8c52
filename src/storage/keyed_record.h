// A write with a key in the log, and what is remembered of it (docs/formats/log.md, docs/idempotency.md). The
// key stands in the very record of the write, behind it, so that neither can be without the other. encode and
// decode are pure; kDataLoss when malformed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "model/write_key.h"
#include "storage/log_format.h"

namespace akidb::storage {

/// The answer to the first write with this key, to be given again.
struct RememberedKey {
    model::WriteKey key;
    uint64_t remembered_at_ms = 0;
    uint64_t sequence = 0;
    uint64_t count = 0;  // documents written or deleted; kCountLost when a repair could not tell
};
inline constexpr uint64_t kCountLost = UINT64_MAX;
inline constexpr uint64_t kRememberedKeyBytes = 72;

struct KeyedRecord {
    RecordType type = RecordType::kUpsert;  // kUpsert or kDelete
    std::string_view body;                  // of that type
    model::WriteKey key;
    uint64_t remembered_at_ms = 0;
};

/// Makes an upsert or a delete a kKeyed record.
void add_key(LogRecord& record, const model::WriteKey& key, uint64_t now_ms);
/// Views into `body`, of a kKeyed record.
Result<KeyedRecord> decode_keyed(std::string_view body);

void put_remembered_key(ByteWriter& writer, const RememberedKey& key);
RememberedKey get_remembered_key(ByteReader& reader);

}  // namespace akidb::storage
