#include "index/entry_table.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace akidb::index {

void EntryTable::grow(uint32_t count) {
    if (tables_.empty()) {
        tables_.push_back(std::make_unique<Table>(codes_, 1));
    }
    if (static_cast<uint64_t>(tables_.back()->step) * kRowsMax < count) {
        uint32_t step = tables_.back()->step;
        while (static_cast<uint64_t>(step) * kRowsMax < count) {
            step *= 2;
        }
        tables_.push_back(std::make_unique<Table>(codes_, step));
    }
    Table& table = *tables_.back();
    uint32_t filled = table.count.load(std::memory_order_relaxed);
    for (; static_cast<uint64_t>(filled) * table.step < count; ++filled) {
        table.blocks.copy(codes_, filled * table.step, filled);
    }
    table.count.store(filled, std::memory_order_release);
    current_.store(&table, std::memory_order_release);
}

uint32_t EntryTable::find(const CodedQuery& query, uint32_t count, uint32_t wanted,
                          std::array<Candidate, kNearestMax>& nearest) const {
    const Table* const table = current_.load(std::memory_order_acquire);
    AKIDB_ASSERT(table != nullptr && wanted > 0 && wanted <= kNearestMax);
    const uint32_t below = (count + table->step - 1) / table->step;
    const uint32_t rows = std::min(table->count.load(std::memory_order_acquire), below);
    constexpr uint32_t kRows = simd::kScanRows;
    std::array<float, kRows> distances;
    uint32_t found = 0;
    for (uint32_t begin = 0; begin < rows; begin += kRows) {
        table->blocks.scan(codes_, query, begin / kRows, distances.data());
        for (uint32_t i = 0; i < kRows && begin + i < rows; ++i) {
            const Candidate candidate{distances[i], (begin + i) * table->step};
            if (found == wanted && !(candidate < nearest[found - 1])) {
                continue;
            }
            uint32_t place = found < wanted ? found++ : found - 1;
            for (; place > 0 && candidate < nearest[place - 1]; --place) {
                nearest[place] = nearest[place - 1];
            }
            nearest[place] = candidate;
        }
    }
    return found;
}

}  // namespace akidb::index
