#include "backup/archive.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "io/memory_file.h"
#include "objects/encryption_key.h"
#include "objects/sha256.h"

namespace akidb::backup {
namespace {

constexpr std::string_view kRoot = "archive/";
constexpr std::string_view kMagic = "AKIHEAD1";
constexpr uint32_t kFormat = 1;
constexpr size_t kDigestBytes = 32;
constexpr size_t kEntryBytes = 32;
constexpr size_t kNumberDigits = 20;
constexpr uint64_t kReadBytes = 4 << 20;
constexpr uint64_t kHeadBytesMax = objects::kSinglePutBytesMax;
// Beyond all names below a folder, for they begin with a digit, a letter up to f, or are "catalog" or "head".
constexpr const char* kBeyond = "zz";

std::string padded(uint64_t number) {
    const std::string digits = std::to_string(number);
    return std::string(kNumberDigits - digits.size(), '0') + digits;
}

/// Numbers of 20 digits and a SHA-256 behind them, with '-' between; and the id of a key, where one may be.
template <size_t kCount>
bool parse_name(std::string_view name, uint64_t (&numbers)[kCount], std::string& sha256,
                std::string* key = nullptr) {
    constexpr size_t kBytes = kCount * (kNumberDigits + 1) + 2 * kDigestBytes;
    if (key != nullptr && name.size() > kBytes && name[kBytes] == '-' &&
        objects::is_encryption_key_id(name.substr(kBytes + 1))) {
        *key = name.substr(kBytes + 1);
        name = name.substr(0, kBytes);
    }
    if (name.size() != kBytes) {
        return false;
    }
    for (uint64_t& number : numbers) {
        const char* const end = name.data() + kNumberDigits;
        const auto [stop, fault] = std::from_chars(name.data(), end, number);
        if (fault != std::errc() || stop != end || *end != '-') {
            return false;
        }
        name.remove_prefix(kNumberDigits + 1);
    }
    sha256 = name;
    return objects::is_sha256_hex(name);
}

Result<void> each_object(objects::ObjectStore& store, const std::string& prefix,
                         FunctionRef<void(std::string_view name)> take) {
    objects::ListRequest request{.prefix = prefix};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store.list(request));
        for (const objects::ObjectFacts& object : page.objects) {
            take(std::string_view(object.key).substr(prefix.size()));
        }
        if (page.is_last) {
            return {};
        }
        request.after = page.objects.back().key;
    }
}

/// Ids that are folders right below `prefix`: one request for each.
Result<std::vector<Uuid>> list_folders(objects::ObjectStore& store, const std::string& prefix) {
    std::vector<Uuid> ids;
    objects::ListRequest request{.prefix = prefix, .after = {}, .limit = 1};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store.list(request));
        if (page.objects.empty()) {
            return ids;
        }
        const std::string key = page.objects.front().key;
        const size_t slash = key.find('/', prefix.size());
        if (const auto id = Uuid::parse(key.substr(prefix.size(), slash - prefix.size()))) {
            ids.push_back(*id);
        }
        request.after = slash == std::string::npos ? key : key.substr(0, slash + 1) + kBeyond;
    }
}

Error damaged(const std::string& key, std::string_view what) {
    return Error(Code::kDataLoss, key + " is damaged: " + std::string(what));
}

struct Named {
    std::string key;
    const std::string& sha256;  // which is in the key, too
};

Result<void> read_named(objects::ObjectStore& store, const Named& object, uint64_t bytes_max,
                        FunctionRef<Result<void>(std::string_view)> take) {
    const std::string& key = object.key;
    const Result<objects::ObjectFacts> facts = store.head(key);
    if (!facts) {
        return facts.error().code() == Code::kNotFound ? Error(Code::kNotFound, key + " is missing")
                                                       : Error(facts.error());
    }
    if (facts->bytes > bytes_max) {
        return damaged(key, "it is too large");
    }
    objects::Sha256 hash;
    for (uint64_t at = 0; at < facts->bytes;) {
        AKIDB_TRY(const std::string read,
                  store.get_range(key, {at, std::min(kReadBytes, facts->bytes - at)}));
        hash.add(read);
        AKIDB_TRY(take(read));
        at += read.size();
    }
    if (objects::hex(hash.finish()) != object.sha256) {
        return damaged(key, "it does not have the SHA-256 that its name tells");
    }
    return {};
}

Uuid uuid_from(ByteReader& reader) {
    Uuid id;
    const std::string_view raw = reader.get_bytes(id.bytes.size());
    std::copy(raw.begin(), raw.end(), id.bytes.begin());
    return id;
}

}  // namespace

const ArchivedCollection* ArchiveHead::find(const Uuid& id) const {
    const auto found = std::find_if(collections.begin(), collections.end(),
                                    [&](const ArchivedCollection& entry) { return entry.id == id; });
    return found == collections.end() ? nullptr : &*found;
}

std::string encode_archive_head(const Uuid& timeline, const ArchiveHead& head) {
    std::string bytes(kMagic);
    ByteWriter writer(bytes);
    writer.put(kFormat);
    writer.put_bytes(as_text(std::as_bytes(std::span(timeline.bytes))));
    writer.put(head.through_ms);
    writer.put(head.catalog_ms);
    writer.put(static_cast<uint32_t>(head.collections.size()));
    for (const ArchivedCollection& entry : head.collections) {
        writer.put_bytes(as_text(std::as_bytes(std::span(entry.id.bytes))));
        writer.put(entry.last);
        writer.put(entry.through_ms);
    }
    const objects::Sha256Digest digest = objects::sha256(bytes);
    writer.put_bytes(as_text(std::as_bytes(std::span(digest))));
    return bytes;
}

Result<ArchiveHead> decode_archive_head(const Uuid& timeline, std::string_view bytes) {
    const auto wrong = [](std::string_view what) {
        return Error(Code::kDataLoss, "the head of the archived log is damaged: " + std::string(what));
    };
    if (bytes.size() < kMagic.size() + sizeof(kFormat) + kDigestBytes || !bytes.starts_with(kMagic)) {
        return wrong("it does not begin as one");
    }
    const std::string_view content = bytes.substr(0, bytes.size() - kDigestBytes);
    const objects::Sha256Digest digest = objects::sha256(content);
    if (bytes.substr(content.size()) != as_text(std::as_bytes(std::span(digest)))) {
        return wrong("its SHA-256 is wrong");
    }
    ByteReader reader(content.substr(kMagic.size()));
    if (const auto format = reader.get<uint32_t>(); format != kFormat) {
        return Error(Code::kConflict, "the archived log has format " + std::to_string(format) +
                                          ", and this AkiDB reads format " + std::to_string(kFormat));
    }
    if (uuid_from(reader) != timeline) {
        return wrong("it is of another timeline");
    }
    ArchiveHead head;
    head.through_ms = reader.get<uint64_t>();
    head.catalog_ms = reader.get<uint64_t>();
    const auto count = reader.get<uint32_t>();
    if (reader.failed() || reader.remaining() != count * kEntryBytes) {
        return wrong("its length is wrong");
    }
    for (uint32_t i = 0; i < count; ++i) {
        ArchivedCollection entry{.id = uuid_from(reader)};
        entry.last = reader.get<uint64_t>();
        entry.through_ms = reader.get<uint64_t>();
        head.collections.push_back(entry);
    }
    return head;
}

Archive::Archive(objects::ObjectStore& store, const Uuid& timeline)
    : store_(store), timeline_(timeline), prefix_(std::string(kRoot) + timeline.to_string() + "/") {}

Result<std::vector<Uuid>> Archive::list_timelines(objects::ObjectStore& store) {
    return list_folders(store, std::string(kRoot));
}

Result<std::vector<Uuid>> Archive::list_collections() {
    return list_folders(store_, prefix_);
}

Result<std::optional<ArchiveHead>> Archive::read_head() {
    const std::string key = prefix_ + "head";
    const Result<std::string> bytes = store_.get(key, kHeadBytesMax);
    if (!bytes) {
        return bytes.error().code() == Code::kNotFound
                   ? Result<std::optional<ArchiveHead>>(std::optional<ArchiveHead>())
                   : Error(bytes.error()).with_context(key);
    }
    Result<ArchiveHead> head = decode_archive_head(timeline_, *bytes);
    if (!head) {
        return std::move(head).error().with_context(key);
    }
    return std::optional(std::move(*head));
}

Result<void> Archive::put_head(const ArchiveHead& head) {
    return store_.put(prefix_ + "head", encode_archive_head(timeline_, head), objects::PutMode::kOverwrite);
}

Result<void> Archive::remove_head() {
    return store_.remove(prefix_ + "head");
}

std::string Archive::key_of(const Uuid& collection, const LogPiece& piece) const {
    return prefix_ + collection.to_string() + "/" + padded(piece.first) + "-" + padded(piece.last) + "-" +
           padded(piece.last_ms) + "-" + piece.sha256 + (piece.key.empty() ? "" : "-" + piece.key);
}

std::string Archive::key_of(const CatalogCopy& copy) const {
    return prefix_ + "catalog/" + padded(copy.unix_ms) + "-" + padded(copy.previous_ms) + "-" + copy.sha256;
}

Result<void> Archive::put_piece(const Uuid& collection, LogPieceWriter::Made made) {
    const io::MemoryFile file(std::move(made.bytes));
    return store_.put_file(key_of(collection, made.piece),
                           {file, file.size(), made.piece.sha256, made.piece.key});
}

Result<std::vector<LogPiece>> Archive::list_pieces(const Uuid& collection) {
    std::vector<LogPiece> pieces;
    AKIDB_TRY(each_object(store_, prefix_ + collection.to_string() + "/", [&](std::string_view name) {
        uint64_t numbers[3] = {};
        LogPiece piece;
        if (parse_name(name, numbers, piece.sha256, &piece.key) && numbers[0] > 0 &&
            numbers[0] <= numbers[1]) {
            piece.first = numbers[0];
            piece.last = numbers[1];
            piece.last_ms = numbers[2];
            pieces.push_back(std::move(piece));
        }
    }));
    return pieces;
}

Result<void> Archive::read_piece(const Uuid& collection, const LogPiece& piece, storage::VisitTimed visit) {
    const std::string key = key_of(collection, piece);
    std::string bytes;
    AKIDB_TRY(read_named(store_, {key, piece.sha256}, kLogPieceBytesMax,
                         [&](std::string_view read) -> Result<void> {
                             bytes += read;
                             return {};
                         }));
    return read_log_piece(std::move(bytes), key, collection, piece, visit);
}

Result<void> Archive::check_piece(const Uuid& collection, const LogPiece& piece) {
    const std::string key = key_of(collection, piece);
    const Result<objects::ObjectFacts> facts = store_.head(key);
    return facts ? Result<void>() : Error(facts.error()).with_context(key);
}

Result<void> Archive::remove_piece(const Uuid& collection, const LogPiece& piece) {
    return store_.remove(key_of(collection, piece));
}

Result<void> Archive::put_catalog(const CatalogCopy& copy, const io::ReadFile& file) {
    return store_.put_file(key_of(copy), {file, file.size(), copy.sha256, {}});
}

Result<std::vector<CatalogCopy>> Archive::list_catalogs() {
    std::vector<CatalogCopy> copies;
    AKIDB_TRY(each_object(store_, prefix_ + "catalog/", [&](std::string_view name) {
        uint64_t numbers[2] = {};
        CatalogCopy copy;
        if (parse_name(name, numbers, copy.sha256) && numbers[1] < numbers[0]) {
            copy.unix_ms = numbers[0];
            copy.previous_ms = numbers[1];
            copies.push_back(std::move(copy));
        }
    }));
    return copies;
}

Result<void> Archive::read_catalog(const CatalogCopy& copy,
                                   FunctionRef<Result<void>(std::string_view)> take) {
    return read_named(store_, {key_of(copy), copy.sha256}, objects::kObjectBytesMax, take);
}

Result<void> Archive::remove_catalog(const CatalogCopy& copy) {
    return store_.remove(key_of(copy));
}

}  // namespace akidb::backup
