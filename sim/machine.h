// Machine: what a collection needs besides its files, made anew for every opening; and Catalog, what the
// simulated server knows of its one collection outside of the collection's own files: in the product a row of
// SQLite, here a plain value that changes in one step. Single-threaded.
#pragma once

#include <memory>
#include <string>

#include "engine/collection.h"
#include "sim/sim_clock.h"
#include "sim/sim_executor.h"
#include "sim/sim_file_system.h"

namespace akidb::sim {

inline constexpr std::string_view kRoot = "/data";

/// Small files and graphs, so that rolls, links and checkpoints come after a few writes.
enum class Sizes : uint8_t {
    kSmall,
    kTiny,  // a graph from 4 rows on, a checkpoint with each link: for histories of three operations
};
engine::CollectionOptions collection_options(Sizes sizes);

/// A collection made again after it was dropped has another id and directory (rule R10).
struct Catalog {
    uint64_t seed = 1;
    uint64_t incarnation = 1;
    bool has_collection = true;
    uint64_t now_ms = kSimStartMs;  // the wall clock, which goes on while no server runs
    std::vector<model::MetadataField> metadata_indexes;

    std::string directory() const { return std::string(kRoot) + "/" + name(); }
    std::string name() const { return "c" + std::to_string(incarnation); }
    model::CollectionSpec spec() const;
};
/// The index over what deletes by filter select (oracle.h).
std::vector<model::MetadataField> stamp_index();

/// As a start of the server does: finishes what a drop left half-done.
Result<void> remove_what_the_catalog_lacks(io::FileSystem& files, const Catalog& catalog);

struct Machine {
    explicit Machine(uint64_t seed) : executor(seed) {}
    SimClock clock;
    SimExecutor executor;
    NullLogger logger;

    Result<std::shared_ptr<engine::Collection>> open(io::FileSystem& files, telemetry::Metrics& metrics,
                                                     const Catalog& catalog, Sizes sizes) {
        AKIDB_TRY(remove_what_the_catalog_lacks(files, catalog));
        clock.set_unix_ms(catalog.now_ms);
        return engine::Collection::open({files, clock, executor, logger, metrics}, catalog.directory(),
                                        catalog.spec(), collection_options(sizes));
    }
};

}  // namespace akidb::sim
