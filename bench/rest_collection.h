// RestCollection: the few requests that the bench programs send to one collection, over one kept connection.
// Document ids are row numbers of the .fbin file that was imported. Throws std::runtime_error with the
// server's answer when it is not 200. Not thread-safe: one for each thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/http_client.h"

namespace akidb::bench {

struct SearchOptions {
    size_t k = 10;
    bool exact = false;
    uint32_t ef = 0;  // 0 = the server's default
};

struct CollectionFacts {
    std::string metric;
    uint64_t count = 0;
    uint64_t linked_rows = 0;
    uint64_t head_rows = 0;
};

struct Found {
    uint64_t id = 0;
    double score = 0;
    std::string metadata;  // JSON, when asked for
};

std::string search_body(std::span<const float> vector, const SearchOptions& options,
                        bool with_metadata = false);

class RestCollection {
  public:
    RestCollection(const std::string& url, const std::string& name);
    const std::string& search_path() const { return search_path_; }

    CollectionFacts facts();
    std::vector<Found> search(const std::string& body);
    std::vector<float> vector_of(uint64_t id);

  private:
    std::string get(const std::string& path);

    support::HttpConnection connection_;
    std::string path_;
    std::string search_path_;
};

}  // namespace akidb::bench
