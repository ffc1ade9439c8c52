// ObjectStore: the one door to objects: named runs of bytes that are put whole, read whole or by range,
// listed by prefix and removed; never changed in place. Implementations: memory, a directory, S3; decorators
// add retry and a breaker. All pass conformance.h, which `akidb s3 check` runs against a bucket too.
//
// A put that returns success is durable and whole: its bytes were checked by SHA-256 on the way, and the
// store was asked afterwards what it has. A put that returns kUnavailable or kDeadlineExceeded may have
// happened: put the same bytes again, never others. Create-only puts decide races: one writer wins, others
// get kAlreadyExists; only who puts the very bytes that are there may be told success too. Reads see what was
// put before. Keys are `[A-Za-z0-9._-]` in segments between '/', so that they mean the same in a path, a URL
// and a signature; check_key says what is wrong with others. Errors: kNotFound, kAlreadyExists,
// kPermissionDenied, kRateLimited, kDiskFull, kDataLoss (bytes that do not fit their checksum or length),
// kUnavailable, kDeadlineExceeded, kInvalidArgument. Thread-safe; calls block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace akidb::objects {

inline constexpr size_t kObjectKeyBytesMax = 512;
/// S3 takes up to 5 GiB in one put, but only what fits memory is worth sending again as a whole.
inline constexpr uint64_t kSinglePutBytesMax = 16 << 20;
inline constexpr uint64_t kObjectBytesMax = uint64_t{1} << 40;
inline constexpr size_t kListPageMax = 1000;  // S3's

enum class PutMode : uint8_t { kCreateOnly, kOverwrite };

struct ObjectFacts {
    std::string key;
    uint64_t bytes = 0;
    std::string sha256;  // hex; empty where the store keeps none, and in lists
};

struct ByteRange {
    uint64_t offset = 0;
    uint64_t count = 0;
};

struct ListRequest {
    std::string prefix;  // of keys, not of segments: "a/b" finds "a/bc"; may be empty
    std::string after;   // only keys beyond this one, in byte order
    size_t limit = kListPageMax;
};

struct ObjectPage {
    std::vector<ObjectFacts> objects;  // by key
    bool is_last = true;
};

/// The first `bytes` of a file, which hash to `sha256` (hex).
struct FileToPut {
    const io::ReadFile& file;
    uint64_t bytes = 0;
    std::string sha256{};
    std::string key{};  // id of the key to encrypt it with, where there are several; empty: that of the place
};

class ObjectStore {
  public:
    virtual ~ObjectStore() = default;
    /// Up to kSinglePutBytesMax.
    virtual Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) = 0;
    /// Of any size, in parts where it is large; replaces what is there. kDataLoss, and nothing put, when the
    /// file does not hash to what was said.
    virtual Result<void> put_file(const std::string& key, const FileToPut& source) = 0;
    /// The whole; kPayloadTooLarge above `bytes_max`. Verified where the store keeps a checksum.
    virtual Result<std::string> get(const std::string& key, uint64_t bytes_max) = 0;
    /// Exactly these bytes; kDataLoss when the object ends before. Not verified: who reads parts checks the
    /// whole (read_object).
    virtual Result<std::string> get_range(const std::string& key, ByteRange range) = 0;
    virtual Result<ObjectFacts> head(const std::string& key) = 0;
    virtual Result<ObjectPage> list(const ListRequest& request) = 0;
    /// Success when it is not there.
    virtual Result<void> remove(const std::string& key) = 0;
};

Result<void> check_key(std::string_view key);
/// As a key, or empty, or a key and a '/'.
Result<void> check_prefix(std::string_view prefix);
/// Shared by implementations: limits of the arguments.
Result<void> check_put(std::string_view key, uint64_t bytes, uint64_t bytes_max);
Result<void> check_list(const ListRequest& request);

/// Whether trying the same again may help.
bool may_pass(const Error& error);

}  // namespace akidb::objects
