// Content: the bytes of a simulated file, in pages that copies share until one of them is written (copy on
// write), and with no memory for pages of zeros: an image of a disk costs a pointer a page, and preallocation
// costs nothing. Offsets and sizes are bytes. Thread-compatible, and copies that share pages belong to one
// thread together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace akidb::sim {

class Content {
  public:
    static constexpr uint64_t kPage = 4096;

    uint64_t size() const { return size_; }
    /// Grows to the end of what is written; a gap before it reads as zeros.
    void write(uint64_t offset, std::string_view bytes);
    /// Zeros from `offset` to `end`, growing to there.
    void write_zeros(uint64_t offset, uint64_t end);
    /// Cuts, or grows with zeros.
    void resize(uint64_t size);
    /// What there is of [offset, offset + count).
    std::string read(uint64_t offset, uint64_t count) const;
    /// Makes [from, to) what `other` has there, zeros beyond its end, growing to `to`.
    void copy_range(const Content& other, uint64_t from, uint64_t to);

  private:
    using Page = std::string;  // always kPage bytes

    Page& writable_page(uint64_t number);

    uint64_t size_ = 0;
    std::map<uint64_t, std::shared_ptr<Page>> pages_;  // absent: zeros; bytes beyond size_ are zero
};

/// A Content that copies of it share whole until one of them writes.
class SharedContent {
  public:
    const Content& read() const { return *content_; }
    Content& write() {
        if (content_.use_count() > 1) {
            content_ = std::make_shared<Content>(*content_);
        }
        return *content_;
    }

  private:
    std::shared_ptr<Content> content_ = std::make_shared<Content>();
};

}  // namespace akidb::sim
