#include "catalog/stored_version.h"

#include <array>
#include <string>

namespace akidb::catalog {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kUserVersionOffset = 60;
constexpr size_t kApplicationOffset = 68;
constexpr size_t kWalHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = 24;
constexpr size_t kSaltsBytes = 8;
constexpr uint32_t kWalMagic = 0x377f0682;  // its last bit: checksums of big-endian words

uint32_t big_endian(std::string_view bytes, size_t offset) {
    uint32_t value = 0;
    for (const char byte : bytes.substr(offset, sizeof(value))) {
        value = value << 8 | static_cast<uint8_t>(byte);
    }
    return value;
}

/// SQLite's checksum of a write-ahead log, which goes on from frame to frame.
class WalChecksum {
  public:
    explicit WalChecksum(bool is_big_endian) : is_big_endian_(is_big_endian) {}
    void add(std::string_view bytes) {
        for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            first_ += word(bytes, at) + second_;
            second_ += word(bytes, at + 4) + first_;
        }
    }
    bool is(std::string_view bytes, size_t offset) const {
        return big_endian(bytes, offset) == first_ && big_endian(bytes, offset + 4) == second_;
    }

  private:
    uint32_t word(std::string_view bytes, size_t at) const {
        const uint32_t value = big_endian(bytes, at);
        return is_big_endian_ ? value : __builtin_bswap32(value);
    }

    const bool is_big_endian_;
    uint32_t first_ = 0;
    uint32_t second_ = 0;
};

/// The first page as the last committed transaction left it; empty when none touched it. A transaction ends
/// with a frame that tells the size of the database.
std::string_view first_page_in(std::string_view wal) {
    if (wal.size() < kWalHeaderBytes || (big_endian(wal, 0) & ~1U) != kWalMagic) {
        return {};
    }
    const size_t page_bytes = big_endian(wal, 8);
    const bool is_size = page_bytes >= 512 && page_bytes <= 65536 && (page_bytes & (page_bytes - 1)) == 0;
    WalChecksum checksum((big_endian(wal, 0) & 1) != 0);
    checksum.add(wal.substr(0, kWalHeaderBytes - kSaltsBytes));
    if (!is_size || !checksum.is(wal, kWalHeaderBytes - kSaltsBytes)) {
        return {};
    }
    const std::string_view salts = wal.substr(16, kSaltsBytes);
    std::string_view written;
    std::string_view committed;
    const size_t frame_bytes = kFrameHeaderBytes + page_bytes;
    for (size_t at = kWalHeaderBytes; wal.size() - at >= frame_bytes; at += frame_bytes) {
        const std::string_view frame = wal.substr(at, frame_bytes);
        checksum.add(frame.substr(0, 8));
        checksum.add(frame.substr(kFrameHeaderBytes));
        if (frame.substr(8, kSaltsBytes) != salts || !checksum.is(frame, 16)) {
            break;  // of before the last checkpoint, or torn
        }
        if (big_endian(frame, 0) == 1) {
            written = frame.substr(kFrameHeaderBytes);
        }
        if (big_endian(frame, 4) != 0) {
            committed = written;
        }
    }
    return committed;
}

}  // namespace

Result<std::optional<int64_t>> stored_version(std::string_view head, std::string_view wal) {
    const std::string_view newer = first_page_in(wal);
    const std::string_view page = newer.empty() ? head : newer;
    if (page.empty()) {
        return std::optional<int64_t>();
    }
    if (page.size() < kFileHeadBytes || !page.starts_with(kMagic)) {
        return Error(Code::kDataLoss, "the catalog is no SQLite database");
    }
    const uint32_t application = big_endian(page, kApplicationOffset);
    const auto version = static_cast<int32_t>(big_endian(page, kUserVersionOffset));
    if (application == 0 && version == 0) {
        return std::optional<int64_t>();  // as its first start leaves it before the first migration
    }
    if (application != kApplicationId) {
        return Error(Code::kConflict, "the file is an SQLite database of another program");
    }
    return std::optional<int64_t>(version);
}

}  // namespace akidb::catalog
