// FilterAdviser: which metadata fields searches filtered on without an index that would have answered, and
// what that cost, for GET …/stats to name. Of conditions that no index answers (texts, places, counts, what
// is null or empty) it says nothing: an index would not help. Thread-safe; a leaf among locks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "model/filter.h"
#include "model/metadata_field.h"

namespace akidb::engine {

/// Counted since the collection was opened.
struct UnindexedField {
    model::MetadataField wanted;  // the index that would have answered
    uint64_t reads = 0;           // searches, counts, facets and pages that filtered on it
    uint64_t evaluated = 0;       // documents whose metadata they read, one by one
    double seconds = 0;           // what these reads took in all
};

class FilterAdviser {
  public:
    /// A read under this filter, which evaluated so many documents, with what is indexed now.
    void note(const model::Filter& filter, const std::vector<model::MetadataField>& indexed,
              uint64_t evaluated, double seconds) AKIDB_EXCLUDES(mutex_);
    /// The dearest first, without those that have their index now.
    std::vector<UnindexedField> list(const std::vector<model::MetadataField>& indexed) const
        AKIDB_EXCLUDES(mutex_);

  private:
    mutable Mutex mutex_;
    std::vector<UnindexedField> fields_ AKIDB_GUARDED_BY(mutex_);  // model::kAdvisedFieldsMax
};

}  // namespace akidb::engine
