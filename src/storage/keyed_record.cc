#include "storage/keyed_record.h"

#include <cstring>
#include <span>

#include "base/assert.h"

namespace akidb::storage {
namespace {

constexpr size_t kTrailerBytes = 1 + 3 * 16 + sizeof(uint64_t);

void put_key(ByteWriter& writer, const model::WriteKey& key) {
    writer.put_bytes(as_text(std::as_bytes(std::span(key.key.bytes))));
    writer.put_bytes(as_text(std::as_bytes(std::span(key.fingerprint.bytes))));
    writer.put_bytes(as_text(std::as_bytes(std::span(key.first_made_id.bytes))));
}

template <class Sixteen>
void get_sixteen(ByteReader& reader, Sixteen& out) {
    const std::string_view bytes = reader.get_bytes(out.bytes.size());
    std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
}

model::WriteKey get_key(ByteReader& reader) {
    model::WriteKey key;
    get_sixteen(reader, key.key);
    get_sixteen(reader, key.fingerprint);
    get_sixteen(reader, key.first_made_id);
    return key;
}

}  // namespace

void add_key(LogRecord& record, const model::WriteKey& key, uint64_t now_ms) {
    AKIDB_ASSERT(record.type == RecordType::kUpsert || record.type == RecordType::kDelete);
    ByteWriter writer(record.body);
    writer.put(static_cast<uint8_t>(record.type));
    put_key(writer, key);
    writer.put(now_ms);
    record.type = RecordType::kKeyed;
}

Result<KeyedRecord> decode_keyed(std::string_view body) {
    if (body.size() < kTrailerBytes) {
        return Error(Code::kDataLoss, "log record: a write with a key of " + std::to_string(body.size()) +
                                          " bytes is too short");
    }
    ByteReader reader(body.substr(body.size() - kTrailerBytes));
    const auto type = static_cast<RecordType>(reader.get<uint8_t>());
    if (type != RecordType::kUpsert && type != RecordType::kDelete) {
        return Error(Code::kDataLoss, "log record: a write with a key is of unknown type " +
                                          std::to_string(static_cast<int>(type)));
    }
    KeyedRecord record{.type = type, .body = body.substr(0, body.size() - kTrailerBytes), .key = {}};
    record.key = get_key(reader);
    record.remembered_at_ms = reader.get<uint64_t>();
    return record;
}

void put_remembered_key(ByteWriter& writer, const RememberedKey& key) {
    put_key(writer, key.key);
    writer.put(key.remembered_at_ms);
    writer.put(key.sequence);
    writer.put(key.count);
}

RememberedKey get_remembered_key(ByteReader& reader) {
    RememberedKey key;
    key.key = get_key(reader);
    key.remembered_at_ms = reader.get<uint64_t>();
    key.sequence = reader.get<uint64_t>();
    key.count = reader.get<uint64_t>();
    return key;
}

}  // namespace akidb::storage
