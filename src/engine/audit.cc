#include "engine/audit.h"

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

AuditReport audit(const Snapshot& snapshot) {
    AuditReport report;
    const Generation& generation = *snapshot.generation;
    uint64_t lost = 0;
    for (uint32_t row = 0; row < snapshot.rows; ++row) {
        if (!snapshot.sees(row)) {
            continue;
        }
        ++report.live;
        const std::string_view id = generation.rows.id(row);
        report.documents_hash += hash_document(id, generation.rows.version(row));
        lost += snapshot.find(id) == row ? 0 : 1;
    }
    const uint64_t unreachable = generation.graph.linked() == 0 ? 0 : generation.graph.count_unreachable();
    if (report.live != snapshot.live) {
        report.faults.push_back(std::to_string(report.live) + " rows are alive where " +
                                std::to_string(snapshot.live) + " were counted");
    }
    if (lost > 0) {
        report.faults.push_back(std::to_string(lost) + " live rows are not found under their id");
    }
    if (unreachable > 0) {
        report.faults.push_back(std::to_string(unreachable) + " rows of the graph cannot be reached");
    }
    return report;
}

}  // namespace akidb::engine
