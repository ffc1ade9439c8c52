// Opening one collection of a restored backup, to tell what is in it: for a restore for practice
// (backup/practice.h). Runs nothing in the background; writes into the directory, which is scratch.
// Thread-safe.
#pragma once

#include <string>

#include "backup/practice.h"
#include "io/clock.h"

namespace akidb::service {

Result<backup::OpenedCollection> open_for_practice(io::FileSystem& files, io::Clock& clock,
                                                   const std::string& directory,
                                                   const model::CollectionSpec& spec);

}  // namespace akidb::service
