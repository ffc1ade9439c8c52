#include "rpc/vector_params.h"

#include "model/limits.h"
#include "rpc/message.h"

namespace akidb::rpc {
namespace {

Result<void> read_vector(const v1::VectorParams& from, model::VectorSpec& to) {
    AKIDB_TRY(check_known(from));
    to.name = from.name();
    to.dimension = from.dimension();
    AKIDB_TRY(to.metric, read_choice<model::Metric>("metric", from.metric(), model::kMetricNames));
    AKIDB_TRY(to.storage,
              read_choice<model::VectorStorage>("storage", from.storage(), model::kVectorStorageNames));
    return {};
}

}  // namespace

Result<void> read_vectors(const v1::CreateCollectionRequest& from, service::CreateCollection& to) {
    to.dimension = from.dimension();
    AKIDB_TRY(to.metric, read_choice<model::Metric>("metric", from.metric(), model::kMetricNames));
    AKIDB_TRY(to.storage,
              read_choice<model::VectorStorage>("storage", from.storage(), model::kVectorStorageNames));
    if (from.dimension() == 0 && (from.metric() != 0 || from.storage() != 0 || from.vectors().empty())) {
        return invalid_argument("dimension", "the field \"dimension\" is missing",
                                std::to_string(model::kDimensionMin) + ".." +
                                    std::to_string(model::kDimensionMax) + "; or vectors with names");
    }
    for (const v1::VectorParams& params : from.vectors()) {
        if (Result<void> read = read_vector(params, to.vectors.emplace_back()); !read) {
            return std::move(read).error().with_field_prefix("vectors." + printable(params.name()));
        }
    }
    return {};
}

void write_vectors(const service::CollectionDescription& from, v1::Collection& to) {
    for (size_t i = 0; i < from.spec.vectors.size(); ++i) {
        const model::VectorSpec& vector = from.spec.vectors[i];
        v1::VectorParams& params = *to.add_vectors();
        params.set_name(vector.name);
        params.set_dimension(vector.dimension);
        params.set_metric(static_cast<v1::Metric>(static_cast<int>(vector.metric) + 1));
        params.set_storage(static_cast<v1::VectorStorage>(static_cast<int>(vector.storage) + 1));
        if (i < from.stats.vectors.size()) {
            params.set_rows(from.stats.vectors[i].rows);
            params.set_linked_rows(from.stats.vectors[i].linked_rows);
        }
    }
}

}  // namespace akidb::rpc
