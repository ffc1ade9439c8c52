// What reads of all kinds want of a snapshot beside its nearest rows: parts of a document, and the rows that
// match.
#include "engine/filter_matches.h"
#include "engine/query.h"

namespace akidb::engine {
namespace {

// A read looks at the clock once in so many rows: a few milliseconds of work.
constexpr uint32_t kDocumentsBetweenLooks = 16'384;

}  // namespace

model::Document document_at(const Snapshot& snapshot, uint32_t row, const model::Include& include) {
    const RowStore& rows = snapshot.generation->rows;
    model::Document document;
    auto id = model::DocumentId::decode(rows.id(row));
    AKIDB_ASSERT(id.has_value());
    document.id = std::move(id).value();
    document.version = rows.version(row);
    document.expires_at_ms = rows.expires_at_ms(row);
    for (const auto& column : rows.columns()) {
        if (!include.has_vector(column->spec.name) || !rows.has(row, *column)) {
            continue;
        }
        std::vector<float> values = RowStore::vector(row, column->rows);
        if (column->spec.name.empty()) {
            document.vector = std::move(values);
        } else {
            document.vectors.push_back({column->spec.name, std::move(values)});
        }
    }
    document.metadata = include.metadata ? std::string(rows.metadata(row)) : std::string();
    return document;
}

std::vector<uint32_t> matching_rows(const Snapshot& snapshot, const model::Filter* filter, Effort* effort) {
    std::vector<uint32_t> rows;
    if (filter == nullptr || filter->is_empty()) {
        for (uint32_t row = 0; row < snapshot.rows; ++row) {
            if (snapshot.sees(row)) {
                rows.push_back(row);
            }
            if (effort != nullptr && row % kDocumentsBetweenLooks == 0 && !effort->has_time()) {
                break;
            }
        }
        return rows;
    }
    FilterMatches matches(snapshot, *filter);
    matches.for_each_batch(snapshot.rows, FilterMatches::Order::kEvaluateFirst,
                           [&](std::span<const uint32_t> batch) {
                               rows.insert(rows.end(), batch.begin(), batch.end());
                               return effort == nullptr || effort->has_time();
                           });
    if (effort != nullptr) {
        effort->evaluated += matches.evaluated();
    }
    return rows;
}

}  // namespace akidb::engine
