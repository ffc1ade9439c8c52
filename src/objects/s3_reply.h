// What an S3 server's answer means, as one of our errors: by its error code where the body has one, else by
// the status. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/http_client.h"

namespace akidb::objects {

/// What the body of a good answer is: words of the server, which may tell an error after all, or an object.
enum class ReplyBody : uint8_t { kWords, kObject };
/// Success for 200, 204 and 206; `what` begins the message ("PUT bucket/key").
Result<void> check_s3_reply(const io::HttpReply& reply, const std::string& what, ReplyBody body);
/// Lower case; empty when it is not there.
std::string_view header_of(const io::HttpReply& reply, std::string_view name);

}  // namespace akidb::objects
