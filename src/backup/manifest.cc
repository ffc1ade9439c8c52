#include "backup/manifest.h"

#include <algorithm>

#include "backup/formats.h"
#include "base/bytes.h"
#include "objects/encryption_key.h"
#include "objects/sha256.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

constexpr std::string_view kManifestMagic = "AKIBACK1";
constexpr uint32_t kFormatPlain = 1;
constexpr uint32_t kFormatOfTimeline = 2;
constexpr uint32_t kFormatOfKeys = 3;
constexpr size_t kKeyIdBytes = 8;
constexpr size_t kManifestDigestBytes = 32;

int digit_of(char letter) {
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

void put_uuid(ByteWriter& writer, const Uuid& id) {
    writer.put_bytes({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

void put_hex(ByteWriter& writer, std::string_view hex) {
    std::string raw;
    for (size_t at = 0; at + 1 < hex.size(); at += 2) {
        raw.push_back(static_cast<char>(digit_of(hex[at]) << 4 | digit_of(hex[at + 1])));
    }
    writer.put_bytes(raw);
}

void put_file(ByteWriter& writer, const BackupFile& file, uint32_t format) {
    writer.put_string(file.name);
    writer.put(file.bytes);
    writer.put(file.stored_bytes);
    put_hex(writer, file.sha256);
    if (format >= kFormatOfKeys) {
        put_hex(writer, file.key.empty() ? std::string(2 * kKeyIdBytes, '0') : file.key);
    }
}

Error damaged(std::string_view what) {
    return Error(Code::kDataLoss, "the manifest of a backup is damaged: " + std::string(what));
}

class ManifestReader {
  public:
    ManifestReader(std::string_view bytes, uint32_t format) : reader_(bytes), format_(format) {}

    Result<BackupManifest> read() {
        BackupManifest manifest;
        manifest.id = uuid();
        manifest.previous = uuid();
        manifest.created_ms = reader_.get<uint64_t>();
        AKIDB_TRY(manifest.version, text());
        manifest.sent_bytes = reader_.get<uint64_t>();
        if (format_ >= kFormatOfTimeline) {
            manifest.timeline = uuid();
            manifest.pinned_ms = reader_.get<uint64_t>();
            if (manifest.timeline == Uuid{} && format_ == kFormatOfTimeline) {
                return damaged("it has no timeline");
            }
        }
        AKIDB_TRY(manifest.catalog, file());
        if (!manifest.catalog.name.empty() || !manifest.catalog.key.empty()) {
            return damaged("the catalog has a name, or a key of its own");
        }
        const auto collections = reader_.get<uint32_t>();
        for (uint32_t i = 0; i < collections && !reader_.failed(); ++i) {
            AKIDB_TRY(BackedUpCollection made, collection());
            manifest.collections.push_back(std::move(made));
        }
        const auto left_out = reader_.get<uint32_t>();
        for (uint32_t i = 0; i < left_out && !reader_.failed(); ++i) {
            LeftOut left;
            AKIDB_TRY(left.name, text());
            AKIDB_TRY(left.reason, text());
            manifest.left_out.push_back(std::move(left));
        }
        if (!reader_.finished()) {
            return damaged("its length is wrong");
        }
        if (format_ == kFormatOfKeys && !manifest.has_tenant_keys()) {
            return damaged("no file has a key of its own");
        }
        return manifest;
    }

  private:
    Uuid uuid() {
        Uuid id;
        const std::string_view raw = reader_.get_bytes(id.bytes.size());
        std::copy(raw.begin(), raw.end(), id.bytes.begin());
        return id;
    }

    Result<std::string> text() {
        const std::string_view read = reader_.get_string();
        if (reader_.failed() || read.size() > kBackupTextBytesMax) {
            return damaged("a text is too long");
        }
        return std::string(read);
    }

    Result<BackupFile> file() {
        BackupFile read;
        AKIDB_TRY(read.name, text());
        read.bytes = reader_.get<uint64_t>();
        read.stored_bytes = reader_.get<uint64_t>();
        objects::Sha256Digest digest{};
        const std::string_view raw = reader_.get_bytes(kManifestDigestBytes);
        std::copy(raw.begin(), raw.end(), digest.begin());
        read.sha256 = objects::hex(digest);
        if (format_ >= kFormatOfKeys) {
            const std::string_view key = reader_.get_bytes(kKeyIdBytes);
            read.key = key == std::string(kKeyIdBytes, '\0') ? "" : objects::hex_of_bytes(key);
        }
        if (reader_.failed() || read.stored_bytes > read.bytes) {
            return damaged("a file is wrong");
        }
        return read;
    }

    Result<BackedUpCollection> collection() {
        BackedUpCollection read;
        read.id = uuid();
        read.tenant = uuid();
        AKIDB_TRY(read.name, text());
        read.dimension = reader_.get<uint32_t>();
        const auto metric = reader_.get<uint8_t>();
        read.sequence = reader_.get<uint64_t>();
        read.documents = reader_.get<uint64_t>();
        read.documents_hash = reader_.get<uint64_t>();
        if (metric >= model::kMetricNames.size()) {
            return damaged("a metric is unknown");
        }
        read.metric = static_cast<model::Metric>(metric);
        const auto files = reader_.get<uint32_t>();
        for (uint32_t i = 0; i < files && !reader_.failed(); ++i) {
            AKIDB_TRY(BackupFile made, file());
            if (!storage::is_collection_file(made.name)) {
                return damaged("a file has a name that no collection has");
            }
            read.files.push_back(std::move(made));
        }
        return read;
    }

    ByteReader reader_;
    const uint32_t format_;
};

}  // namespace

bool BackupManifest::has_tenant_keys() const {
    return std::any_of(collections.begin(), collections.end(), [](const BackedUpCollection& collection) {
        return std::any_of(collection.files.begin(), collection.files.end(),
                           [](const BackupFile& file) { return !file.key.empty(); });
    });
}

uint64_t BackupManifest::stored_bytes() const {
    uint64_t bytes = catalog.stored_bytes;
    for (const BackedUpCollection& collection : collections) {
        for (const BackupFile& file : collection.files) {
            bytes += file.stored_bytes;
        }
    }
    return bytes;
}

uint64_t BackupManifest::documents() const {
    uint64_t count = 0;
    for (const BackedUpCollection& collection : collections) {
        count += collection.documents;
    }
    return count;
}

std::string encode_backup_manifest(const BackupManifest& manifest) {
    std::string bytes(kManifestMagic);
    ByteWriter writer(bytes);
    const uint32_t format = manifest.has_tenant_keys()    ? kFormatOfKeys
                            : manifest.timeline != Uuid{} ? kFormatOfTimeline
                                                          : kFormatPlain;
    writer.put(format);
    put_uuid(writer, manifest.id);
    put_uuid(writer, manifest.previous);
    writer.put(manifest.created_ms);
    writer.put_string(manifest.version);
    writer.put(manifest.sent_bytes);
    if (format >= kFormatOfTimeline) {
        put_uuid(writer, manifest.timeline);
        writer.put(manifest.pinned_ms);
    }
    put_file(writer, manifest.catalog, format);
    writer.put(static_cast<uint32_t>(manifest.collections.size()));
    for (const BackedUpCollection& collection : manifest.collections) {
        put_uuid(writer, collection.id);
        put_uuid(writer, collection.tenant);
        writer.put_string(collection.name);
        writer.put(collection.dimension);
        writer.put(static_cast<uint8_t>(collection.metric));
        writer.put(collection.sequence);
        writer.put(collection.documents);
        writer.put(collection.documents_hash);
        writer.put(static_cast<uint32_t>(collection.files.size()));
        for (const BackupFile& file : collection.files) {
            put_file(writer, file, format);
        }
    }
    writer.put(static_cast<uint32_t>(manifest.left_out.size()));
    for (const LeftOut& left : manifest.left_out) {
        writer.put_string(left.name);
        writer.put_string(left.reason);
    }
    const objects::Sha256Digest digest = objects::sha256(bytes);
    writer.put_bytes({reinterpret_cast<const char*>(digest.data()), digest.size()});
    return bytes;
}

storage::FormatRange known_backup_formats() {
    return {kFormatPlain, kFormatOfKeys};
}

std::optional<uint32_t> backup_format_of(std::string_view bytes) {
    if (bytes.size() < kManifestMagic.size() + sizeof(kFormatPlain) || !bytes.starts_with(kManifestMagic)) {
        return std::nullopt;
    }
    return ByteReader(bytes.substr(kManifestMagic.size())).get<uint32_t>();
}

Result<BackupManifest> decode_backup_manifest(std::string_view bytes) {
    if (bytes.size() < kManifestMagic.size() + sizeof(kFormatPlain) + kManifestDigestBytes ||
        !bytes.starts_with(kManifestMagic)) {
        return damaged("it does not begin as one");
    }
    const std::string_view content = bytes.substr(0, bytes.size() - kManifestDigestBytes);
    const objects::Sha256Digest digest = objects::sha256(content);
    if (bytes.substr(content.size()) !=
        std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size())) {
        return damaged("its SHA-256 is wrong");
    }
    const uint32_t format = backup_format_of(content).value_or(0);
    if (!known_backup_formats().has(format)) {
        return Error(Code::kConflict, "the backup has format " + std::to_string(format) +
                                          ", and this AkiDB reads formats " + std::to_string(kFormatPlain) +
                                          " to " + std::to_string(kFormatOfKeys));
    }
    return ManifestReader(content.substr(kManifestMagic.size() + sizeof(kFormatPlain)), format).read();
}

}  // namespace akidb::backup
