#include "index/record_array.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "index/rows.h"

namespace akidb::index {
namespace {

constexpr size_t kBlockBytes = size_t{4} << 20;
constexpr size_t kBlockRecordsMin = 64;

size_t in_large_pages(size_t bytes) {
    return (bytes + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes;
}

/// A block has a power of two of records, so its last page is part empty: of 2.1 MiB, nearly half. Up to
/// eight times as large the share shrinks, and what is not touched of a large block costs nothing.
uint32_t shift_for(size_t record_bytes) {
    constexpr uint32_t kDoublings = 3;
    constexpr size_t kEmptyShare = 32;
    const size_t records = std::max(kBlockBytes / record_bytes, kBlockRecordsMin);
    auto shift = static_cast<uint32_t>(std::bit_width(records) - 1);
    for (uint32_t more = 0; more < kDoublings; ++more, ++shift) {
        const size_t bytes = record_bytes << shift;
        if (in_large_pages(bytes) - bytes <= bytes / kEmptyShare) {
            break;
        }
    }
    return shift;
}

}  // namespace

RecordArray::RecordArray(size_t record_bytes)
    : record_bytes_(record_bytes),
      shift_(shift_for(record_bytes)),
      mask_((1u << shift_) - 1),
      table_pages_(((kRowsMax >> shift_) + 1) * sizeof(std::atomic<uint8_t*>), Pages::Size::kSmall),
      // Zeroed memory is a null pointer; starting the lifetime of each one by hand would touch every page.
      table_(static_cast<std::atomic<uint8_t*>*>(table_pages_.data())) {
    static_assert(std::atomic<uint8_t*>::is_always_lock_free &&
                  sizeof(std::atomic<uint8_t*>) == sizeof(uint8_t*));
}

void RecordArray::lend(const uint8_t* data, uint32_t end) {
    AKIDB_ASSERT(blocks_.empty() && lent_ == 0 && end <= kRowsMax);
    const size_t block_bytes = record_bytes_ << shift_;
    for (uint32_t block = 0; block << shift_ < end; ++block) {
        // at() gives it to readers only.
        table_[block].store(const_cast<uint8_t*>(data) + block * block_bytes, std::memory_order_release);
    }
    lent_ = end;
}

bool RecordArray::own(FunctionRef<bool()> cancelled) {
    while (lent_ > 0) {
        if (cancelled()) {
            return false;
        }
        const size_t block = blocks_.size();
        const size_t first = block << shift_;
        const size_t count = std::min<size_t>(lent_ - first, size_t{1} << shift_);
        blocks_.emplace_back(record_bytes_ << shift_, Pages::Size::kLarge);
        std::memcpy(blocks_.back().data(), at(static_cast<uint32_t>(first)), count * record_bytes_);
        table_[block].store(static_cast<uint8_t*>(blocks_.back().data()), std::memory_order_release);
        if (first + count == lent_) {
            const uint32_t end = std::exchange(lent_, 0);
            reserve(end);  // what it takes is counted there
        }
    }
    return true;
}

void RecordArray::reserve(uint32_t end) {
    AKIDB_ASSERT(end <= kRowsMax && lent_ == 0);
    const size_t block_bytes = record_bytes_ << shift_;
    while ((blocks_.size() << shift_) < end) {
        blocks_.emplace_back(block_bytes, Pages::Size::kLarge);
        table_[blocks_.size() - 1].store(static_cast<uint8_t*>(blocks_.back().data()),
                                         std::memory_order_release);
    }
    const size_t rest = static_cast<size_t>(end & mask_) * record_bytes_;
    const size_t touched = (end >> shift_) * in_large_pages(block_bytes) + in_large_pages(rest);
    if (touched > bytes()) {
        bytes_.store(touched, std::memory_order_relaxed);
    }
}

}  // namespace akidb::index
