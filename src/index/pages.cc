#include "index/pages.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/assert.h"

namespace akidb::index {
namespace {

void* map(size_t bytes) {
    void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    AKIDB_ASSERT(data != MAP_FAILED);
    return data;
}

// The system aligns to small pages only: map more, give back both ends.
void* map_aligned(size_t bytes) {
    char* const start = static_cast<char*>(map(bytes + kLargePageBytes));
    const size_t before =
        (kLargePageBytes - reinterpret_cast<uintptr_t>(start) % kLargePageBytes) % kLargePageBytes;
    if (before > 0) {
        munmap(start, before);
    }
    munmap(start + before + bytes, kLargePageBytes - before);
    return start + before;
}

}  // namespace

std::byte* allocate_large(size_t bytes) noexcept {
    auto* const data =
        static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kLargePageBytes}, std::nothrow));
    if (data != nullptr) {
        madvise(data, bytes / kLargePageBytes * kLargePageBytes, MADV_HUGEPAGE);  // a hint
    }
    return data;
}

void free_large(std::byte* data) noexcept {
    ::operator delete (data, std::align_val_t{kLargePageBytes});
}

Pages::Pages(size_t bytes, Size size) {
    if (size == Size::kSmall) {
        bytes_ = bytes;
        data_ = map(bytes);
        return;
    }
    bytes_ = (bytes + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes;
    data_ = map_aligned(bytes_);
    // A hint: a system without large pages serves small ones.
    madvise(data_, bytes_, MADV_HUGEPAGE);
}

Pages::~Pages() {
    if (data_ != nullptr) {
        munmap(data_, bytes_);
    }
}

}  // namespace akidb::index
