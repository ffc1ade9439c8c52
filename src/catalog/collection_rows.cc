#include "catalog/collection_rows.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "model/limits.h"

namespace akidb::catalog {

Error damaged_row(std::string_view what) {
    return Error(Code::kDataLoss, "a row of the catalog has a bad " + std::string(what));
}

Result<CollectionRow> read_row(const Statement& row) {
    CollectionRow read;
    const std::span<const uint8_t> id = row.blob(0);
    if (id.size() != read.spec.id.bytes.size()) {
        return damaged_row("id");
    }
    std::copy(id.begin(), id.end(), read.spec.id.bytes.begin());
    read.spec.name = row.text(1);
    const int64_t dimension = row.integer(2);
    if (dimension < 1 || dimension > std::numeric_limits<uint32_t>::max()) {
        return damaged_row("dimension");
    }
    read.spec.dimension = row.integer(8) == 0 ? 0 : static_cast<uint32_t>(dimension);
    const auto metric = model::metric_from(row.text(3));
    const auto storage = model::vector_storage_from(row.text(7));
    if (!metric || !storage) {
        return damaged_row(metric ? "storage" : "metric");
    }
    read.spec.metric = *metric;
    read.spec.storage = *storage;
    read.spec.created_at_ms = static_cast<uint64_t>(row.integer(4));
    const std::span<const uint8_t> tenant = row.blob(6);
    if (tenant.size() != read.tenant.bytes.size()) {
        return damaged_row("tenant");
    }
    std::copy(tenant.begin(), tenant.end(), read.tenant.bytes.begin());
    const int64_t state = row.integer(5);
    if (state < 0 || state > static_cast<int64_t>(CollectionState::kDeleting)) {
        return damaged_row("state");
    }
    read.state = static_cast<CollectionState>(state);
    return read;
}

Result<void> put_vectors(Connection& connection, const model::CollectionSpec& spec) {
    int64_t place = 0;
    for (const model::VectorSpec& vector : spec.vectors) {
        AKIDB_TRY(Statement insert,
                  connection.prepare("INSERT INTO collection_vectors (collection_id, place, name, dimension, "
                                     "metric, storage) VALUES (?, ?, ?, ?, ?, ?)"));
        AKIDB_TRY(insert.bind(spec.id.bytes)
                      .bind(place++)
                      .bind(vector.name)
                      .bind(static_cast<int64_t>(vector.dimension))
                      .bind(model::name_of(vector.metric))
                      .bind(model::name_of(vector.storage))
                      .run());
    }
    return {};
}

Result<std::vector<model::VectorSpec>> read_vectors(Connection& connection, const Uuid& collection) {
    AKIDB_TRY(Statement rows,
              connection.prepare("SELECT name, dimension, metric, storage FROM "
                                 "collection_vectors WHERE collection_id = ? ORDER BY place"));
    rows.bind(collection.bytes);
    std::vector<model::VectorSpec> found;
    while (true) {
        AKIDB_TRY(const bool has_row, rows.step());
        if (!has_row) {
            return found;
        }
        const int64_t dimension = rows.integer(1);
        const auto metric = model::metric_from(rows.text(2));
        const auto storage = model::vector_storage_from(rows.text(3));
        if (!metric || !storage || dimension < 1 || dimension > model::kDimensionMax ||
            found.size() == model::kNamedVectorsMax) {
            return damaged_row("vector");
        }
        found.push_back({std::string(rows.text(0)), static_cast<uint32_t>(dimension), *metric, *storage});
    }
}

}  // namespace akidb::catalog
