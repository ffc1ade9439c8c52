// RowStore: the rows of one collection in memory, in the order in which they were written: vector, version,
// id, metadata, and the mark that says by which write a row died. Head and graph share these rows, so linking
// a row moves nothing. A chunk of vectors is heap memory for new rows and a mapped segment file for rows that
// a restart brought back.
//
// One writer (the lane's leader, or recovery) appends and marks; readers use rows below the count of a
// published snapshot. A row never changes but for its death mark, which only goes from alive to a sequence
// number; so a snapshot of (count, sequence) is a consistent view without locks (multi-version, keyed by
// sequence number).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/expiries.h"
#include "index/pages.h"
#include "index/rows.h"
#include "simd/kernels.h"
#include "storage/segment.h"

namespace akidb::engine {

inline constexpr uint32_t kNoRow = 0xffffffffu;

inline storage::RowForm form_of(const index::Rows& rows) {
    return {.stride = rows.stride(), .storage = rows.shape().storage};
}

struct NewRow {
    std::span<const float> vector;  // `dimension` floats
    uint64_t version = 0;
    std::string_view id;         // DocumentId encoding
    std::string_view metadata;   // stored (model/expiry.h)
    uint32_t previous = kNoRow;  // the row that this one replaces
};

class RowStore {
  public:
    /// Null: the best kernels that this CPU runs.
    explicit RowStore(const index::RowShape& shape, const simd::Kernels* kernels = nullptr);
    ~RowStore();
    RowStore(const RowStore&) = delete;
    RowStore& operator=(const RowStore&) = delete;

    const index::Rows& rows() const { return rows_; }
    /// Rows appended; the writer's view.
    uint32_t size() const { return size_; }

    /// Memory for `more` further rows' vectors, so that append cannot fail for want of it. kRateLimited when
    /// the collection or the machine is full.
    Result<void> reserve(uint64_t more);
    /// After reserve. The ordinal of the new row.
    uint32_t append(const NewRow& row);
    /// Recovery only, in order of rows: maps whole chunks, copies the ragged ends.
    Result<void> adopt(std::shared_ptr<const storage::RowsSegment> segment);
    void mark_dead(uint32_t ordinal, uint64_t sequence) {
        chunk_of(ordinal).dead_at[slot(ordinal)].store(sequence, std::memory_order_relaxed);
    }

    /// 0 while alive.
    uint64_t dead_at(uint32_t ordinal) const {
        return chunk_of(ordinal).dead_at[slot(ordinal)].load(std::memory_order_relaxed);
    }
    bool is_alive(uint32_t ordinal, uint64_t at_sequence) const {
        const uint64_t sequence = dead_at(ordinal);
        return sequence == 0 || sequence > at_sequence;
    }
    uint64_t version(uint32_t ordinal) const { return chunk_of(ordinal).version[slot(ordinal)]; }
    uint32_t previous(uint32_t ordinal) const { return chunk_of(ordinal).previous[slot(ordinal)]; }
    std::string_view id(uint32_t ordinal) const { return chunk_of(ordinal).id[slot(ordinal)]; }
    std::string_view metadata(uint32_t ordinal) const { return chunk_of(ordinal).metadata[slot(ordinal)]; }
    /// With the expiry behind it, as files have it.
    std::string_view stored_metadata(uint32_t ordinal) const {
        const std::string_view metadata = this->metadata(ordinal);
        return expires_at_ms(ordinal) == 0
                   ? metadata
                   : std::string_view(metadata.data(), metadata.size() + model::kExpiryBytes);
    }
    /// 0: never.
    uint64_t expires_at_ms(uint32_t ordinal) const {
        const uint64_t* moments = chunk_of(ordinal).expires_at.load(std::memory_order_acquire);
        return moments == nullptr ? 0 : moments[slot(ordinal)];
    }
    bool has_expired(uint32_t ordinal, uint64_t now_ms) const {
        const uint64_t moment = expires_at_ms(ordinal);
        return moment != 0 && moment <= now_ms;
    }
    Expiries& expiries() { return expiries_; }
    const Expiries& expiries() const { return expiries_; }
    /// Rows that came from files, and still lie there; all before the others.
    uint32_t adopted() const { return adopted_; }
    /// The files that rows are mapped from.
    const std::vector<std::shared_ptr<const storage::RowsSegment>>& segments() const { return segments_; }
    /// Of rows that were appended or copied, any thread; what lies in mapped files is not the heap's.
    uint64_t vector_bytes() const { return vector_bytes_.load(std::memory_order_relaxed); }
    /// With the room for rows to come.
    uint64_t heap_vector_bytes() const { return heap_vector_bytes_.load(std::memory_order_relaxed); }
    uint64_t document_bytes() const { return document_bytes_.load(std::memory_order_relaxed); }
    /// What is kept of what the client sent.
    std::vector<float> vector(uint32_t ordinal) const {
        std::vector<float> room(rows_.dimension());
        const float* const kept = rows_.vector(ordinal, room.data());
        if (kept != room.data()) {
            room.assign(kept, kept + room.size());
        }
        return room;
    }

  private:
    struct Chunk {
        std::array<std::atomic<uint64_t>, index::kRowsPerChunk> dead_at;
        std::array<uint64_t, index::kRowsPerChunk> version;
        std::array<uint32_t, index::kRowsPerChunk> previous;
        std::array<std::string_view, index::kRowsPerChunk> id;
        std::array<std::string_view, index::kRowsPerChunk> metadata;
        // Owned; null while no row of the chunk expires, which is what most collections have.
        std::atomic<uint64_t*> expires_at{nullptr};
        std::byte* vectors = nullptr;                 // owned; null when the rows lie in a mapped segment
        std::vector<std::unique_ptr<char[]>> blocks;  // bytes of ids and metadata
        size_t block_left = 0;
        char* block_end = nullptr;

        Chunk() = default;
        ~Chunk();
        Chunk(const Chunk&) = delete;
        Chunk& operator=(const Chunk&) = delete;
    };
    static uint32_t slot(uint32_t ordinal) { return ordinal & (index::kRowsPerChunk - 1); }
    Chunk& chunk_of(uint32_t ordinal) const {
        return *chunks_[ordinal >> index::kChunkShift].load(std::memory_order_acquire);
    }
    Chunk* chunk_or_null(uint32_t chunk) const { return chunks_[chunk].load(std::memory_order_relaxed); }
    Result<void> make_chunk(uint32_t chunk, bool with_vectors);
    std::string_view keep(Chunk& chunk, std::string_view bytes);
    /// `stored` stays where it is.
    void set_metadata(uint32_t ordinal, std::string_view stored);

    index::Rows rows_;
    index::Pages pages_;           // of chunks_: only what is used of it costs memory
    std::atomic<Chunk*>* chunks_;  // kChunksMax
    std::vector<std::shared_ptr<const storage::RowsSegment>>
        segments_;  // what views and mapped chunks point into
    Expiries expiries_;
    uint32_t size_ = 0;
    uint32_t adopted_ = 0;
    uint32_t reserved_ = 0;
    // The writer's; any thread reads them.
    std::atomic<uint64_t> vector_bytes_{0};
    std::atomic<uint64_t> heap_vector_bytes_{0};
    std::atomic<uint64_t> document_bytes_{0};
};

}  // namespace akidb::engine
