// Practice: a backup restored to see whether it can be: into a scratch directory, every collection opened,
// and its documents compared with those that were backed up. The directory is gone at return. Whoever can
// open collections hands that in. Not thread-safe.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "backup/repository.h"
#include "base/function_ref.h"
#include "io/file_system.h"
#include "model/collection_spec.h"

namespace akidb::backup {

/// What opening a restored collection found.
struct OpenedCollection {
    uint64_t sequence = 0;
    uint64_t documents = 0;
    uint64_t documents_hash = 0;
};
using OpenCollection =
    FunctionRef<Result<OpenedCollection>(const std::string& directory, const model::CollectionSpec& spec)>;

struct PracticeReport {
    uint64_t collections = 0;
    uint64_t documents = 0;
    uint64_t bytes = 0;                 // written
    std::vector<LeftOut> left_out{};    // that cannot be restored, for their tenant's key is gone: no faults
    std::vector<std::string> faults{};  // sentences; none: the backup is whole
};

/// `scratch` must be there. An error means that it could not be found out: no space, no answer, stopped.
Result<PracticeReport> practise(io::FileSystem& files, Repository& repository, const BackupManifest& manifest,
                                const std::string& scratch, OpenCollection open,
                                const std::stop_token& stop = {});

/// As text for a person, a line each.
std::string describe(const PracticeReport& report, const BackupManifest& manifest, uint64_t duration_ms);

}  // namespace akidb::backup
