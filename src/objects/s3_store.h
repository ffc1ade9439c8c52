// S3Store: objects in a bucket of any server that speaks S3, over HTTP/1.1 by io::HttpClient, signed with
// Signature Version 4. What it takes care of, because servers differ or have been wrong:
//   - every body goes out with its SHA-256 under the signature, which the server checks; the hash stays
//     with the object as x-amz-meta-akidb-sha256, and whole reads are held against it
//   - after a put the server is asked what it has; a put is done only when size and hash are right
//   - create-only goes by If-None-Match: * and single puts, the one form that all decide alike
//   - an answer 200 whose body tells an error (CompleteMultipartUpload) is an error
//   - a status of 500 and above, a time-out or a broken connection mean: outcome unknown (kUnavailable)
//   - redirects are not followed; link-local and metadata addresses are refused, by name and when connecting
// A file larger than kSinglePutBytesMax goes up in parts of 16 MiB, several at once where there are threads
// for it (part_sender.h); up to five are in memory. Each request over the wire waits for its turn (pace.h).
// Tries nothing twice: that is retrying_store.h.
// Thread-safe: one HTTP client for each call at a time, kept for the next.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/clock.h"
#include "io/executor.h"
#include "io/http_client.h"
#include "objects/credentials.h"
#include "objects/object_store.h"
#include "objects/pace.h"

namespace akidb::objects {

enum class Addressing : uint8_t { kPath, kHost };

struct S3Options {
    std::string endpoint;  // http[s]://host[:port]; empty: https://s3.<region>.amazonaws.com
    std::string region = "us-east-1";
    std::string bucket;
    std::string prefix{};  // before every key, without a '/' at its end; may be empty
    Addressing addressing = Addressing::kPath;
    uint32_t timeout_ms = 60'000;  // of one request
    /// Send parts of large files, four at once; null: one after the other. Must outlive the store.
    io::Executor* part_senders = nullptr;
    /// Of all stores together, and what this one is for; null: none. Must outlive the store.
    Pace* pace = nullptr;
    Urgency urgency = Urgency::kBackground;
};

using MakeHttpClient = std::function<std::unique_ptr<io::HttpClient>()>;

/// kInvalidArgument names the option that is wrong ("endpoint", "region", "bucket", "prefix"). Asks the
/// server nothing yet. `clock` must outlive it.
Result<std::unique_ptr<ObjectStore>> make_s3_store(S3Options options, CredentialSource credentials,
                                                   const io::Clock& clock, MakeHttpClient make_client);

/// "s3://BUCKET/PREFIX" into bucket and prefix of `options`.
Result<void> parse_s3_url(std::string_view url, S3Options& options);

}  // namespace akidb::objects
