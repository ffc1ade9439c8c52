// What a collection does when its disk fills: upserts are refused before anything is logged, deletes go on
// from the ballast, and background work takes what the marks leave.
#include <algorithm>

#include "engine/live_collection.h"

namespace akidb::engine {
namespace {

// Of a record in a segment besides its bytes: version and offsets.
constexpr uint64_t kRowOverheadBytes = 24;
constexpr uint64_t kDeadRowBytes = 12;
// Headers, tables, padding and the manifest.
constexpr uint64_t kCheckpointOverheadBytes = 256 << 10;

}  // namespace

Error LiveCollection::disk_full(std::string_view why) const {
    dependencies_.metrics.counter(telemetry::MetricId::kDiskFullRefused).add();
    return Error(Code::kDiskFull, "the disk is full; reads, searches and deletes go on: " + std::string(why));
}

Result<void> LiveCollection::admit_upsert(uint64_t bytes) const {
    storage::DiskSpace* disk = dependencies_.disk;
    if (disk == nullptr || disk->admits(bytes)) {
        return {};
    }
    return disk_full(std::to_string(disk->free_bytes()) +
                     " bytes are free, and storage.disk_hard_free_bytes keeps " +
                     std::to_string(disk->hard_free_bytes()));
}

/// Upserts of the group are refused and leave it; the deletes that remain get the ballast.
Result<void> LiveCollection::prepare_deletes(std::vector<PendingWrite*>& group, const Error& full) {
    std::erase_if(group, [&](PendingWrite* write) {
        if (write->documents > 0) {
            write->reply = disk_full(full.message());
        }
        return write->documents > 0;
    });
    if (group.empty()) {
        return {};
    }
    Result<void> prepared = prepare_group(group);
    if (!prepared && prepared.error().code() == Code::kDiskFull && dependencies_.disk != nullptr &&
        dependencies_.disk->release_ballast()) {
        dependencies_.logger.log(LogLevel::kWarning, "the disk is full: the ballast was given up for deletes",
                                 {{"collection", spec_.name}});
        prepared = prepare_group(group);
    }
    if (!prepared && prepared.error().code() == Code::kDiskFull) {
        return disk_full(prepared.error().message());
    }
    return prepared;
}

/// A checkpoint lets the log be trimmed, so it may go below the soft mark; never below the hard one.
Result<void> LiveCollection::admit_checkpoint(const Snapshot& snapshot) const {
    storage::DiskSpace* disk = dependencies_.disk;
    if (disk == nullptr) {
        return {};
    }
    const RowStore& rows = generation_->rows;
    uint64_t bytes = kCheckpointOverheadBytes;
    for (uint64_t row = first_row_to_write(manifest_, snapshot); row < snapshot.rows; ++row) {
        const auto number = static_cast<uint32_t>(row);
        bytes += rows.row_bytes() + rows.id(number).size() + rows.metadata(number).size() + kRowOverheadBytes;
    }
    for (const auto& index : generation_->indexes) {
        const uint32_t linked = snapshot.linked_of(*index);
        if (linked != index->graph_rows_saved.load()) {
            bytes += uint64_t{linked} * options_.graph.degree * sizeof(uint32_t);
        }
    }
    bytes += (snapshot.rows - std::min<uint64_t>(snapshot.rows, snapshot.live)) * kDeadRowBytes;
    if (!disk->admits(bytes)) {
        return Error(Code::kDiskFull, "a checkpoint of about " + std::to_string(bytes) +
                                          " bytes does not fit in the " + std::to_string(disk->free_bytes()) +
                                          " bytes free");
    }
    return {};
}

/// A rewrite needs the space of all live rows beside what is there: in the background only where there is
/// plenty, at a caller's request as far as the hard mark allows.
Result<void> LiveCollection::admit_rewrite(const Snapshot& snapshot) const {
    storage::DiskSpace* disk = dependencies_.disk;
    if (disk == nullptr) {
        return {};
    }
    const uint64_t list_bytes = uint64_t{options_.graph.degree} * sizeof(uint32_t);
    const uint64_t row_bytes =
        generation_->rows.row_bytes() + kRowOverheadBytes + generation_->indexes.size() * list_bytes;
    const uint64_t bytes = snapshot.live * row_bytes + kCheckpointOverheadBytes;
    if (!disk->admits(bytes)) {
        return disk_full("a rewrite of at least " + std::to_string(bytes) + " bytes does not fit in the " +
                         std::to_string(disk->free_bytes()) + " bytes free");
    }
    return {};
}

bool LiveCollection::has_plenty_of_disk() const {
    return dependencies_.disk == nullptr || dependencies_.disk->level() == storage::DiskLevel::kPlenty;
}

/// New rows become a segment of their own, which swallows its elders while they are not larger: so n rows lie
/// in about log2(n) segments, and each row is written about as often. On a disk that runs low it swallows
/// none.
uint64_t LiveCollection::first_row_to_write(const storage::Manifest& manifest,
                                            const Snapshot& snapshot) const {
    const auto& elders = manifest.rows;
    uint64_t first = elders.empty() ? 0 : elders.back().first_row + elders.back().row_count;
    if (first == snapshot.rows || !has_plenty_of_disk()) {
        return first;
    }
    for (auto elder = elders.rbegin(); elder != elders.rend() && elder->row_count <= snapshot.rows - first;
         ++elder) {
        first = elder->first_row;
    }
    return first;
}

}  // namespace akidb::engine
