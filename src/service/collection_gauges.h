// CollectionGauges: the metrics that describe collections, set before each scrape. Series of the first 200
// names; those of a collection that went are taken back. Thread-safe.
#pragma once

#include <set>
#include <string>

#include "base/mutex.h"
#include "service/entry_map.h"
#include "telemetry/metrics.h"

namespace akidb::service {

class CollectionGauges {
  public:
    void set(const EntryMap& map, size_t quarantined, telemetry::Metrics& metrics) AKIDB_EXCLUDES(mutex_);

  private:
    Mutex mutex_;
    std::set<std::string> gauged_ AKIDB_GUARDED_BY(mutex_);  // names that have series
};

}  // namespace akidb::service
