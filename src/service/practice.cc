#include "service/practice.h"

#include "engine/collection.h"

namespace akidb::service {
namespace {

/// The collection is looked at and thrown away: nothing is linked, encoded or checkpointed.
class NoJobs final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

}  // namespace

Result<backup::OpenedCollection> open_for_practice(io::FileSystem& files, io::Clock& clock,
                                                   const std::string& directory,
                                                   const model::CollectionSpec& spec) {
    NoJobs jobs;
    NullLogger logger;
    telemetry::Metrics metrics;
    AKIDB_TRY(const auto collection,
              engine::Collection::open({files, clock, jobs, logger, metrics}, directory, spec, {}));
    const Result<engine::PinnedFiles> found = collection->pin_files();
    AKIDB_TRY(collection->close(false));
    AKIDB_TRY(Result<void>(found ? Result<void>() : Result<void>(found.error())));
    return backup::OpenedCollection{found->sequence, found->documents, found->documents_hash};
}

}  // namespace akidb::service
