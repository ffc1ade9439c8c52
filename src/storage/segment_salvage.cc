#include "storage/segment_salvage.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "model/document_id.h"
#include "model/expiry.h"
#include "storage/segment_container.h"

namespace akidb::storage {
namespace {

constexpr uint64_t kAnyRow = std::numeric_limits<uint64_t>::max();

/// A section and which of its blocks hold.
class ProvedSection {
  public:
    ProvedSection() = default;
    ProvedSection(const SegmentContainer& container, const Section& section,
                  std::vector<SegmentFault>& faults)
        : bytes_(container.file()->bytes().substr(section.offset, section.length)),
          holds_(section.block_crcs.size(), 1) {
        for (uint64_t offset : container.bad_blocks(section)) {
            holds_[(offset - section.offset) / kSegmentBlockBytes] = 0;
            faults.push_back({offset, "the block's checksum does not hold"});
        }
    }

    uint64_t size() const { return bytes_.size(); }
    /// nullopt when they lie outside, or in a block that does not hold.
    std::optional<std::string_view> bytes(uint64_t offset, uint64_t count) const {
        if (offset > bytes_.size() || count > bytes_.size() - offset) {
            return std::nullopt;
        }
        for (uint64_t block = offset / kSegmentBlockBytes; block * kSegmentBlockBytes < offset + count;
             ++block) {
            if (holds_[block] == 0) {
                return std::nullopt;
            }
        }
        return bytes_.substr(offset, count);
    }
    std::optional<uint64_t> number(uint64_t index) const {
        const std::optional<std::string_view> found = bytes(index * sizeof(uint64_t), sizeof(uint64_t));
        return found ? std::optional(ByteReader(*found).get<uint64_t>()) : std::nullopt;
    }

  private:
    std::string_view bytes_;
    std::vector<uint8_t> holds_;
};

class Salvaged final : public SalvagedRows {
  public:
    Salvaged(uint64_t row_count, uint64_t row_bytes) : row_count_(row_count), row_bytes_(row_bytes) {}

    Result<void> read(io::FileSystem& files, const std::string& directory, const ManifestFile& entry) {
        Result<SegmentContainer> opened = SegmentContainer::open_headless(files, directory, entry);
        if (!opened && opened.error().code() != Code::kDataLoss) {
            return std::move(opened).error();
        }
        if (!opened) {
            faults_.push_back({0, opened.error().message()});
            return {};
        }
        file_ = opened->file();
        const std::pair<SectionType, ProvedSection*> kPlaces[] = {
            {SectionType::kVectors, &vectors_},
            {SectionType::kVersions, &versions_},
            {SectionType::kIdOffsets, &id_offsets_},
            {SectionType::kIds, &ids_},
            {SectionType::kMetadataOffsets, &metadata_offsets_},
            {SectionType::kMetadata, &metadata_}};
        for (const Section& section : opened->sections()) {
            for (const auto& [type, place] : kPlaces) {
                if (section.type == type) {
                    *place = ProvedSection(*opened, section, faults_);
                }
            }
        }
        std::sort(faults_.begin(), faults_.end(),
                  [](const SegmentFault& a, const SegmentFault& b) { return a.offset < b.offset; });
        return {};
    }

    uint64_t row_count() const override { return row_count_; }
    const std::vector<SegmentFault>& faults() const override { return faults_; }
    bool is_whole(uint64_t index) const override { return find(index).has_value(); }
    RowRecord row(uint64_t index) const override { return find(index).value(); }
    std::string_view id_or_empty(uint64_t index) const override {
        return string_at(id_offsets_, ids_, index).value_or(std::string_view());
    }

  private:
    static std::optional<std::string_view> string_at(const ProvedSection& offsets,
                                                     const ProvedSection& strings, uint64_t index) {
        const std::optional<uint64_t> begin = offsets.number(index);
        const std::optional<uint64_t> end = offsets.number(index + 1);
        return begin && end && *begin <= *end ? strings.bytes(*begin, *end - *begin) : std::nullopt;
    }

    std::optional<RowRecord> find(uint64_t index) const {
        const auto vector = vectors_.bytes(index * row_bytes_, row_bytes_);
        const auto version = versions_.number(index);
        const auto id = string_at(id_offsets_, ids_, index);
        const auto metadata = string_at(metadata_offsets_, metadata_, index);
        if (index >= row_count_ || !vector || !version || !id || !metadata) {
            return std::nullopt;
        }
        const bool is_readable = model::DocumentId::decode(*id).has_value() &&
                                 model::validate_stored_metadata(*metadata).has_value();
        return is_readable ? std::optional(RowRecord{*vector, *version, *id, *metadata}) : std::nullopt;
    }

    uint64_t row_count_;
    uint64_t row_bytes_;
    std::shared_ptr<const io::MappedFile> file_;
    ProvedSection vectors_;
    ProvedSection versions_;
    ProvedSection id_offsets_;
    ProvedSection ids_;
    ProvedSection metadata_offsets_;
    ProvedSection metadata_;
    std::vector<SegmentFault> faults_;
};

/// Entries ascend by row, so those that cannot be read speak of rows between their neighbours only.
SalvagedDead read_dead(const ProvedSection& section) {
    SalvagedDead found;
    uint64_t next = 0;  // the first row that the entries so far do not speak of
    bool has_gap = false;
    for (uint64_t offset = 0; offset < section.size(); offset += kDeadRowBytes) {
        const std::optional<std::string_view> bytes = section.bytes(offset, kDeadRowBytes);
        if (!bytes) {
            has_gap = true;
            continue;
        }
        ByteReader reader(*bytes);
        const uint32_t row = reader.get<uint32_t>();
        const uint64_t sequence = reader.get<uint64_t>();
        if (row < next) {
            return {.dead = {}, .unknown = {{0, kAnyRow}}};  // not ascending: nothing can be concluded
        }
        if (has_gap && row > next) {
            found.unknown.push_back({next, row});
        }
        has_gap = false;
        found.dead.push_back({row, sequence});
        next = uint64_t{row} + 1;
    }
    if (has_gap) {
        found.unknown.push_back({next, kAnyRow});
    }
    return found;
}

}  // namespace

Result<std::shared_ptr<const SalvagedRows>> SalvagedRows::open(io::FileSystem& files,
                                                               const std::string& directory,
                                                               const ManifestRows& entry,
                                                               const RowForm& form) {
    auto salvaged = std::make_shared<Salvaged>(entry.row_count, form.row_bytes());
    AKIDB_TRY(salvaged->read(files, directory, entry.file));
    return std::shared_ptr<const SalvagedRows>(std::move(salvaged));
}

Result<SalvagedDead> salvage_dead_segment(io::FileSystem& files, const std::string& directory,
                                          const ManifestFile& entry) {
    SalvagedDead nothing{.dead = {}, .unknown = {{0, kAnyRow}}};
    Result<SegmentContainer> opened = SegmentContainer::open_headless(files, directory, entry);
    if (!opened && opened.error().code() != Code::kDataLoss) {
        return std::move(opened).error();
    }
    if (!opened) {
        nothing.faults.push_back({0, opened.error().message()});
        return nothing;
    }
    for (const Section& section : opened->sections()) {
        if (section.type == SectionType::kDeadRows) {
            std::vector<SegmentFault> faults;
            SalvagedDead found = read_dead(ProvedSection(*opened, section, faults));
            found.faults = std::move(faults);
            return found;
        }
    }
    nothing.faults.push_back({0, "the file has no tombstones"});
    return nothing;
}

}  // namespace akidb::storage
