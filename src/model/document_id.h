// DocumentId: what a client calls a document: an unsigned 64-bit integer, a UUID, or a UTF-8 string of 1–255
// bytes without control characters. A string in UUID form is a UUID, so both spellings name one document.
// Ordered (integers, then UUIDs, then strings) because ties between equal scores are broken by id. Immutable
// value.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/uuid.h"

namespace akidb::model {

class DocumentId {
  public:
    DocumentId() : value_(uint64_t{0}) {}
    explicit DocumentId(uint64_t number) : value_(number) {}
    explicit DocumentId(Uuid uuid) : value_(uuid) {}
    /// UUID form becomes a UUID. kInvalidArgument (no field) when empty, too long, not UTF-8 or with control
    /// characters.
    static Result<DocumentId> from_text(std::string_view text);
    /// The id as it stands in a URL path: digits are an integer when they fit 64 bits, else as from_text.
    static Result<DocumentId> from_path(std::string_view segment);

    /// Canonical bytes: tag 0 + u64, tag 1 + 16 bytes, or tag 2 + text. Equal ids have equal bytes. Appended
    /// to `out`.
    void encode(std::string& out) const;
    std::string encoded() const;
    /// kDataLoss when the bytes are not an encoding.
    static Result<DocumentId> decode(std::string_view bytes);

    const std::variant<uint64_t, Uuid, std::string>& value() const { return value_; }
    /// For messages, CLI tables and URLs (not escaped).
    std::string to_string() const;

    std::strong_ordering operator<=>(const DocumentId&) const = default;
    bool operator==(const DocumentId&) const = default;

  private:
    explicit DocumentId(std::string text) : value_(std::move(text)) {}

    std::variant<uint64_t, Uuid, std::string> value_;
};

/// Well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

}  // namespace akidb::model
