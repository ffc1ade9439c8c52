#include "index/bitmap.h"

#include <algorithm>
#include <iterator>

namespace akidb::index {
namespace {

bool has_bit(const std::vector<uint64_t>& words, uint16_t offset) {
    return (words[offset / 64] >> (offset % 64) & 1) != 0;
}

void set_bit(std::vector<uint64_t>& words, uint16_t offset) {
    words[offset / 64] |= uint64_t{1} << (offset % 64);
}

void clear_bit(std::vector<uint64_t>& words, uint16_t offset) {
    words[offset / 64] &= ~(uint64_t{1} << (offset % 64));
}

}  // namespace

void ChunkRows::use_words() {
    if (!words_.empty()) {
        return;
    }
    words_.resize(kWords);
    for (const uint16_t offset : list_) {
        set_bit(words_, offset);
    }
    list_.clear();
}

void ChunkRows::add(std::span<const uint16_t> offsets) {
    if (words_.empty() && list_.size() + offsets.size() <= kListMax) {
        list_.insert(list_.end(), offsets.begin(), offsets.end());
        return;
    }
    use_words();
    for (const uint16_t offset : offsets) {
        set_bit(words_, offset);
    }
}

void ChunkRows::set_bits(std::vector<uint64_t>& words, size_t at, std::span<const uint16_t> offsets) {
    words.resize(at + kWords);
    for (const uint16_t offset : offsets) {
        words[at + offset / 64] |= uint64_t{1} << (offset % 64);
    }
}

void ChunkRows::add_words(std::span<const uint64_t> words) {
    use_words();
    for (size_t i = 0; i < kWords; ++i) {
        words_[i] |= words[i];
    }
}

void ChunkRows::add_range(uint32_t begin, uint32_t end) {
    if (begin >= end) {
        return;
    }
    use_words();
    const uint64_t first_mask = ~uint64_t{0} << (begin % 64);
    const uint64_t last_mask = ~uint64_t{0} >> (63 - (end - 1) % 64);
    const size_t first = begin / 64;
    const size_t last = (end - 1) / 64;
    for (size_t i = first; i <= last; ++i) {
        words_[i] |= (i == first ? first_mask : ~uint64_t{0}) & (i == last ? last_mask : ~uint64_t{0});
    }
}

Bitmap Bitmap::of_rows(std::vector<uint32_t> rows) {
    std::sort(rows.begin(), rows.end());
    Bitmap made;
    std::vector<uint16_t> offsets;
    for (size_t i = 0; i < rows.size(); ++i) {
        const uint32_t chunk = rows[i] >> ChunkRows::kShift;
        offsets.push_back(static_cast<uint16_t>(rows[i] & (ChunkRows::kRows - 1)));
        if (i + 1 == rows.size() || rows[i + 1] >> ChunkRows::kShift != chunk) {
            ChunkRows of_chunk;
            of_chunk.add(offsets);
            made.set_chunk(chunk, std::move(of_chunk));
            offsets.clear();
        }
    }
    return made;
}

Bitmap Bitmap::of_range(uint32_t begin, uint32_t end) {
    Bitmap made;
    for (uint64_t row = begin; row < end;) {
        const auto chunk = static_cast<uint32_t>(row >> ChunkRows::kShift);
        const uint64_t first = uint64_t{chunk} << ChunkRows::kShift;
        const uint64_t next = std::min<uint64_t>(end, first + ChunkRows::kRows);
        ChunkRows rows;
        rows.add_range(static_cast<uint32_t>(row - first), static_cast<uint32_t>(next - first));
        made.set_chunk(chunk, std::move(rows));
        row = next;
    }
    return made;
}

void Bitmap::set_chunk(uint32_t number, ChunkRows rows) {
    if (number >= chunks_.size()) {
        chunks_.resize(number + 1);
    }
    Chunk& chunk = chunks_[number];
    count_ -= chunk.count;
    chunk.list = std::move(rows.list_);
    chunk.words = std::move(rows.words_);
    if (!std::is_sorted(chunk.list.begin(), chunk.list.end())) {
        std::sort(chunk.list.begin(), chunk.list.end());
    }
    chunk.list.erase(std::unique(chunk.list.begin(), chunk.list.end()), chunk.list.end());
    recount(chunk);
    count_ += chunk.count;
}

bool Bitmap::is_listed(const Chunk& chunk, uint16_t offset) {
    return std::binary_search(chunk.list.begin(), chunk.list.end(), offset);
}

void Bitmap::to_words(Chunk& chunk) {
    if (!chunk.words.empty()) {
        return;
    }
    chunk.words.resize(ChunkRows::kWords);
    for (const uint16_t offset : chunk.list) {
        set_bit(chunk.words, offset);
    }
    chunk.list = {};
}

void Bitmap::recount(Chunk& chunk) {
    chunk.count = static_cast<uint32_t>(chunk.list.size());
    for (const uint64_t word : chunk.words) {
        chunk.count += static_cast<uint32_t>(std::popcount(word));
    }
}

void Bitmap::recount() {
    count_ = 0;
    for (const Chunk& chunk : chunks_) {
        count_ += chunk.count;
    }
}

void Bitmap::intersect(Chunk& chunk, const Chunk& other) {
    if (!chunk.words.empty() && !other.words.empty()) {
        for (size_t i = 0; i < chunk.words.size(); ++i) {
            chunk.words[i] &= other.words[i];
        }
    } else if (!chunk.words.empty()) {
        std::vector<uint16_t> both;
        std::copy_if(other.list.begin(), other.list.end(), std::back_inserter(both),
                     [&](uint16_t offset) { return has_bit(chunk.words, offset); });
        chunk.words = {};
        chunk.list = std::move(both);
    } else if (!other.words.empty()) {
        std::erase_if(chunk.list, [&](uint16_t offset) { return !has_bit(other.words, offset); });
    } else {
        std::vector<uint16_t> both;
        std::set_intersection(chunk.list.begin(), chunk.list.end(), other.list.begin(), other.list.end(),
                              std::back_inserter(both));
        chunk.list = std::move(both);
    }
    recount(chunk);
}

void Bitmap::unite(Chunk& chunk, const Chunk& other) {
    if (chunk.words.empty() && other.words.empty() &&
        chunk.list.size() + other.list.size() <= ChunkRows::kListMax) {
        std::vector<uint16_t> either;
        std::set_union(chunk.list.begin(), chunk.list.end(), other.list.begin(), other.list.end(),
                       std::back_inserter(either));
        chunk.list = std::move(either);
    } else {
        to_words(chunk);
        for (size_t i = 0; i < other.words.size(); ++i) {
            chunk.words[i] |= other.words[i];
        }
        for (const uint16_t offset : other.list) {
            set_bit(chunk.words, offset);
        }
    }
    recount(chunk);
}

void Bitmap::subtract(Chunk& chunk, const Chunk& other) {
    if (!chunk.words.empty()) {
        for (size_t i = 0; i < other.words.size(); ++i) {
            chunk.words[i] &= ~other.words[i];
        }
        for (const uint16_t offset : other.list) {
            clear_bit(chunk.words, offset);
        }
    } else if (!other.words.empty()) {
        std::erase_if(chunk.list, [&](uint16_t offset) { return has_bit(other.words, offset); });
    } else {
        std::erase_if(chunk.list, [&](uint16_t offset) { return is_listed(other, offset); });
    }
    recount(chunk);
}

void Bitmap::intersect(const Bitmap& other) {
    chunks_.resize(std::min(chunks_.size(), other.chunks_.size()));
    for (size_t i = 0; i < chunks_.size(); ++i) {
        intersect(chunks_[i], other.chunks_[i]);
    }
    recount();
}

void Bitmap::unite(const Bitmap& other) {
    chunks_.resize(std::max(chunks_.size(), other.chunks_.size()));
    for (size_t i = 0; i < other.chunks_.size(); ++i) {
        unite(chunks_[i], other.chunks_[i]);
    }
    recount();
}

void Bitmap::subtract(const Bitmap& other) {
    for (size_t i = 0; i < std::min(chunks_.size(), other.chunks_.size()); ++i) {
        subtract(chunks_[i], other.chunks_[i]);
    }
    recount();
}

void Bitmap::make_quick() {
    for (Chunk& chunk : chunks_) {
        if (!chunk.list.empty()) {
            to_words(chunk);
        }
    }
}

}  // namespace akidb::index
