// Stands in for hnswlib_engine.cc where libhnswlib-dev is not installed.
#include <stdexcept>

#include "bench/index_engine.h"

namespace akidb::bench {

std::unique_ptr<IndexEngine> make_hnswlib_engine(OrderedBase /*base*/, const EngineOptions& /*options*/) {
    throw std::runtime_error(
        "built without hnswlib: install libhnswlib-dev, or let ./dev bench index_bench do it");
}

}  // namespace akidb::bench
