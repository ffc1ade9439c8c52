#include "engine/audit.h"

#include <algorithm>

#include "base/crc32c.h"

namespace akidb::engine {
namespace {

// Two checksums with different seeds make 64 bits; the finaliser spreads them, so that sums of many differ.
uint64_t hash_document(std::string_view id, uint64_t version) {
    const auto* version_bytes = reinterpret_cast<const char*>(&version);
    const uint32_t low = crc32c(id, crc32c({version_bytes, sizeof(version)}));
    const uint32_t high = crc32c(id, ~low);
    uint64_t value = (uint64_t{high} << 32 | low) ^ version;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
}

}  // namespace

void Audit::look_at(uint32_t row) {
    const Snapshot& snapshot = *snapshot_;
    if (!snapshot.sees(row)) {
        return;
    }
    ++report_.live;
    const RowStore& rows = snapshot.generation->rows;
    const std::string_view id = rows.id(row);
    report_.documents_hash += hash_document(id, rows.version(row));
    report_.lost += snapshot.find(id) == row ? 0 : 1;
}

void Audit::conclude() {
    const Snapshot& snapshot = *snapshot_;
    for (const auto& index : snapshot.generation->indexes) {
        report_.unreachable += index->graph.linked() == 0 ? 0 : index->graph.count_unreachable();
    }
    if (report_.live != snapshot.live) {
        report_.faults.push_back(std::to_string(report_.live) + " rows are alive where " +
                                 std::to_string(snapshot.live) + " were counted");
    }
    if (report_.lost > 0) {
        report_.faults.push_back(std::to_string(report_.lost) + " live rows are not found under their id");
    }
    if (report_.unreachable > 0) {
        report_.faults.push_back(std::to_string(report_.unreachable) +
                                 " rows of the graph cannot be reached");
    }
    is_done_ = true;
}

void Audit::advance(uint32_t rows_max) {
    if (next_ == snapshot_->rows) {
        return conclude();
    }
    const uint32_t end = next_ + std::min(rows_max, snapshot_->rows - next_);
    for (; next_ < end; ++next_) {
        look_at(next_);
    }
}

AuditReport audit(const Snapshot& snapshot) {
    Audit all(std::make_shared<const Snapshot>(snapshot));
    while (!all.is_done()) {
        all.advance(UINT32_MAX);
    }
    return all.report();
}

}  // namespace akidb::engine
