#include "cli/rest_client.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace akidb::cli {

ExitCode run_health(const Arguments& arguments) {
    constexpr uint32_t kTimeoutMs = 3000;  // within that of a container's check, and what a probe may take
    constexpr uint64_t kReplyBytesMax = 64 << 10;
    const std::string url = arguments.health.url + (arguments.health.ready ? "/ready" : "/health");
    const Result<io::HttpReply> reply = io::make_curl_http_client(arguments.ca_file)
                                            ->send({.url = url,
                                                    .body = {},
                                                    .headers = {},
                                                    .timeout_ms = kTimeoutMs,
                                                    .reply_bytes_max = kReplyBytesMax});
    if (!reply) {
        print_to(stderr, "akidb: " + url + ": " + reply.error().message() + "\n");
        return ExitCode::kIo;
    }
    print_to(reply->status == 200 ? stdout : stderr, reply->body + "\n");
    return reply->status == 200 ? ExitCode::kClean : ExitCode::kIo;
}

}  // namespace akidb::cli
