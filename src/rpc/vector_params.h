// What vectors are to be, or are: the messages about the vectors of a collection that have names. Pure,
// thread-safe.
#pragma once

#include <akidb/v1/collections.pb.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/printable.h"
#include "base/result.h"
#include "model/collection_spec.h"
#include "service/service.h"

namespace akidb::rpc {

/// The values of the contract follow those of the model by one; none stands for the first.
template <class To, size_t kCount>
Result<To> read_choice(std::string field, int from, const std::array<std::string_view, kCount>& names) {
    if (from < 0 || static_cast<size_t>(from) > kCount) {
        return invalid_argument(field, "unknown " + field + " " + std::to_string(from), join_names(names));
    }
    return static_cast<To>(std::max(from, 1) - 1);
}

/// Dimension, metric and storage of the vector without a name, and what the others are. kInvalidArgument with
/// the path "vectors.NAME…".
Result<void> read_vectors(const v1::CreateCollectionRequest& from, service::CreateCollection& to);
void write_vectors(const service::CollectionDescription& from, v1::Collection& to);

}  // namespace akidb::rpc
