// CollectionGauges: the metrics that describe collections, set before each scrape. Series of the first 200
// names; those of a collection that went are taken back. Thread-safe.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "service/entry_map.h"
#include "telemetry/metrics.h"

namespace akidb::service {

class CollectionGauges {
  public:
    /// What the collections take of the memory, all together.
    engine::MemoryUse set(const EntryMap& map, size_t quarantined, telemetry::Metrics& metrics)
        AKIDB_EXCLUDES(mutex_);

  private:
    using RecallLabels = std::pair<std::string, std::string_view>;  // name, filter

    Mutex mutex_;
    std::set<std::string> gauged_ AKIDB_GUARDED_BY(mutex_);  // names that have series
    std::set<RecallLabels> probed_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
