#include "sim/machine.h"

#include "io/random.h"
#include "sim/oracle.h"

namespace akidb::sim {

engine::CollectionOptions collection_options(Sizes sizes) {
    engine::CollectionOptions options;
    options.graph_rows_min = 60;
    options.graph.degree = 16;
    options.graph.build_ef = 32;
    options.graph.lent_bytes_min = 0;
    options.default_ef = 64;
    options.checkpoint_log_bytes = 4 << 10;
    options.checkpoint_linked_rows = 40;
    options.maintenance_slice_rows = 16;
    options.rewrite_dead_rows_min = 24;
    options.rewrite_file_bytes = 1;
    options.log.file_bytes = 8 << 10;
    options.log.preallocate_bytes_min = 2 << 10;
    options.log.preallocate_bytes_max = 4 << 10;
    if (sizes == Sizes::kTiny) {
        options.graph_rows_min = 4;
        options.graph.build_ef = 16;
        options.checkpoint_linked_rows = 1;
        options.log.file_bytes = 2 << 10;
        options.log.preallocate_bytes_min = 512;
        options.log.preallocate_bytes_max = 1 << 10;
    }
    return options;
}

std::vector<model::MetadataField> stamp_index() {
    return {{"stamp", model::MetadataIndexType::kInteger}};
}

model::CollectionSpec Catalog::spec() const {
    model::CollectionSpec spec;
    spec.id = make_uuid_v7(incarnation, seed, seed);
    spec.name = "simulated";
    spec.dimension = kDimension;
    spec.metric = model::Metric::kL2;
    spec.storage = static_cast<model::VectorStorage>(seed % model::kVectorStorageNames.size());
    spec.metadata_indexes = metadata_indexes;
    if (seed % 2 == 1) {
        spec.vectors = {side_spec()};
    }
    return spec;
}

Result<void> remove_what_the_catalog_lacks(io::FileSystem& files, const Catalog& catalog) {
    AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, files.list(std::string(kRoot)));
    for (const io::DirectoryEntry& entry : entries) {
        if (!catalog.has_collection || entry.name != catalog.name()) {
            AKIDB_TRY(io::remove_tree(files, std::string(kRoot), entry.name));
        }
    }
    return {};
}

}  // namespace akidb::sim
