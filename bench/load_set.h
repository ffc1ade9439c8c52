// LoadSet: a file of vectors as the load suite uses it: most rows are loaded, some are kept back for the
// inserts of the runs; and the exact nearest of the loaded rows, which all runs are judged by. Throws
// std::runtime_error. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/recall.h"
#include "bench/vector_file.h"
#include "support/http_client.h"

namespace akidb::bench {

class LoadSet {
  public:
    /// `directory` holds base.fbin and query.fbin.
    LoadSet(const std::string& directory, Metric metric);

    const std::string& name() const { return name_; }
    const VectorFile& vectors() const { return *vectors_; }
    const VectorFile& queries() const { return *queries_; }
    /// Rows that a collection of at most `rows` documents gets.
    size_t loaded(size_t rows) const;
    /// Of the answers to searches for `queries[i]`, over the first `loaded` rows; bodies may be empty, and
    /// are passed over then. Rows that were inserted since count as right when they are as near.
    struct Judged {
        double recall = 0;
        size_t searches = 0;
    };
    Judged judge(size_t loaded, const std::vector<std::string>& bodies, const std::vector<size_t>& queries);
    double intrinsic_dimension(size_t loaded);

  private:
    const Truth& truth_over(size_t loaded);

    std::string name_;
    Metric metric_;
    std::unique_ptr<VectorFile> vectors_;
    std::unique_ptr<VectorFile> queries_;
    std::vector<std::pair<size_t, std::unique_ptr<Truth>>> truths_;
};

/// Creates the collection, upserts the first `rows` and waits until all are linked; again what is refused for
/// want of room. Returns how long it took, in seconds.
double load_collection(const support::Endpoint& endpoint, const std::string& collection, const LoadSet& set,
                       size_t rows, const std::string& metric);

}  // namespace akidb::bench
