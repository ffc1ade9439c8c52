// probe_store: whether an object store does what ObjectStore promises, found by using it: the start-up probe,
// the verb `akidb s3 check`, and the suite that every implementation passes in the tests. Writes under
// "akidb-check/<random>/" and removes what it wrote. Takes about 150 requests and 50 MiB; calls `told` after
// each promise, from the caller's thread.
#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "io/random.h"
#include "objects/object_store.h"

namespace akidb::objects {

struct Finding {
    std::string_view promise;  // a sentence
    std::string fault;         // empty: kept
};

/// True when all were kept. A promise that cannot be tried because the store fails counts as not kept.
bool probe_store(ObjectStore& store, io::Random& random, FunctionRef<void(const Finding&)> told);

}  // namespace akidb::objects
