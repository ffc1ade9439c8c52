// RestClient: one server's /api/v1 for the verbs of the command line. An answer that is no success becomes an
// Error with the server's own words, field and allowed values. Thread-compatible: one client per thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/exit_code.h"
#include "base/result.h"
#include "io/http_client.h"

namespace akidb::cli {

class RestClient {
  public:
    /// `token`: an API key or session token; empty sends none.
    explicit RestClient(std::string url, std::string token = {},
                        std::unique_ptr<io::HttpClient> http = io::make_curl_http_client());

    /// `path` begins behind /api/v1; returns the body of a 2xx answer.
    /// `key`: an Idempotency-Key, unless empty.
    Result<std::string> send(std::string_view method, std::string_view path, std::string_view body = {},
                             const std::string& key = {});

  private:
    std::string url_;
    std::string token_;
    std::unique_ptr<io::HttpClient> http_;
};

/// Percent-encodes one segment of a path (RFC 3986, unreserved letters stay).
std::string path_segment(std::string_view text);

/// The Error that an answer of this status and body stands for.
Error error_of(const io::HttpReply& reply);
/// How a verb ends that met this error.
ExitCode exit_code_of(const Error& error);
/// Whether the same request may succeed later: overload, starting, draining, broken connection.
bool is_worth_retrying(const Error& error);
/// "message (field …; allowed: …)"
std::string describe(const Error& error);

}  // namespace akidb::cli
