#include "engine/rewrite.h"

#include <algorithm>

#include "storage/layout.h"

namespace akidb::engine {
namespace {

// So few can be caught up with while writers wait: a row is some microseconds.
constexpr uint32_t kLastRowsMax = 2'048;

}  // namespace

Rewrite::Rewrite(io::FileSystem& files, RewritePlan plan)
    : files_(files), plan_(std::move(plan)), followed_sequence_(plan_.source->sequence) {
    const Snapshot& source = *plan_.source;
    live_rows_.reserve(source.live);
    target_row_.reserve(source.rows);
    for (uint32_t row = 0; row < source.rows; ++row) {
        if (source.sees(row)) {
            target_row_.push_back(static_cast<uint32_t>(live_rows_.size()));
            live_rows_.push_back(row);
        } else {
            target_row_.push_back(kNoRow);
        }
    }
}

uint32_t Rewrite::to_link(const VectorIndex& index) const {
    const uint32_t rows = index.column.count_below(static_cast<uint32_t>(live_rows_.size()));
    return rows >= plan_.graph_rows_min ? rows : 0;
}

uint64_t Rewrite::total() const {
    // Which rows have which vectors is known when they are copied; until then all may have all.
    uint64_t total = live_rows_.size();
    for (const auto& index : plan_.target->indexes) {
        const bool will_link = live_rows_.size() >= plan_.graph_rows_min;
        total += copied_ == live_rows_.size() ? to_link(*index) : will_link ? live_rows_.size() : 0;
    }
    return total;
}

uint64_t Rewrite::done() const {
    uint64_t done = copied_;
    for (const auto& index : plan_.target->indexes) {
        done += index->graph.linked();
    }
    return std::min(total(), done);
}

std::vector<std::string> Rewrite::file_names() const {
    std::vector<std::string> names;
    names.reserve(written_.size());
    for (const storage::ManifestRows& entry : written_) {
        names.push_back(entry.file.name);
    }
    return names;
}

Result<bool> Rewrite::advance(const Snapshot& newest, FunctionRef<bool()> cancelled, Link link,
                              index::SearchScratch& scratch) {
    if (!is_checked_) {
        AKIDB_TRY(check_source(cancelled));
        is_checked_ = true;
        return false;
    }
    if (copied_ < live_rows_.size()) {
        AKIDB_TRY(write_file());
        return false;
    }
    Generation& target = *plan_.target;
    const auto first_rows = static_cast<uint32_t>(live_rows_.size());
    if (target.metadata.is_behind(first_rows)) {
        target.metadata.advance(first_rows, [&](uint32_t row) { return target.rows.metadata(row); });
        return false;
    }
    for (const auto& index : target.indexes) {
        if (advance_index(*index, cancelled, link, scratch)) {
            return false;
        }
    }
    return catch_up(newest, cancelled);
}

/// A slice of what is left to do for the graph; false when nothing is.
bool Rewrite::advance_index(VectorIndex& index, FunctionRef<bool()> cancelled, Link link,
                            index::SearchScratch& scratch) const {
    const uint32_t end = to_link(index);
    index::Graph& graph = index.graph;
    if (graph.linked() < end && graph.encoded() < end) {
        graph.encode(std::min(end, graph.encoded() + kEncodeSliceRows), cancelled);
    } else if (graph.linked() < end) {
        link(graph, std::min(end, graph.linked() + plan_.link_slice_rows));
    } else if (index.walks.is_due(graph.linked())) {
        index.walks.measure(index.column.counted(), graph, scratch);
    } else {
        return false;
    }
    return true;
}

/// Copying and encoding a row takes microseconds, so this ends however fast documents come; linking them
/// would not.
Result<bool> Rewrite::catch_up(const Snapshot& newest, FunctionRef<bool()> cancelled) {
    const uint64_t missing = newest.rows - target_row_.size();
    AKIDB_TRY(follow(newest));
    for (const auto& index : plan_.target->indexes) {
        index::Graph& graph = index->graph;
        const uint32_t rows = index->column.count_below(plan_.target->rows.size());
        if (to_link(*index) > 0 && graph.encoded() + kLastRowsMax < rows) {
            graph.encode(std::min(rows, graph.encoded() + kEncodeSliceRows), cancelled);
            return false;
        }
    }
    return missing <= kLastRowsMax;
}

Result<void> Rewrite::check_source(FunctionRef<bool()> cancelled) {
    for (const auto& segment : plan_.source->generation->rows.segments()) {
        Result<void> checked = segment->verify_vectors(cancelled);
        if (!checked.has_value()) {
            return checked;
        }
    }
    return {};
}

Result<void> Rewrite::write_file() {
    const RowStore& from = plan_.source->generation->rows;
    RowStore& to = plan_.target->rows;
    const uint64_t rows_max =
        std::max<uint64_t>(1, plan_.segment_bytes_max / from.row_bytes() / index::kRowsPerChunk) *
        index::kRowsPerChunk;
    const uint64_t first = copied_;
    const uint64_t count = std::min<uint64_t>(rows_max, live_rows_.size() - first);
    const std::string name = storage::rows_name(first, count, plan_.version);
    AKIDB_TRY(
        storage::ManifestFile file,
        storage::write_rows_segment(
            files_, plan_.segment_directory, name,
            {.collection = plan_.collection, .first_row = first, .row_count = count, .form = from.form()},
            [&](uint64_t index) {
                const uint32_t row = live_rows_[first + index];
                return storage::RowRecord{from.row_as_kept(row), from.version(row), from.id(row),
                                          from.stored_metadata(row)};
            }));
    written_.push_back({std::move(file), first, count});
    AKIDB_TRY(auto segment, storage::RowsSegment::open(files_, plan_.segment_directory, written_.back(),
                                                       plan_.collection, from.form()));
    // What the disk gives back is not always what it was given, and from here on it is all there is.
    AKIDB_TRY(segment->verify_vectors([] { return false; }));
    AKIDB_TRY(to.adopt(std::move(segment)));
    plan_.target->ids.reserve(live_rows_.size());
    for (uint64_t row = first; row < first + count; ++row) {
        plan_.target->ids.insert(static_cast<uint32_t>(row));
    }
    copied_ += count;
    live_ += count;
    return {};
}

Result<void> Rewrite::follow(const Snapshot& newest) {
    AKIDB_ASSERT(newest.generation == plan_.source->generation && copied_ == live_rows_.size());
    const RowStore& from = newest.generation->rows;
    RowStore& to = plan_.target->rows;
    if (newest.sequence == followed_sequence_) {
        return {};
    }
    for (uint32_t row = 0; row < target_row_.size(); ++row) {
        const uint32_t copy = target_row_[row];
        if (copy == kNoRow) {
            continue;
        }
        const uint64_t dead_at = from.dead_at(row);
        if (dead_at != 0 && dead_at <= newest.sequence) {
            to.mark_dead(copy, dead_at);
            target_row_[row] = kNoRow;
            --live_;
        }
    }
    AKIDB_TRY(to.reserve(newest.rows - target_row_.size()));
    for (auto row = static_cast<uint32_t>(target_row_.size()); row < newest.rows; ++row) {
        if (!newest.sees(row)) {
            target_row_.push_back(kNoRow);
            continue;
        }
        const std::vector<float> vectors = from.vectors(row);
        const uint32_t copy =
            to.append({vectors, from.version(row), from.id(row), from.stored_metadata(row)});
        plan_.target->ids.insert(copy);
        target_row_.push_back(copy);
        ++live_;
    }
    followed_sequence_ = newest.sequence;
    return {};
}

}  // namespace akidb::engine
