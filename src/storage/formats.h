// The formats of a collection's files: which of them this AkiDB reads, and which a file has, told by its
// first bytes alone, before anything opens it. The pages in docs/formats have the rest. Pure, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace akidb::storage {

enum class FileKind : uint8_t { kLog, kManifest, kSegment };
inline constexpr std::array<std::string_view, 3> kFileKindNames{"log", "manifest", "segment"};

struct FormatRange {
    uint32_t oldest = 0;
    uint32_t newest = 0;

    bool has(uint32_t format) const { return format >= oldest && format <= newest; }
};

/// All that are read. Logs are written in the newest, manifests and segments in the oldest that says what is
/// in them.
FormatRange known_formats(FileKind kind);
/// Part of it: the constants are beside their encoders.
FormatRange known_manifest_formats();

/// Every one of these files begins with eight bytes of magic and its format.
inline constexpr size_t kFormatHeadBytes = 12;
/// nullopt when the bytes begin no such file. Any number is returned: judging it is the caller's.
std::optional<uint32_t> format_of(FileKind kind, std::string_view head);

}  // namespace akidb::storage
