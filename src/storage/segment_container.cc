#include "storage/segment_container.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/durable_files.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kHeaderMagic = "AKISEG01";
constexpr std::string_view kFooterMagic = "AKISEGFT";
constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kFooterBytes = 64;
constexpr uint64_t kTableAlignment = 64;
constexpr uint64_t kTableEntryBytes = 24;
constexpr uint32_t kSectionsMax = 16;
constexpr size_t kCrcOffset = kHeaderBytes - sizeof(uint32_t);
constexpr uint64_t kBlocksAhead = 8;  // asked for at once; still in the processor's cache when checked

constexpr uint64_t align_up(uint64_t bytes, uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

constexpr uint64_t blocks_of(uint64_t length) {
    return (length + kSegmentBlockBytes - 1) / kSegmentBlockBytes;
}

void seal(std::string& out) {
    out.resize(kCrcOffset, '\0');
    ByteWriter(out).put(crc32c(out));
}

/// The checksum in a header or footer. It stands for the whole: a checksum over bytes that end with their own
/// checksum is the same number for all files.
uint32_t seal_of(std::string_view bytes) {
    return ByteReader(bytes.substr(kCrcOffset)).get<uint32_t>();
}

/// `bytes` are a header or a footer.
bool is_sealed(std::string_view bytes, std::string_view magic) {
    return bytes.starts_with(magic) && seal_of(bytes) == crc32c(bytes.substr(0, kCrcOffset));
}

std::string encode_header(const SegmentHeader& header) {
    std::string out;
    ByteWriter writer(out);
    writer.put_bytes(kHeaderMagic);
    writer.put(header.format_version);
    writer.put(static_cast<uint32_t>(header.kind));
    writer.put_bytes(as_text(std::as_bytes(std::span(header.collection.bytes))));
    writer.put(header.first_row);
    writer.put(header.row_count);
    writer.put(header.width);
    writer.put(static_cast<uint32_t>(header.storage));
    seal(out);
    return out;
}

}  // namespace

SegmentWriter::SegmentWriter(io::FileSystem& files, std::string directory, std::string name)
    : files_(&files), directory_(std::move(directory)), name_(std::move(name)) {}

Result<SegmentWriter> SegmentWriter::create(io::FileSystem& files, const std::string& directory,
                                            const std::string& name, const SegmentHeader& header) {
    AKIDB_TRY(make_durable_directory(files, directory));
    SegmentWriter made(files, directory, name);
    Result<std::unique_ptr<io::AppendFile>> file = files.create(made.temporary_path());
    if (!file && file.error().code() == Code::kAlreadyExists) {
        AKIDB_TRY(files.remove(made.temporary_path()));
        file = files.create(made.temporary_path());
    }
    AKIDB_TRY(made.file_, std::move(file));
    std::string encoded = encode_header(header);
    made.header_crc_ = seal_of(encoded);
    AKIDB_TRY(made.write(encoded));
    return made;
}

SegmentWriter::~SegmentWriter() {
    if (file_) {
        file_.reset();
        remove_best_effort(*files_, temporary_path());
    }
}

std::string SegmentWriter::temporary_path() const {
    return join_path(directory_, name_) + std::string(io::kTemporarySuffix);
}

uint64_t SegmentWriter::position() const {
    return file_->size() + buffer_.size();
}

Result<void> SegmentWriter::flush() {
    AKIDB_TRY(file_->append(buffer_));
    buffer_.clear();
    return {};
}

Result<void> SegmentWriter::write(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kWriteBufferBytes) {
        AKIDB_TRY(flush());
    }
    if (bytes.size() > kWriteBufferBytes) {
        return file_->append(bytes);
    }
    buffer_.append(bytes);
    return {};
}

Result<void> SegmentWriter::pad_to(uint64_t alignment) {
    return write(std::string(align_up(position(), alignment) - position(), '\0'));
}

Result<void> SegmentWriter::begin_section(SectionType type) {
    AKIDB_TRY(pad_to(kSectionAlignment));
    sections_.push_back(Section{.type = type, .offset = position(), .length = 0, .block_crcs = {}});
    return {};
}

Result<void> SegmentWriter::append(std::string_view bytes) {
    Section& section = sections_.back();
    std::string_view rest = bytes;
    while (!rest.empty()) {
        uint64_t used = section.length % kSegmentBlockBytes;
        if (used == 0) {
            section.block_crcs.push_back(0);
        }
        std::string_view piece = rest.substr(0, kSegmentBlockBytes - used);
        section.block_crcs.back() = crc32c(piece, section.block_crcs.back());
        section.length += piece.size();
        rest.remove_prefix(piece.size());
    }
    return write(bytes);
}

std::string SegmentWriter::encode_table() const {
    std::string table;
    ByteWriter writer(table);
    for (const Section& section : sections_) {
        writer.put(static_cast<uint32_t>(section.type));
        writer.put(uint32_t{0});
        writer.put(section.offset);
        writer.put(section.length);
    }
    for (const Section& section : sections_) {
        for (uint32_t crc : section.block_crcs) {
            writer.put(crc);
        }
    }
    return table;
}

Result<ManifestFile> SegmentWriter::finish() {
    AKIDB_TRY(pad_to(kTableAlignment));
    std::string table = encode_table();
    std::string footer;
    ByteWriter writer(footer);
    writer.put_bytes(kFooterMagic);
    writer.put(position());
    writer.put(static_cast<uint64_t>(table.size()));
    writer.put(static_cast<uint32_t>(sections_.size()));
    writer.put(crc32c(table));
    writer.put(header_crc_);
    seal(footer);
    AKIDB_TRY(write(table));
    AKIDB_TRY(pad_to(kTableAlignment));
    AKIDB_TRY(write(footer));
    AKIDB_TRY(flush());
    AKIDB_TRY(file_->sync());
    ManifestFile entry{.name = name_, .bytes = file_->size(), .crc = seal_of(footer)};
    AKIDB_TRY(file_->close());
    AKIDB_TRY(files_->rename(temporary_path(), join_path(directory_, name_)));
    file_.reset();
    AKIDB_TRY(files_->sync_directory(directory_));
    return entry;
}

struct SegmentContainer::Footer {
    uint64_t offset = 0;  // of the footer itself
    uint64_t table_offset = 0;
    uint64_t table_bytes = 0;
    uint32_t section_count = 0;
    uint32_t table_crc = 0;
    uint32_t header_crc = 0;
};

SegmentContainer::SegmentContainer(std::string path, std::shared_ptr<const io::MappedFile> file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<SegmentContainer> SegmentContainer::map(io::FileSystem& files, std::string path) {
    Result<std::unique_ptr<io::MappedFile>> mapped = files.map(path);
    if (!mapped && mapped.error().code() == Code::kNotFound) {
        return damage(path, 0, "the file that the manifest names is missing");
    }
    AKIDB_TRY(std::unique_ptr<io::MappedFile> file, std::move(mapped));
    return SegmentContainer(std::move(path), std::move(file));
}

Result<SegmentContainer> SegmentContainer::open(io::FileSystem& files, const std::string& directory,
                                                const ManifestFile& entry, SegmentKind kind,
                                                Uuid collection) {
    AKIDB_TRY(SegmentContainer opened, map(files, join_path(directory, entry.name)));
    AKIDB_TRY(Footer footer, opened.read_footer(entry));
    AKIDB_TRY(opened.read_header(footer));
    if (opened.header_.kind != kind || opened.header_.collection != collection) {
        return damage(
            opened.path_, 0,
            "the file is of another kind, or of collection " + opened.header_.collection.to_string());
    }
    AKIDB_TRY(opened.read_table(footer));
    return opened;
}

Result<SegmentContainer> SegmentContainer::open_alone(io::FileSystem& files, const std::string& path) {
    AKIDB_TRY(std::unique_ptr<io::MappedFile> file, files.map(path));
    SegmentContainer opened(path, std::move(file));
    std::string_view bytes = opened.file_->bytes();
    if (bytes.size() < kHeaderBytes + kFooterBytes) {
        return damage(path, bytes.size(), "the file is too short for a segment");
    }
    ManifestFile itself{.name = {}, .bytes = bytes.size()};
    itself.crc = seal_of(bytes.substr(bytes.size() - kFooterBytes));
    AKIDB_TRY(Footer footer, opened.read_footer(itself));
    AKIDB_TRY(opened.read_header(footer));
    AKIDB_TRY(opened.read_table(footer));
    return opened;
}

Result<SegmentContainer> SegmentContainer::open_headless(io::FileSystem& files, const std::string& directory,
                                                         const ManifestFile& entry) {
    AKIDB_TRY(SegmentContainer opened, map(files, join_path(directory, entry.name)));
    AKIDB_TRY(Footer footer, opened.read_footer(entry));
    AKIDB_TRY(opened.read_table(footer));
    return opened;
}

Result<SegmentContainer::Footer> SegmentContainer::read_footer(const ManifestFile& entry) const {
    std::string_view bytes = file_->bytes();
    if (bytes.size() != entry.bytes || bytes.size() < kHeaderBytes + kFooterBytes) {
        return damage(path_, bytes.size(),
                      "the file ends here, but the manifest says " + std::to_string(entry.bytes) + " bytes");
    }
    Footer footer{.offset = bytes.size() - kFooterBytes};
    std::string_view raw = bytes.substr(footer.offset);
    if (!is_sealed(raw, kFooterMagic)) {
        return damage(path_, footer.offset, "the footer's checksum does not hold");
    }
    if (seal_of(raw) != entry.crc) {
        return damage(path_, footer.offset, "this is not the file that the manifest names");
    }
    ByteReader reader(raw.substr(kFooterMagic.size()));
    footer.table_offset = reader.get<uint64_t>();
    footer.table_bytes = reader.get<uint64_t>();
    footer.section_count = reader.get<uint32_t>();
    footer.table_crc = reader.get<uint32_t>();
    footer.header_crc = reader.get<uint32_t>();
    return footer;
}

Result<void> SegmentContainer::read_header(const Footer& footer) {
    std::string_view raw = file_->bytes().substr(0, kHeaderBytes);
    if (!is_sealed(raw, kHeaderMagic) || seal_of(raw) != footer.header_crc) {
        return damage(path_, 0, "the header's checksum does not hold");
    }
    ByteReader reader(raw.substr(kHeaderMagic.size()));
    const uint32_t format = header_.format_version = reader.get<uint32_t>();
    if (format < kSegmentFormatVersion || format > kSegmentFormatVersionWithStorage) {
        return damage(path_, 8, "segment format " + std::to_string(format) + " is not known to this version");
    }
    header_.kind = static_cast<SegmentKind>(reader.get<uint32_t>());
    std::string_view uuid = reader.get_bytes(header_.collection.bytes.size());
    std::memcpy(header_.collection.bytes.data(), uuid.data(), uuid.size());
    header_.first_row = reader.get<uint64_t>();
    header_.row_count = reader.get<uint64_t>();
    header_.width = reader.get<uint32_t>();
    const auto storage = reader.get<uint32_t>();
    const bool is_f32 = format < kSegmentFormatVersionWithStorage;
    if (storage >= model::kVectorStorageNames.size() || is_f32 != (storage == 0)) {
        return damage(path_, 52, "storage " + std::to_string(storage) + " is not of this format");
    }
    header_.storage = static_cast<model::VectorStorage>(storage);
    return {};
}

/// Every place is recomputed rather than believed: sections follow each other at the next multiple of the
/// alignment.
Result<void> SegmentContainer::read_table(const Footer& footer) {
    bool lies_inside =
        footer.table_offset <= footer.offset && footer.table_bytes <= footer.offset - footer.table_offset;
    if (!lies_inside || footer.section_count > kSectionsMax ||
        footer.table_bytes < footer.section_count * kTableEntryBytes) {
        return damage(path_, footer.offset, "the section table lies outside of the file");
    }
    std::string_view raw = file_->bytes().substr(footer.table_offset, footer.table_bytes);
    if (crc32c(raw) != footer.table_crc) {
        return damage(path_, footer.table_offset, "the section table's checksum does not hold");
    }
    ByteReader reader(raw);
    uint64_t end = kHeaderBytes;
    for (uint32_t i = 0; i < footer.section_count; ++i) {
        Section section;
        section.type = static_cast<SectionType>(reader.get<uint32_t>());
        reader.get<uint32_t>();
        section.offset = reader.get<uint64_t>();
        section.length = reader.get<uint64_t>();
        bool fits = section.offset == align_up(end, kSectionAlignment) &&
                    section.offset <= footer.table_offset &&
                    section.length <= footer.table_offset - section.offset;
        if (!fits || find(section.type) != nullptr) {
            return damage(path_, footer.table_offset, "section " + std::to_string(i) + " is misplaced");
        }
        end = section.offset + section.length;
        sections_.push_back(std::move(section));
    }
    for (Section& section : sections_) {
        if (blocks_of(section.length) > reader.remaining() / sizeof(uint32_t)) {
            return damage(path_, footer.table_offset, "the section table has too few checksums");
        }
        section.block_crcs.resize(blocks_of(section.length));
        for (uint32_t& crc : section.block_crcs) {
            crc = reader.get<uint32_t>();
        }
    }
    bool is_exact = align_up(end, kTableAlignment) == footer.table_offset &&
                    align_up(footer.table_offset + footer.table_bytes, kTableAlignment) == footer.offset;
    return reader.finished() && is_exact
               ? Result<void>()
               : damage(path_, footer.table_offset, "the section table's length is wrong");
}

const Section* SegmentContainer::find(SectionType type) const {
    auto found = std::find_if(sections_.begin(), sections_.end(),
                              [type](const Section& section) { return section.type == type; });
    return found == sections_.end() ? nullptr : &*found;
}

Result<std::string_view> SegmentContainer::section(SectionType type) const {
    const Section* found = find(type);
    if (found == nullptr) {
        return damage(path_, 0, "section " + std::to_string(static_cast<uint32_t>(type)) + " is missing");
    }
    return file_->bytes().substr(found->offset, found->length);
}

Result<std::string_view> SegmentContainer::section(SectionType type, uint64_t length) const {
    AKIDB_TRY(std::string_view bytes, section(type));
    if (bytes.size() != length) {
        return damage(path_, 0,
                      "section " + std::to_string(static_cast<uint32_t>(type)) + " has " +
                          std::to_string(bytes.size()) + " bytes instead of " + std::to_string(length));
    }
    return bytes;
}

Result<void> SegmentContainer::verify(SectionType type, FunctionRef<bool()> cancelled) const {
    AKIDB_TRY(const std::string_view bytes, section(type));
    const Section* found = find(type);
    for (size_t block = 0; block < found->block_crcs.size(); ++block) {
        if (cancelled()) {
            return Error(Code::kCancelled, "checking " + path_ + " was cancelled");
        }
        uint64_t start = block * kSegmentBlockBytes;
        if (block % kBlocksAhead == 0) {
            file_->expect_read(bytes.substr(start, kBlocksAhead * kSegmentBlockBytes));
        }
        if (crc32c(bytes.substr(start, kSegmentBlockBytes)) != found->block_crcs[block]) {
            return damage(path_, found->offset + start, "the block's checksum does not hold");
        }
    }
    return {};
}

std::vector<uint64_t> SegmentContainer::bad_blocks(const Section& section) const {
    std::string_view bytes = file_->bytes().substr(section.offset, section.length);
    std::vector<uint64_t> bad;
    for (size_t block = 0; block < section.block_crcs.size(); ++block) {
        uint64_t start = block * kSegmentBlockBytes;
        if (crc32c(bytes.substr(start, kSegmentBlockBytes)) != section.block_crcs[block]) {
            bad.push_back(section.offset + start);
        }
    }
    return bad;
}

Result<void> SegmentContainer::verify_all_but(SectionType skipped) const {
    for (const Section& section : sections_) {
        if (section.type != skipped) {
            AKIDB_TRY(verify(section.type, [] { return false; }));
        }
    }
    return {};
}

}  // namespace akidb::storage
