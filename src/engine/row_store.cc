#include "engine/row_store.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace akidb::engine {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr std::align_val_t kVectorAlignment{4096};
// Large pages save a fault for every few rows that are written, and reads gain by them. The first rows of a
// collection do without: there may be thousands of small ones.
constexpr uint32_t kChunksInSmallPages = 8;

Error out_of_memory() {
    return Error(Code::kRateLimited, "no memory for more documents").with_retry_after(30);
}

/// There is one writer.
void add_relaxed(std::atomic<uint64_t>& total, uint64_t bytes) {
    total.store(total.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

}  // namespace

VectorColumn::VectorColumn(model::VectorSpec vector, const simd::Kernels& kernels, index::RowPart part)
    : spec(std::move(vector)), rows({spec.metric, spec.dimension, spec.storage}, kernels, part) {
    if (!spec.name.empty()) {
        members = std::make_unique<index::Members>();
        of_members = std::make_unique<index::Rows>(rows, *members);
    }
}

RowStore::Chunk::~Chunk() {
    if (has_large_pages) {
        index::free_large(vectors);
    } else {
        ::operator delete(vectors, kVectorAlignment);
    }
    delete[] expires_at.load(std::memory_order_relaxed);
    delete[] lacking.load(std::memory_order_relaxed);
}

RowStore::RowStore(const std::vector<model::VectorSpec>& vectors, const simd::Kernels* kernels)
    : vectors_(vectors),
      row_words_(index::row_stride(vectors)),
      pages_(index::kChunksMax * sizeof(std::atomic<Chunk*>), index::Pages::Size::kSmall),
      chunks_(static_cast<std::atomic<Chunk*>*>(pages_.data())) {
    const simd::Kernels& chosen = kernels != nullptr ? *kernels : simd::choose_kernels("");
    uint32_t offset = 0;
    uint32_t named = 0;
    for (const model::VectorSpec& vector : vectors) {
        columns_.push_back(std::make_unique<VectorColumn>(
            vector, chosen, index::RowPart{.offset = offset, .pitch = row_words_}));
        offset += index::row_stride(vector.dimension, vector.storage);
        if (!vector.name.empty()) {
            columns_.back()->lacking_bit = static_cast<uint8_t>(1U << named++);
        }
    }
}

RowStore::~RowStore() {
    for (uint32_t chunk = 0; chunk < index::kChunksMax; ++chunk) {
        Chunk* owned = chunk_or_null(chunk);
        if (owned == nullptr) {
            break;
        }
        destroy_chunk(chunk, owned);
    }
}

/// Null: no memory. A chunk of that number is made once, or again when the first was destroyed.
RowStore::Chunk* RowStore::place_chunk(uint32_t chunk) {
    constexpr uint32_t kPerSlab = index::kLargePageBytes / sizeof(Chunk);
    static_assert(kPerSlab > 0);
    if (chunk < kChunksInSmallPages) {
        return new (std::nothrow) Chunk;
    }
    const uint32_t number = chunk - kChunksInSmallPages;
    if (number / kPerSlab == slabs_.size()) {
        index::LargeBlock slab(index::allocate_large(index::kLargePageBytes));
        if (slab == nullptr) {
            return nullptr;
        }
        slabs_.push_back(std::move(slab));
        add_relaxed(document_bytes_, index::kLargePageBytes);
    }
    return new (slabs_[number / kPerSlab].get() + number % kPerSlab * sizeof(Chunk)) Chunk;
}

void RowStore::destroy_chunk(uint32_t number, Chunk* chunk) {
    if (number < kChunksInSmallPages) {
        delete chunk;
    } else {
        chunk->~Chunk();
    }
}

Result<void> RowStore::make_chunk(uint32_t chunk, bool with_vectors) {
    Chunk* const made = place_chunk(chunk);
    if (made == nullptr) {
        return out_of_memory();
    }
    if (with_vectors) {
        const size_t bytes = index::kRowsPerChunk * row_bytes();
        made->has_large_pages = chunk >= kChunksInSmallPages && bytes >= index::kLargePageBytes;
        made->vectors = made->has_large_pages
                            ? index::allocate_large(bytes)
                            : static_cast<std::byte*>(::operator new(bytes, kVectorAlignment, std::nothrow));
        if (made->vectors == nullptr) {
            destroy_chunk(chunk, made);
            return out_of_memory();
        }
        add_relaxed(heap_vector_bytes_, bytes);
        set_chunk(chunk, made->vectors);
    }
    if (chunk < kChunksInSmallPages) {
        add_relaxed(document_bytes_, sizeof(Chunk));
    }
    chunks_[chunk].store(made, std::memory_order_release);
    return {};
}

Result<void> RowStore::reserve(uint64_t more) {
    if (size_ + more > index::kRowsMax) {
        return Error(Code::kRateLimited, "the collection holds as many rows as it can");
    }
    const auto wanted = static_cast<uint32_t>(size_ + more);
    while (reserved_ < wanted) {
        AKIDB_TRY(make_chunk(reserved_ >> index::kChunkShift, true));
        reserved_ += index::kRowsPerChunk;
    }
    reserve_members(more);
    return {};
}

void RowStore::set_chunk(uint32_t chunk, const std::byte* vectors) {
    for (const auto& column : columns_) {
        column->rows.set_chunk(chunk, vectors);
    }
}

void RowStore::reserve_members(uint64_t more) {
    for (const auto& column : columns_) {
        if (column->members != nullptr) {
            column->members->reserve(more);
        }
    }
}

void RowStore::add_to_members(uint32_t ordinal) {
    for (const auto& column : columns_) {
        if (column->members != nullptr && has(ordinal, *column)) {
            column->members->add(ordinal);
        }
    }
}

std::vector<float> RowStore::vectors(uint32_t ordinal) const {
    std::vector<float> all;
    for (const auto& column : columns_) {
        const std::vector<float> one = vector(ordinal, column->rows);
        all.insert(all.end(), one.begin(), one.end());
    }
    return all;
}

std::string_view RowStore::keep(Chunk& chunk, std::string_view bytes) {
    if (bytes.size() > chunk.block_left) {
        const size_t size = std::max(bytes.size(), kBlockBytes);
        chunk.blocks.push_back(std::make_unique_for_overwrite<char[]>(size));
        chunk.block_end = chunk.blocks.back().get() + size;
        chunk.block_left = size;
        add_relaxed(document_bytes_, size);
    }
    char* target = chunk.block_end - chunk.block_left;
    std::memcpy(target, bytes.data(), bytes.size());
    chunk.block_left -= bytes.size();
    return {target, bytes.size()};
}

void RowStore::set_metadata(uint32_t ordinal, std::string_view stored) {
    Chunk& chunk = chunk_of(ordinal);
    const model::StoredMetadata split = model::split_stored(stored);
    chunk.metadata[slot(ordinal)] = split.metadata;
    if (split.lacking != 0) {
        uint8_t* bits = chunk.lacking.load(std::memory_order_relaxed);
        if (bits == nullptr) {
            bits = new uint8_t[index::kRowsPerChunk]();
            chunk.lacking.store(bits, std::memory_order_release);
            add_relaxed(document_bytes_, index::kRowsPerChunk);
        }
        bits[slot(ordinal)] = split.lacking;
    }
    if (split.expires_at_ms == 0) {
        return;
    }
    uint64_t* moments = chunk.expires_at.load(std::memory_order_relaxed);
    if (moments == nullptr) {
        moments = new uint64_t[index::kRowsPerChunk]();
        chunk.expires_at.store(moments, std::memory_order_release);
        add_relaxed(document_bytes_, index::kRowsPerChunk * sizeof(uint64_t));
    }
    moments[slot(ordinal)] = split.expires_at_ms;
    expiries_.add(split.expires_at_ms, ordinal);
}

uint32_t RowStore::append(const NewRow& row) {
    AKIDB_ASSERT(size_ < reserved_);
    const uint32_t ordinal = size_;
    Chunk& chunk = chunk_of(ordinal);
    const uint32_t at = slot(ordinal);
    add_relaxed(vector_bytes_, row_bytes());
    chunk.version[at] = row.version;
    chunk.previous[at] = row.previous;
    chunk.id[at] = keep(chunk, row.id);
    set_metadata(ordinal, keep(chunk, row.metadata));
    index::encode_wide_row(vectors_, row.vector, lacking(ordinal),
                           {chunk.vectors + at * row_bytes(), row_bytes()});
    add_to_members(ordinal);
    chunk.dead_at[at].store(0, std::memory_order_relaxed);
    ++size_;
    return ordinal;
}

Result<void> RowStore::adopt(std::shared_ptr<const storage::RowsSegment> segment) {
    const uint64_t count = segment->row_count();
    if (size_ + count > index::kRowsMax) {
        return Error(Code::kDataLoss, "the segments hold more rows than a collection can");
    }
    const uint32_t first = size_;
    const auto end = static_cast<uint32_t>(first + count);
    const size_t row_bytes = this->row_bytes();
    reserve_members(count);
    for (uint32_t ordinal = first; ordinal < end; ++ordinal) {
        const uint32_t number = ordinal >> index::kChunkShift;
        const uint32_t at = slot(ordinal);
        const std::byte* mapped = segment->vectors() + (ordinal - first) * row_bytes;
        if (at == 0) {
            const bool is_whole = end - ordinal >= index::kRowsPerChunk;
            AKIDB_TRY(make_chunk(number, !is_whole));
            if (is_whole) {
                set_chunk(number, mapped);
            }
            reserved_ = (number + 1) * index::kRowsPerChunk;
        }
        Chunk& chunk = chunk_of(ordinal);
        if (chunk.vectors != nullptr) {
            std::memcpy(chunk.vectors + at * row_bytes, mapped, row_bytes);
            add_relaxed(vector_bytes_, row_bytes);
        }
        const uint64_t index = ordinal - first;
        chunk.version[at] = segment->version(index);
        chunk.previous[at] = kNoRow;
        chunk.id[at] = segment->id(index);
        set_metadata(ordinal, segment->metadata(index));
        add_to_members(ordinal);
        chunk.dead_at[at].store(0, std::memory_order_relaxed);
    }
    size_ = end;
    adopted_ = end;
    segments_.push_back(std::move(segment));
    return {};
}

}  // namespace akidb::engine
