// Upsert requests made beforehand, so that a client costs as little as possible while it measures. Ids are
// row numbers. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/vector_file.h"
#include "support/http_client.h"

namespace akidb::bench {

struct RowRange {
    size_t begin = 0;
    size_t end = 0;
    size_t size() const { return end - begin; }
};

/// A whole PUT of these rows, with a small metadata object each: {"row":N}.
std::string upsert_request(const support::Endpoint& endpoint, const std::string& collection,
                           const VectorFile& vectors, std::span<const uint32_t> rows);
/// The range cut into batches.
std::vector<std::string> upsert_requests(const support::Endpoint& endpoint, const std::string& collection,
                                         const VectorFile& vectors, RowRange rows, size_t batch);
/// What a client gives the server to keep: id (8 bytes), vector, metadata text.
double user_bytes(size_t documents, size_t dimension);

}  // namespace akidb::bench
