#include "storage/formats.h"

#include "base/bytes.h"
#include "storage/log_frame.h"
#include "storage/segment_container.h"

namespace akidb::storage {
namespace {

constexpr std::array<std::string_view, 3> kMagics{"AKILOG01", "AKIMAN01", "AKISEG01"};

}  // namespace

FormatRange known_formats(FileKind kind) {
    switch (kind) {
        case FileKind::kLog:
            return {kLogFormatVersionMin, kLogFormatVersion};
        case FileKind::kManifest:
            return known_manifest_formats();
        case FileKind::kSegment:
            return {kSegmentFormatVersion, kSegmentFormatVersionWithStorage};
    }
    return {};
}

std::optional<uint32_t> format_of(FileKind kind, std::string_view head) {
    const std::string_view magic = kMagics.at(static_cast<size_t>(kind));
    if (head.size() < kFormatHeadBytes || !head.starts_with(magic)) {
        return std::nullopt;
    }
    return ByteReader(head.substr(magic.size())).get<uint32_t>();
}

}  // namespace akidb::storage
