// The lines of an audit log (docs/formats/audit.md): each is one JSON object with its names in a fixed order.
//
//   header      the first of a file: which log, which entry comes first, the hash before it, the key; signed
//   entry       who did or tried what; with h(n) = SHA-256("akidb-audit-v1" || n || h(n-1) || line up to the
//   hash) checkpoint  signed: up to here the log had this hash
//
// Signatures are Ed25519, over "akidb-audit-v1 signed\n" and the line up to the signature: what is signed and
// hashed are the very bytes, so no reader has to write JSON as we do. Values and pure functions; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "access/sodium.h"
#include "base/uuid.h"
#include "io/random.h"

namespace akidb::access {

inline constexpr size_t kAuditFieldBytesMax = 256;
/// A signature covers so many entries at most.
inline constexpr uint64_t kAuditEntriesPerCheckpoint = 1000;
/// What the log says about itself.
inline constexpr std::string_view kAuditExpire = "audit::expire";
inline constexpr std::string_view kAuditOmit = "audit::omit";

using AuditPublicKey = std::array<uint8_t, 32>;

/// An Ed25519 pair. Text forms are hex: of the seed, and of the public key.
struct AuditKey {
    std::array<uint8_t, 64> secret{};  // seed and public key, as libsodium has it

    static AuditKey make(io::Random& random);
    static std::optional<AuditKey> parse(std::string_view seed_hex);
    AuditPublicKey public_key() const;
    std::string seed_hex() const;
};
std::optional<AuditPublicKey> parse_audit_public_key(std::string_view hex);

enum class AuditOutcome : uint8_t { kAllowed, kDenied, kFailed };
std::string_view name_of(AuditOutcome outcome);
std::optional<AuditOutcome> parse_audit_outcome(std::string_view name);

/// No payloads and no secrets in any field; what is longer than 256 bytes is cut.
struct AuditEntry {
    uint64_t sequence = 0;  // given by the log
    uint64_t unix_ms = 0;   // given by the log
    std::string actor;      // "user:…", "key:…", "akidb"; empty for nobody
    std::string tenant;
    std::string action;  // "collection::delete"
    std::string resource;
    AuditOutcome outcome = AuditOutcome::kAllowed;
    std::string reason;
    std::string source;  // address
    std::string user_agent;
    std::string request_id;
};

struct AuditHeader {
    Uuid log;
    uint64_t first = 1;  // sequence
    uint64_t unix_ms = 0;
    Sha256 previous{};  // h(first - 1)
    AuditPublicKey key{};
};

struct AuditCheckpoint {
    Uuid log;
    uint64_t sequence = 0;
    uint64_t unix_ms = 0;
    Sha256 hash{};  // h(sequence)
};

/// h(0): of a log that nobody wrote to.
Sha256 audit_hash_before_all(const Uuid& log);
/// Lines without their newline.
std::string encode_audit_header(const AuditHeader& header, const AuditKey& key);
std::string encode_audit_checkpoint(const AuditCheckpoint& checkpoint, const AuditKey& key);
/// `hash` is h(n-1) before and h(n) after.
std::string encode_audit_entry(const AuditEntry& entry, Sha256& hash);

struct AuditEntryLine {
    AuditEntry entry;
    Sha256 hash{};  // as it stands in the line
};
using AuditLine = std::variant<AuditHeader, AuditEntryLine, AuditCheckpoint>;
/// Nothing for what is no such line.
std::optional<AuditLine> parse_audit_line(std::string_view line);
/// What h(n) should be for this line of an entry.
Sha256 audit_hash_of(std::string_view entry_line, uint64_t sequence, const Sha256& previous);
bool is_audit_line_signed(std::string_view line, const AuditPublicKey& key);

}  // namespace akidb::access
