#include "access/audit_line.h"

#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/sodium.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "model/moment.h"

namespace akidb::access {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kDomain = "akidb-audit-v1";
constexpr std::string_view kSignedDomain = "akidb-audit-v1 signed\n";
constexpr std::string_view kHashName = ",\"hash\":\"";
constexpr std::string_view kSignatureName = ",\"signature\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr size_t kSignatureBytes = 64;
using Signature = std::array<uint8_t, kSignatureBytes>;

std::string clipped(std::string_view text) {
    size_t end = 0;
    while (end < text.size()) {
        const size_t letter = std::max<size_t>(1, utf8_front_length(text.substr(end)));
        if (end + letter > kAuditFieldBytesMax) {
            break;
        }
        end += letter;
    }
    return std::string(text.substr(0, end));
}

class LineWriter {
  public:
    LineWriter& text(std::string_view name, std::string_view value) {
        put(name);
        line_ += Json(value).dump(-1, ' ', true, Json::error_handler_t::replace);
        return *this;
    }
    LineWriter& number(std::string_view name, uint64_t value) {
        put(name);
        line_ += std::to_string(value);
        return *this;
    }
    /// The line so far, in which no name is open.
    const std::string& body() const { return line_; }
    std::string finish(std::string_view last_name, std::string_view value) && {
        line_.append(last_name).append(value).append(kEnd);
        return std::move(line_);
    }

  private:
    void put(std::string_view name) {
        line_ += line_.empty() ? '{' : ',';
        line_.append("\"").append(name).append("\":");
    }
    std::string line_;
};

std::string sign(LineWriter&& line, const AuditKey& key) {
    const std::string text = std::string(kSignedDomain) + line.body();
    Signature signature{};
    crypto_sign_ed25519_detached(signature.data(), nullptr, raw(text), text.size(), key.secret.data());
    return std::move(line).finish(kSignatureName, to_hex(signature));
}

/// Without the last member, of `digits` hex digits, whose name is given; nothing when the line ends
/// otherwise.
std::optional<std::string_view> before_last(std::string_view line, std::string_view name, size_t digits) {
    const size_t tail = name.size() + digits + kEnd.size();
    if (line.size() < tail || line.substr(line.size() - tail, name.size()) != name || !line.ends_with(kEnd)) {
        return std::nullopt;
    }
    return line.substr(0, line.size() - tail);
}

/// Reads members of a line that anybody may have written; remembers whether any was missing.
class LineReader {
  public:
    explicit LineReader(const Json& line) : line_(line) {}

    std::string text(const char* name) {
        const auto found = line_.find(name);
        if (found == line_.end() || !found->is_string()) {
            failed_ = true;
            return {};
        }
        return found->get<std::string>();
    }
    uint64_t number(const char* name) {
        const auto found = line_.find(name);
        if (found == line_.end() || !found->is_number_unsigned()) {
            failed_ = true;
            return 0;
        }
        return found->get<uint64_t>();
    }
    uint64_t time(const char* name) {
        const std::optional<int64_t> moment = model::parse_moment(text(name));
        failed_ = failed_ || !moment || *moment < 0;
        return failed_ ? 0 : static_cast<uint64_t>(*moment) / 1000;
    }
    template <size_t kCount>
    std::array<uint8_t, kCount> bytes(const char* name) {
        std::array<uint8_t, kCount> out{};
        failed_ = !from_hex(text(name), out) || failed_;
        return out;
    }
    Uuid uuid(const char* name) {
        const std::optional<Uuid> uuid = Uuid::parse(text(name));
        failed_ = failed_ || !uuid;
        return uuid.value_or(Uuid{});
    }
    AuditOutcome outcome(const char* name) {
        const std::optional<AuditOutcome> outcome = parse_audit_outcome(text(name));
        failed_ = failed_ || !outcome;
        return outcome.value_or(AuditOutcome::kFailed);
    }
    bool failed() const { return failed_; }

  private:
    const Json& line_;
    bool failed_ = false;
};

AuditLine read_header(LineReader& reader) {
    return AuditHeader{.log = reader.uuid("log"),
                       .first = reader.number("first"),
                       .unix_ms = reader.time("time"),
                       .previous = reader.bytes<32>("previous"),
                       .key = reader.bytes<32>("key")};
}

AuditLine read_checkpoint(LineReader& reader) {
    return AuditCheckpoint{.log = reader.uuid("log"),
                           .sequence = reader.number("checkpoint"),
                           .unix_ms = reader.time("time"),
                           .hash = reader.bytes<32>("hash")};
}

AuditLine read_entry(LineReader& reader) {
    return AuditEntryLine{.entry = {.sequence = reader.number("seq"),
                                    .unix_ms = reader.time("time"),
                                    .actor = reader.text("actor"),
                                    .tenant = reader.text("tenant"),
                                    .action = reader.text("action"),
                                    .resource = reader.text("resource"),
                                    .outcome = reader.outcome("outcome"),
                                    .reason = reader.text("reason"),
                                    .source = reader.text("source"),
                                    .user_agent = reader.text("user_agent"),
                                    .request_id = reader.text("request_id")},
                          .hash = reader.bytes<32>("hash")};
}

Sha256 hash_of(std::string_view body, uint64_t sequence, const Sha256& previous) {
    std::string text(kDomain);
    ByteWriter writer(text);
    writer.put(sequence);
    writer.put_bytes({reinterpret_cast<const char*>(previous.data()), previous.size()});
    writer.put_bytes(body);
    Sha256 hash{};
    crypto_hash_sha256(hash.data(), raw(text), text.size());
    return hash;
}

}  // namespace

AuditKey AuditKey::make(io::Random& random) {
    return *parse(to_hex(random_bytes<crypto_sign_SEEDBYTES>(random)));
}

std::optional<AuditKey> AuditKey::parse(std::string_view seed_hex) {
    require_sodium();
    std::array<uint8_t, crypto_sign_SEEDBYTES> seed{};
    if (!from_hex(seed_hex, seed)) {
        return std::nullopt;
    }
    AuditKey key;
    AuditPublicKey ignored{};
    static_assert(sizeof key.secret == crypto_sign_SECRETKEYBYTES &&
                  sizeof ignored == crypto_sign_PUBLICKEYBYTES);
    crypto_sign_ed25519_seed_keypair(ignored.data(), key.secret.data(), seed.data());
    return key;
}

AuditPublicKey AuditKey::public_key() const {
    AuditPublicKey key{};
    crypto_sign_ed25519_sk_to_pk(key.data(), secret.data());
    return key;
}

std::string AuditKey::seed_hex() const {
    return to_hex(std::span(secret).first<crypto_sign_SEEDBYTES>());
}

std::optional<AuditPublicKey> parse_audit_public_key(std::string_view hex) {
    AuditPublicKey key{};
    return from_hex(hex, key) ? std::optional(key) : std::nullopt;
}

std::string_view name_of(AuditOutcome outcome) {
    switch (outcome) {
        case AuditOutcome::kAllowed:
            return "allowed";
        case AuditOutcome::kDenied:
            return "denied";
        case AuditOutcome::kFailed:
            return "failed";
    }
    return "unknown";
}

std::optional<AuditOutcome> parse_audit_outcome(std::string_view name) {
    for (const AuditOutcome outcome :
         {AuditOutcome::kAllowed, AuditOutcome::kDenied, AuditOutcome::kFailed}) {
        if (name == name_of(outcome)) {
            return outcome;
        }
    }
    return std::nullopt;
}

Sha256 audit_hash_before_all(const Uuid& log) {
    const std::string text = std::string(kDomain) + log.to_string();
    Sha256 hash{};
    crypto_hash_sha256(hash.data(), raw(text), text.size());
    return hash;
}

std::string encode_audit_header(const AuditHeader& header, const AuditKey& key) {
    LineWriter line;
    line.number("akidb_audit", 1)
        .text("log", header.log.to_string())
        .number("first", header.first)
        .text("time", model::rfc3339(header.unix_ms))
        .text("previous", to_hex(header.previous))
        .text("key", to_hex(header.key));
    return sign(std::move(line), key);
}

std::string encode_audit_checkpoint(const AuditCheckpoint& checkpoint, const AuditKey& key) {
    LineWriter line;
    line.number("checkpoint", checkpoint.sequence)
        .text("log", checkpoint.log.to_string())
        .text("time", model::rfc3339(checkpoint.unix_ms))
        .text("hash", to_hex(checkpoint.hash));
    return sign(std::move(line), key);
}

std::string encode_audit_entry(const AuditEntry& entry, Sha256& hash) {
    LineWriter line;
    line.number("seq", entry.sequence)
        .text("time", model::rfc3339(entry.unix_ms))
        .text("actor", clipped(entry.actor))
        .text("tenant", clipped(entry.tenant))
        .text("action", clipped(entry.action))
        .text("resource", clipped(entry.resource))
        .text("outcome", name_of(entry.outcome))
        .text("reason", clipped(entry.reason))
        .text("source", clipped(entry.source))
        .text("user_agent", clipped(entry.user_agent))
        .text("request_id", clipped(entry.request_id));
    hash = hash_of(line.body(), entry.sequence, hash);
    return std::move(line).finish(kHashName, to_hex(hash));
}

std::optional<AuditLine> parse_audit_line(std::string_view line) {
    const Json parsed = Json::parse(line, nullptr, false);
    if (!parsed.is_object()) {
        return std::nullopt;
    }
    LineReader reader(parsed);
    const AuditLine read = parsed.contains("akidb_audit")  ? read_header(reader)
                           : parsed.contains("checkpoint") ? read_checkpoint(reader)
                                                           : read_entry(reader);
    const bool is_version_1 = !parsed.contains("akidb_audit") || reader.number("akidb_audit") == 1;
    return reader.failed() || !is_version_1 ? std::nullopt : std::optional(read);
}

Sha256 audit_hash_of(std::string_view entry_line, uint64_t sequence, const Sha256& previous) {
    return hash_of(before_last(entry_line, kHashName, 2 * previous.size()).value_or(entry_line), sequence,
                   previous);
}

bool is_audit_line_signed(std::string_view line, const AuditPublicKey& key) {
    require_sodium();
    const std::optional<std::string_view> body = before_last(line, kSignatureName, 2 * kSignatureBytes);
    Signature signature{};
    if (!body || !from_hex(line.substr(line.size() - kEnd.size() - 2 * kSignatureBytes, 2 * kSignatureBytes),
                           signature)) {
        return false;
    }
    const std::string text = std::string(kSignedDomain) + std::string(*body);
    return crypto_sign_ed25519_verify_detached(signature.data(), raw(text), text.size(), key.data()) == 0;
}

}  // namespace akidb::access
