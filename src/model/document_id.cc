#include "model/document_id.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

enum class Tag : uint8_t { kNumber = 0, kUuid = 1, kText = 2 };

Error refused(std::string message) {
    return Error(Code::kInvalidArgument, std::move(message))
        .with_allowed("an integer 0..18446744073709551615, a UUID, or 1.." +
                      std::to_string(kDocumentIdBytesMax) + " bytes of UTF-8 without control characters");
}

bool is_continuation(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

/// Bytes of the well-formed sequence that `text` (not empty) begins with; 0 when it is malformed. The ranges
/// are those of table 3-7 of the Unicode standard.
size_t sequence_length(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (text.size() < length) {
        return 0;
    }
    for (size_t i = 1; i < length; ++i) {
        if (!is_continuation(byte(i))) {
            return 0;
        }
    }
    const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    const bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

/// C0, DEL and, as UTF-8, C1 (U+0080 to U+009F).
bool has_control_character(std::string_view utf8) {
    for (size_t i = 0; i < utf8.size(); ++i) {
        const auto byte = static_cast<uint8_t>(utf8[i]);
        const bool is_c1 = byte == 0xc2 && i + 1 < utf8.size() && static_cast<uint8_t>(utf8[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || is_c1) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
    constexpr uint64_t kHighBits = 0x8080808080808080;
    while (!text.empty()) {
        uint64_t chunk = kHighBits;
        if (text.size() >= sizeof(chunk)) {
            std::memcpy(&chunk, text.data(), sizeof(chunk));
        }
        const size_t length = (chunk & kHighBits) == 0 ? sizeof(chunk) : sequence_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

Result<DocumentId> DocumentId::from_text(std::string_view text) {
    if (text.empty()) {
        return refused("the id is empty");
    }
    if (text.size() > kDocumentIdBytesMax) {
        return refused("the id is " + std::to_string(text.size()) + " bytes long");
    }
    if (std::optional<Uuid> uuid = Uuid::parse(text)) {
        return DocumentId(*uuid);
    }
    if (!is_utf8(text)) {
        return refused("the id is not valid UTF-8");
    }
    if (has_control_character(text)) {
        return refused("the id holds a control character");
    }
    return DocumentId(std::string(text));
}

Result<DocumentId> DocumentId::from_path(std::string_view segment) {
    const bool digits =
        !segment.empty() && segment.size() <= kDocumentIdBytesMax &&
        std::all_of(segment.begin(), segment.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits) {
        uint64_t number = 0;
        const auto parsed = std::from_chars(segment.data(), segment.data() + segment.size(), number);
        if (parsed.ec == std::errc()) {
            return DocumentId(number);
        }
    }
    return from_text(segment);
}

void DocumentId::encode(std::string& out) const {
    ByteWriter writer(out);
    if (const auto* number = std::get_if<uint64_t>(&value_)) {
        writer.put(static_cast<uint8_t>(Tag::kNumber));
        writer.put(*number);
    } else if (const auto* uuid = std::get_if<Uuid>(&value_)) {
        writer.put(static_cast<uint8_t>(Tag::kUuid));
        writer.put_bytes({reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size()});
    } else if (const auto* text = std::get_if<std::string>(&value_)) {
        writer.put(static_cast<uint8_t>(Tag::kText));
        writer.put_bytes(*text);
    }
}

std::string DocumentId::encoded() const {
    std::string out;
    encode(out);
    return out;
}

Result<DocumentId> DocumentId::decode(std::string_view bytes) {
    const auto damaged = [] { return Error(Code::kDataLoss, "the bytes are not an encoded document id"); };
    ByteReader reader(bytes);
    const auto tag = static_cast<Tag>(reader.get<uint8_t>());
    if (reader.failed()) {
        return damaged();
    }
    if (tag == Tag::kNumber) {
        const DocumentId id(reader.get<uint64_t>());
        return reader.finished() ? Result<DocumentId>(id) : damaged();
    }
    if (tag == Tag::kUuid) {
        Uuid uuid;
        const std::string_view raw = reader.get_bytes(uuid.bytes.size());
        std::copy(raw.begin(), raw.end(), uuid.bytes.begin());
        return reader.finished() ? Result<DocumentId>(DocumentId(uuid)) : damaged();
    }
    if (tag == Tag::kText) {
        Result<DocumentId> id = from_text(bytes.substr(1));
        // A text in UUID form has its encoding under the other tag; equal ids must have equal bytes.
        if (id.has_value() && std::holds_alternative<std::string>(id->value_)) {
            return id;
        }
    }
    return damaged();
}

std::string DocumentId::to_string() const {
    if (const auto* number = std::get_if<uint64_t>(&value_)) {
        return std::to_string(*number);
    }
    if (const auto* uuid = std::get_if<Uuid>(&value_)) {
        return uuid->to_string();
    }
    const auto* text = std::get_if<std::string>(&value_);
    return text == nullptr ? std::string() : *text;
}

}  // namespace akidb::model
