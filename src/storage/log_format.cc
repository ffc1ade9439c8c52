#include "storage/log_format.h"

#include "base/bytes.h"
#include "model/expiry.h"
#include "model/limits.h"

namespace akidb::storage {
namespace {

constexpr uint32_t kLengthBytes = sizeof(uint32_t);
constexpr size_t kEncodedIdBytesMax = model::kDocumentIdBytesMax + 1;  // the tag and the text

Error malformed(std::string_view what, size_t index) {
    return Error(Code::kDataLoss,
                 "log record: " + std::string(what) + " at item " + std::to_string(index) + " is malformed");
}

/// Which of them the document lacks.
uint8_t put_named(ByteWriter& writer, const model::Document& document,
                  const std::vector<model::VectorSpec>& named) {
    uint8_t lacking = 0;
    for (size_t i = 0; i < named.size(); ++i) {
        const std::vector<float>& values = model::vector_of(document, named[i].name);
        if (values.empty()) {
            lacking = static_cast<uint8_t>(lacking | 1U << i);
            writer.put_floats(std::vector<float>(named[i].dimension));
        } else {
            writer.put_floats(values);
        }
    }
    return lacking;
}

bool is_id_size(std::string_view id) {
    return !id.empty() && id.size() <= kEncodedIdBytesMax;
}

}  // namespace

std::string encode_upsert(const std::vector<model::Document>& documents,
                          const std::vector<model::VectorSpec>& named) {
    size_t floats = 0;
    for (const model::VectorSpec& vector : named) {
        floats += vector.dimension;
    }
    size_t bytes = kLengthBytes;
    for (const model::Document& document : documents) {
        bytes += 2 * kLengthBytes + kEncodedIdBytesMax + (document.vector.size() + floats) * sizeof(float) +
                 document.metadata.size() + model::kLackingBytes + model::kExpiryBytes;
    }
    std::string body;
    std::string stored;
    body.reserve(bytes);
    ByteWriter writer(body);
    writer.put(static_cast<uint32_t>(documents.size()));
    for (const model::Document& document : documents) {
        writer.put_string(document.id.encoded());
        writer.put_floats(document.vector);
        stored.assign(document.metadata);
        model::append_lacking(stored, put_named(writer, document, named));
        model::append_expiry(stored, document.expires_at_ms);
        writer.put_string(stored);
    }
    return body;
}

Result<std::vector<UpsertItem>> decode_upsert(std::string_view body, uint32_t dimension) {
    ByteReader reader(body);
    uint64_t count = reader.get<uint32_t>();
    uint64_t vector_bytes = uint64_t{dimension} * sizeof(float);
    uint64_t item_bytes_min = 2 * kLengthBytes + 1 + vector_bytes;
    if (reader.failed() || count > reader.remaining() / item_bytes_min) {
        return Error(Code::kDataLoss, "log record: an upsert of " + std::to_string(count) +
                                          " documents of dimension " + std::to_string(dimension) +
                                          " does not fit in " + std::to_string(body.size()) + " bytes");
    }
    std::vector<UpsertItem> items(count);
    for (size_t i = 0; i < items.size(); ++i) {
        items[i].id = reader.get_string();
        items[i].vector = reader.get_bytes(vector_bytes);
        items[i].metadata = reader.get_string();
        if (reader.failed() || !is_id_size(items[i].id)) {
            return malformed("upsert", i);
        }
    }
    if (!reader.finished()) {
        return malformed("end of upsert", items.size());
    }
    return items;
}

std::string encode_delete(const std::vector<std::string>& encoded_ids) {
    std::string body;
    ByteWriter writer(body);
    writer.put(static_cast<uint32_t>(encoded_ids.size()));
    for (const std::string& id : encoded_ids) {
        writer.put_string(id);
    }
    return body;
}

Result<std::vector<std::string_view>> decode_delete(std::string_view body) {
    ByteReader reader(body);
    uint64_t count = reader.get<uint32_t>();
    if (reader.failed() || count > reader.remaining() / (kLengthBytes + 1)) {
        return Error(Code::kDataLoss, "log record: a delete of " + std::to_string(count) +
                                          " ids does not fit in " + std::to_string(body.size()) + " bytes");
    }
    std::vector<std::string_view> ids(count);
    for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = reader.get_string();
        if (reader.failed() || !is_id_size(ids[i])) {
            return malformed("delete", i);
        }
    }
    if (!reader.finished()) {
        return malformed("end of delete", ids.size());
    }
    return ids;
}

}  // namespace akidb::storage
