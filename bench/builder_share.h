// What linking new rows keeps of the processor while searches take all they can get: searches by a closed
// loop on one collection, a backlog of unlinked rows in another, and the processor time of the server's
// background threads. Throws as BenchServer does.
#pragma once

#include <cstddef>

#include "bench/bars.h"
#include "bench/bench_server.h"
#include "bench/vector_file.h"

namespace akidb::bench {

/// `searched` is a collection that is linked; `backlog` of the first rows of `vectors` are written into a new
/// one, which is deleted again. Prints both rates alone and together, and the share of one core.
void measure_builder_share(BenchServer& server, const std::string& searched, const VectorFile& vectors,
                           const VectorFile& queries, size_t backlog, double seconds, Bars& bars);

}  // namespace akidb::bench
