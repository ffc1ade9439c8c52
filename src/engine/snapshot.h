// Generation and Snapshot: what a search holds while it runs. A generation is a set of rows with a graph for
// each of their vectors, id map and metadata indexes over them; a snapshot says how far into it this reader
// sees. Published snapshots are immutable; the generation behind them grows only beyond every snapshot's
// count.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/published.h"
#include "engine/id_map.h"
#include "engine/id_order.h"
#include "engine/memory_use.h"
#include "engine/recall_window.h"
#include "engine/row_store.h"
#include "engine/walk_measure.h"
#include "index/calibration.h"
#include "index/graph.h"
#include "index/metadata_index.h"

namespace akidb::engine {

/// What searches by one of the vectors go by. Its graph counts the rows that have it.
struct VectorIndex {
    VectorIndex(const VectorColumn& of_column, index::GraphOptions options)
        : column(of_column), graph(column.counted(), options) {}

    const VectorColumn& column;
    index::Graph graph;
    WalkMeasure walks;
    Published<index::RecallCurve> recall;       // null until it was measured
    std::atomic<uint32_t> graph_rows_saved{0};  // in the file that the manifest names
};

struct Generation {
    Generation(const std::vector<model::VectorSpec>& vectors, index::GraphOptions options, uint64_t hash_key,
               const simd::Kernels* kernels = nullptr)
        : layout(options.layout), rows(vectors, kernels), ids(rows, hash_key), order(rows) {
        for (const auto& column : rows.columns()) {
            indexes.push_back(std::make_unique<VectorIndex>(*column, options));
        }
    }

    const index::Layout layout;  // asked for; the graphs may have chosen
    RowStore rows;
    std::vector<std::unique_ptr<VectorIndex>> indexes;  // of the columns of `rows`; never changes
    IdMap ids;
    IdOrder order;
    index::MetadataIndex metadata;
    mutable RecallWindow probed;  // what live searches found

    VectorIndex& first() const { return *indexes.front(); }
    /// Any thread.
    MemoryUse memory_use() const {
        MemoryUse use{.vectors = rows.vector_bytes(), .documents = rows.document_bytes(), .ids = ids.bytes()};
        for (const auto& index : indexes) {
            use.graph += index->graph.memory_bytes();
            use.documents += index->column.members == nullptr ? 0 : index->column.members->bytes();
        }
        const auto view = metadata.view();
        for (const auto& field : view->fields) {
            use.metadata_indexes += field->bytes;
        }
        use.heap = rows.heap_vector_bytes() + use.documents + use.ids + use.metadata_indexes;
        return use;
    }
};

struct Snapshot {
    std::shared_ptr<const Generation> generation;
    uint64_t sequence = 0;  // effects of later writes are invisible
    uint32_t rows = 0;      // rows from here on are invisible
    uint64_t live = 0;      // documents, those that expired and were not swept yet among them
    /// Of a reader's own copy: what expired by then is invisible. 0 while nothing has expired, and for those
    /// to whom it makes no difference (checkpoint, rewrite, audit): only the sweep's delete ends a row.
    uint64_t now_ms = 0;

    bool sees(uint32_t row) const {
        return row < rows && generation->rows.is_alive(row, sequence) &&
               (now_ms == 0 || !generation->rows.has_expired(row, now_ms));
    }
    /// Of its rows, those that have the vector.
    uint32_t count_of(const VectorIndex& index) const { return index.column.count_below(rows); }
    uint32_t linked_of(const VectorIndex& index) const {
        return std::min(index.graph.linked(), count_of(index));
    }
    /// Those that it sees.
    uint64_t documents() const {
        uint64_t expired = 0;
        if (now_ms != 0) {
            generation->rows.expiries().each_due(now_ms, [&](uint32_t row) {
                expired += row < rows && generation->rows.is_alive(row, sequence) ? 1 : 0;
                return true;
            });
        }
        return live - expired;
    }
    /// The version of the document that this snapshot sees, or kNoRow.
    uint32_t find(std::string_view id) const {
        uint32_t row = generation->ids.find(id);
        while (row != kNoRow && row >= rows) {
            row = generation->rows.previous(row);  // written after this snapshot
        }
        return row != kNoRow && sees(row) ? row : kNoRow;
    }
};

}  // namespace akidb::engine
