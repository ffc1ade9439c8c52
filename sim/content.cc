#include "sim/content.h"

#include <algorithm>

namespace akidb::sim {

Content::Page& Content::writable_page(uint64_t number) {
    std::shared_ptr<Page>& page = pages_[number];
    if (!page) {
        page = std::make_shared<Page>(kPage, '\0');
    } else if (page.use_count() > 1) {
        page = std::make_shared<Page>(*page);
    }
    return *page;
}

void Content::write(uint64_t offset, std::string_view bytes) {
    size_ = std::max(size_, offset + bytes.size());
    while (!bytes.empty()) {
        const uint64_t within = offset % kPage;
        const size_t piece = std::min<size_t>(bytes.size(), kPage - within);
        writable_page(offset / kPage).replace(within, piece, bytes.substr(0, piece));
        bytes.remove_prefix(piece);
        offset += piece;
    }
}

void Content::write_zeros(uint64_t offset, uint64_t end) {
    size_ = std::max(size_, end);
    auto page = pages_.lower_bound(offset / kPage);
    while (page != pages_.end() && page->first * kPage < end) {
        const uint64_t start = page->first * kPage;
        const uint64_t from = std::max(offset, start);
        const uint64_t to = std::min(end, start + kPage);
        if (to - from == kPage) {
            page = pages_.erase(page);
            continue;
        }
        const uint64_t number = page->first;
        writable_page(number).replace(from - start, to - from, to - from, '\0');
        ++page;
    }
}

void Content::resize(uint64_t size) {
    if (size < size_) {
        write_zeros(size, size_);
    }
    size_ = size;
}

std::string Content::read(uint64_t offset, uint64_t count) const {
    if (offset >= size_) {
        return {};
    }
    const uint64_t end = offset + std::min(count, size_ - offset);
    std::string bytes(end - offset, '\0');
    for (auto page = pages_.lower_bound(offset / kPage); page != pages_.end(); ++page) {
        const uint64_t start = page->first * kPage;
        if (start >= end) {
            break;
        }
        const uint64_t from = std::max(offset, start);
        const uint64_t to = std::min(end, start + kPage);
        page->second->copy(bytes.data() + (from - offset), to - from, from - start);
    }
    return bytes;
}

void Content::copy_range(const Content& other, uint64_t from, uint64_t to) {
    if (from >= to) {
        return;
    }
    const std::string bytes = other.read(from, to - from);
    write(from, bytes);
    write_zeros(from + bytes.size(), to);
}

}  // namespace akidb::sim
