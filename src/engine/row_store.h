// RowStore: the rows of one collection in memory, in the order in which they were written: vectors, version,
// id, metadata, and the mark that says by which write a row died. Head and graph share these rows, so linking
// a row moves nothing. A chunk of vectors is heap memory for new rows and a mapped segment file for rows that
// a restart brought back. All vectors of a document lie side by side in its row (index/rows.h), so that they
// come, are written and die as one; where a document lacks one there are zeros.
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
#include "index/members.h"
#include "index/pages.h"
#include "index/rows.h"
#include "model/collection_spec.h"
#include "simd/kernels.h"
#include "storage/segment.h"

namespace akidb::engine {

inline constexpr uint32_t kNoRow = 0xffffffffu;

/// One of the vectors of the documents.
struct VectorColumn {
    VectorColumn(model::VectorSpec vector, const simd::Kernels& kernels, index::RowPart part);

    const model::VectorSpec spec;
    index::Rows rows;                         // by row of the store
    std::unique_ptr<index::Members> members;  // null: every row has it
    std::unique_ptr<index::Rows> of_members;  // null: the same
    uint8_t lacking_bit = 0;                  // of what stands behind the metadata

    /// What a graph over it counts.
    const index::Rows& counted() const { return of_members == nullptr ? rows : *of_members; }
    /// How many of the rows before this one have it: so many of counted() a reader may look at.
    uint32_t count_below(uint32_t row) const { return members == nullptr ? row : members->count_below(row); }
    /// The row of the store.
    uint32_t row_of(uint32_t counted) const {
        return members == nullptr ? counted : members->row_of(counted);
    }
};

struct NewRow {
    std::span<const float> vector;  // those of all columns, one after the other
    uint64_t version = 0;
    std::string_view id;         // DocumentId encoding
    std::string_view metadata;   // stored (model/expiry.h), which tells what is lacking
    uint32_t previous = kNoRow;  // the row that this one replaces
};

class RowStore {
  public:
    /// Null: the best kernels that this CPU runs.
    explicit RowStore(const std::vector<model::VectorSpec>& vectors, const simd::Kernels* kernels = nullptr);
    ~RowStore();
    RowStore(const RowStore&) = delete;
    RowStore& operator=(const RowStore&) = delete;

    /// As the vectors that it was made for.
    const std::vector<std::unique_ptr<VectorColumn>>& columns() const { return columns_; }
    /// Of the first column.
    const index::Rows& rows() const { return columns_.front()->rows; }
    storage::RowForm form() const {
        return {.stride = row_words_, .storage = columns_.front()->spec.storage};
    }
    size_t row_bytes() const { return size_t{row_words_} * 4; }
    /// All vectors, as they are kept.
    std::string_view row_as_kept(uint32_t ordinal) const {
        return {reinterpret_cast<const char*>(rows().row(ordinal)), row_bytes()};  // the first part is at 0
    }
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
    /// With what stands behind it, as files have it.
    std::string_view stored_metadata(uint32_t ordinal) const {
        const std::string_view metadata = this->metadata(ordinal);
        const size_t behind = model::trailer_bytes({metadata, expires_at_ms(ordinal), lacking(ordinal)});
        return {metadata.data(), metadata.size() + behind};
    }
    bool has(uint32_t ordinal, const VectorColumn& column) const {
        return column.lacking_bit == 0 || (lacking(ordinal) & column.lacking_bit) == 0;
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
    /// What is kept of what the client sent; as NewRow has it.
    std::vector<float> vectors(uint32_t ordinal) const;
    /// That of one column.
    static std::vector<float> vector(uint32_t ordinal, const index::Rows& rows) {
        std::vector<float> room(rows.dimension());
        const float* const kept = rows.vector(ordinal, room.data());
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
        std::atomic<uint8_t*> lacking{nullptr};       // the same, while every row of it has all vectors
        std::byte* vectors = nullptr;                 // owned; null when the rows lie in a mapped segment
        bool has_large_pages = false;                 // of these
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
    Chunk* place_chunk(uint32_t chunk);
    static void destroy_chunk(uint32_t number, Chunk* chunk);
    std::string_view keep(Chunk& chunk, std::string_view bytes);
    /// `stored` stays where it is.
    void set_metadata(uint32_t ordinal, std::string_view stored);
    uint8_t lacking(uint32_t ordinal) const {
        const uint8_t* bits = chunk_of(ordinal).lacking.load(std::memory_order_acquire);
        return bits == nullptr ? 0 : bits[slot(ordinal)];
    }
    void set_chunk(uint32_t chunk, const std::byte* vectors);
    void reserve_members(uint64_t more);
    void add_to_members(uint32_t ordinal);

    const std::vector<model::VectorSpec> vectors_;
    const uint32_t row_words_;
    std::vector<std::unique_ptr<VectorColumn>> columns_;
    index::Pages pages_;                    // of chunks_: only what is used of it costs memory
    std::atomic<Chunk*>* chunks_;           // kChunksMax
    std::vector<index::LargeBlock> slabs_;  // that chunks lie in, but for the first few
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
