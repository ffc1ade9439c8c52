// Bitmap: a set of row ordinals: the rows that a filter selects. Rows are cut into chunks of 65,536; a chunk
// is a sorted list of 16-bit offsets while it is sparse and 1,024 words of bits when it is not (after the
// Roaring bitmaps of Chambi, Lemire et al. 2016, without run containers). Our own rather than libroaring,
// because what fills it are slices of sorted columns chunk by chunk (metadata_column.h), and what empties it
// is a scan. Thread-compatible.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace akidb::index {

/// The rows of one chunk while they are gathered: offsets in any order, with repeats, until they are many;
/// bits from then on.
class ChunkRows {
  public:
    static constexpr uint32_t kShift = 16;
    static constexpr uint32_t kRows = 1u << kShift;
    static constexpr uint32_t kWords = kRows / 64;
    /// Above this a list takes more memory than the bits.
    static constexpr size_t kListMax = kRows / 16;

    void add(std::span<const uint16_t> offsets);
    /// Appends kWords of bits to `words` from `at` on: those of `offsets`.
    static void set_bits(std::vector<uint64_t>& words, size_t at, std::span<const uint16_t> offsets);
    /// kWords of bits.
    void add_words(std::span<const uint64_t> words);
    /// Rows [begin, end) of the chunk.
    void add_range(uint32_t begin, uint32_t end);

  private:
    friend class Bitmap;
    void use_words();

    std::vector<uint16_t> list_;
    std::vector<uint64_t> words_;  // empty, or kWords and then list_ is empty
};

class Bitmap {
  public:
    Bitmap() = default;
    /// Rows [begin, end).
    static Bitmap of_range(uint32_t begin, uint32_t end);
    /// In any order, with repeats.
    static Bitmap of_rows(std::vector<uint32_t> rows);
    /// Replaces what the chunk held.
    void set_chunk(uint32_t chunk, ChunkRows rows);

    void intersect(const Bitmap& other);
    void unite(const Bitmap& other);
    void subtract(const Bitmap& other);

    uint64_t count() const { return count_; }
    bool contains(uint32_t row) const {
        const uint32_t number = row >> ChunkRows::kShift;
        if (number >= chunks_.size()) {
            return false;
        }
        const Chunk& chunk = chunks_[number];
        const uint32_t offset = row & (ChunkRows::kRows - 1);
        return chunk.words.empty() ? is_listed(chunk, static_cast<uint16_t>(offset))
                                   : (chunk.words[offset / 64] >> (offset % 64) & 1) != 0;
    }
    /// Ascending, while `visit(row)` returns true.
    template <class Visit>
    void for_each(Visit visit) const {
        for (uint32_t number = 0; number < chunks_.size(); ++number) {
            if (!visit_chunk(chunks_[number], number << ChunkRows::kShift, visit)) {
                return;
            }
        }
    }
    /// So that contains() takes one step in every chunk: for walks, which ask thousands of times.
    void make_quick();

  private:
    struct Chunk {
        uint32_t count = 0;
        std::vector<uint16_t> list;   // ascending
        std::vector<uint64_t> words;  // empty, or kWords and then the list is empty
    };

    template <class Visit>
    static bool visit_chunk(const Chunk& chunk, uint32_t first_row, Visit& visit) {
        for (const uint16_t offset : chunk.list) {
            if (!visit(first_row + offset)) {
                return false;
            }
        }
        for (uint32_t i = 0; i < chunk.words.size(); ++i) {
            for (uint64_t word = chunk.words[i]; word != 0; word &= word - 1) {
                if (!visit(first_row + i * 64 + static_cast<uint32_t>(std::countr_zero(word)))) {
                    return false;
                }
            }
        }
        return true;
    }
    static bool is_listed(const Chunk& chunk, uint16_t offset);
    static void intersect(Chunk& chunk, const Chunk& other);
    static void unite(Chunk& chunk, const Chunk& other);
    static void subtract(Chunk& chunk, const Chunk& other);
    static void to_words(Chunk& chunk);
    static void recount(Chunk& chunk);
    void recount();

    std::vector<Chunk> chunks_;  // by number
    uint64_t count_ = 0;
};

}  // namespace akidb::index
