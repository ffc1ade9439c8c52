#include "objects/object_store.h"

#include <algorithm>

#include "base/printable.h"

namespace akidb::objects {
namespace {

constexpr std::string_view kAllowed =
    "1..512 bytes of letters, digits, '.', '_' and '-' in segments between '/'; no segment is '.' or '..'";

bool is_letter_of_keys(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
}

bool is_key(std::string_view key) {
    if (key.empty() || key.size() > kObjectKeyBytesMax || key.ends_with(io::kTemporarySuffix)) {
        return false;
    }
    for (size_t begin = 0; begin <= key.size();) {
        const size_t end = std::min(key.find('/', begin), key.size());
        const std::string_view segment = key.substr(begin, end - begin);
        if (segment.empty() || segment == "." || segment == ".." ||
            !std::all_of(segment.begin(), segment.end(), is_letter_of_keys)) {
            return false;
        }
        begin = end + 1;
    }
    return true;
}

}  // namespace

Result<void> check_key(std::string_view key) {
    if (!is_key(key)) {
        return invalid_argument("key", "'" + printable(key) + "' cannot be the key of an object",
                                std::string(kAllowed));
    }
    return {};
}

Result<void> check_prefix(std::string_view prefix) {
    const std::string_view whole = prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
    if (!prefix.empty() && !is_key(whole)) {
        return invalid_argument("prefix", "'" + printable(prefix) + "' cannot begin the key of an object",
                                std::string(kAllowed));
    }
    return {};
}

Result<void> check_put(std::string_view key, uint64_t bytes, uint64_t bytes_max) {
    AKIDB_TRY(check_key(key));
    if (bytes > bytes_max) {
        return Error(Code::kPayloadTooLarge, "the object " + std::string(key) + " would have " +
                                                 std::to_string(bytes) + " bytes, more than " +
                                                 std::to_string(bytes_max));
    }
    return {};
}

Result<void> check_list(const ListRequest& request) {
    if (request.limit < 1 || request.limit > kListPageMax) {
        return invalid_argument("limit", "not in range", "1.." + std::to_string(kListPageMax));
    }
    if (!request.after.empty()) {
        AKIDB_TRY(check_key(request.after));
    }
    return check_prefix(request.prefix);
}

bool may_pass(const Error& error) {
    switch (error.code()) {
        case Code::kUnavailable:
        case Code::kDeadlineExceeded:
        case Code::kRateLimited:
        case Code::kInternal:
        case Code::kDataLoss:  // on the way: what the store itself has lost stays lost after a few tries
            return true;
        default:
            return false;
    }
}

}  // namespace akidb::objects
