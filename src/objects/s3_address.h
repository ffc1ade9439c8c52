// S3Address: where a bucket is: endpoint, host and paths, checked once. Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/s3_store.h"

namespace akidb::objects {

class S3Address {
  public:
    static Result<S3Address> parse(const S3Options& options);
    /// As libcurl will say it.
    const std::string& host() const { return host_; }
    /// Encoded; of the bucket itself when `key` is empty.
    std::string path(std::string_view key) const;
    std::string url(std::string_view path, std::string_view query) const;

  private:
    std::string scheme_;
    std::string host_;    // with its port, unless that is the scheme's own
    std::string bucket_;  // in paths; empty when the host names it
};

}  // namespace akidb::objects
