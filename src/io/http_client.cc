#include "io/http_client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace akidb::io {
namespace {

using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

/// What the callbacks of one transfer fill. They are called from C, so nothing may be thrown out of them.
struct Transfer {
    HttpReply reply;
    uint64_t bytes_left = 0;
    bool too_large = false;

    bool take(size_t bytes) {
        too_large = too_large || bytes > bytes_left;
        bytes_left -= too_large ? 0 : bytes;
        return !too_large;
    }
};

size_t on_body(char* data, size_t size, size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const size_t bytes = size * count;
    if (!transfer.take(bytes)) {
        return 0;
    }
    try {
        transfer.reply.body.append(data, bytes);
    } catch (...) {
        transfer.too_large = true;
        return 0;
    }
    return bytes;
}

std::string_view trim(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

void add_header(HttpReply& reply, std::string_view line) {
    if (line.starts_with("HTTP/")) {
        reply.headers.clear();  // those before belonged to an interim reply (100 Continue)
        return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        return;
    }
    std::string name(trim(line.substr(0, colon)));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    reply.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
}

size_t on_header(char* data, size_t size, size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const size_t bytes = size * count;
    if (!transfer.take(bytes)) {
        return 0;
    }
    try {
        add_header(transfer.reply, std::string_view(data, bytes));
    } catch (...) {
        transfer.too_large = true;
        return 0;
    }
    return bytes;
}

/// Asked at least once a second.
int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

bool has_line_break(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Result<void> check(const HttpRequest& request) {
    if (request.method.empty() || !std::all_of(request.method.begin(), request.method.end(),
                                               [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return invalid_argument("method", "not an HTTP method", "capital letters");
    }
    if (has_line_break(request.url)) {
        return invalid_argument("url", "holds a line break", "http:// or https://");
    }
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || has_line_break(name) || has_line_break(value) ||
            name.find(':') != std::string::npos) {
            return invalid_argument("headers", "a header would break the request apart", "one line each");
        }
    }
    return {};
}

bool append_line(HeaderList& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) {
        return false;
    }
    (void)list.release();
    list.reset(longer);
    return true;
}

HeaderList header_list(const HttpRequest& request) {
    HeaderList list(nullptr, &curl_slist_free_all);
    // Left alone, libcurl waits a second for "100 Continue" before large bodies and calls every body a form.
    bool complete = append_line(list, "Expect:") && append_line(list, "Content-Type:");
    for (const auto& [name, value] : request.headers) {
        complete = complete && append_line(list, value.empty() ? name + ";" : name + ": " + value);
    }
    AKIDB_ASSERT(complete);
    return list;
}

Error curl_error(CURLcode outcome, const HttpRequest& request, const char* detail) {
    const std::string message = request.method + " " + request.url + ": " +
                                (detail[0] != '\0' ? detail : curl_easy_strerror(outcome));
    switch (outcome) {
        case CURLE_OPERATION_TIMEDOUT:
            return Error(Code::kDeadlineExceeded, message);
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return invalid_argument("url", message, "http:// or https://");
        default:
            return Error(Code::kUnavailable, message);
    }
}

bool is_loopback(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in ip4{};
        std::memcpy(&ip4, &address, sizeof(ip4));
        return (ntohl(ip4.sin_addr.s_addr) >> 24) == 127;
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 ip6{};
        std::memcpy(&ip6, &address, sizeof(ip6));
        return IN6_IS_ADDR_LOOPBACK(&ip6.sin6_addr) != 0;
    }
    return false;
}

/// Where clouds hand out the keys of a machine.
bool is_link_local(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in ip4{};
        std::memcpy(&ip4, &address, sizeof(ip4));
        const uint32_t number = ntohl(ip4.sin_addr.s_addr);
        return (number >> 16) == 0xa9fe || number == 0x646464c8;
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 ip6{};
        std::memcpy(&ip6, &address, sizeof(ip6));
        const uint8_t* bytes = ip6.sin6_addr.s6_addr;
        // fd00:ec2::254 is the metadata service's, fd00:ec2::23 that of pods.
        constexpr std::array<uint8_t, 14> kMetadata{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (std::equal(kMapped.begin(), kMapped.end(), bytes)) {
            return (bytes[12] == 0xa9 && bytes[13] == 0xfe) ||
                   (bytes[12] == 100 && bytes[13] == 100 && bytes[14] == 100 && bytes[15] == 200);
        }
        return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) ||
               (std::equal(kMetadata.begin(), kMetadata.end(), bytes) &&
                ((bytes[14] == 0x02 && bytes[15] == 0x54) || (bytes[14] == 0 && bytes[15] == 0x23)));
    }
    return false;
}

/// What libcurl asks for a socket by: the address is the one that it is about to connect to.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
    const auto& options = *static_cast<const HttpClientOptions*>(user);
    const bool is_special = is_link_local(address->addr);
    if ((options.refuses_link_local && is_special) ||
        (options.only_near && !is_special && !is_loopback(address->addr))) {
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

class CurlHttpClient final : public HttpClient {
  public:
    explicit CurlHttpClient(HttpClientOptions options)
        : options_(std::move(options)), curl_(curl_easy_init(), &curl_easy_cleanup) {
        AKIDB_ASSERT(curl_ != nullptr);
    }

    Result<HttpReply> send(const HttpRequest& request) override {
        AKIDB_TRY(check(request));
        char detail[CURL_ERROR_SIZE] = {};
        Transfer transfer;
        transfer.bytes_left = request.reply_bytes_max;
        const HeaderList headers = header_list(request);
        curl_easy_reset(curl_.get());  // options go, connections stay
        set_options(request);
        CURL* curl = curl_.get();
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
        std::stop_token stop = request.stop;
        if (stop.stop_possible()) {
            curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
            curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
        }
        const CURLcode outcome = curl_easy_perform(curl);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
        if (transfer.too_large) {
            return Error(Code::kPayloadTooLarge, request.method + " " + request.url +
                                                     ": the reply is larger than " +
                                                     std::to_string(request.reply_bytes_max) + " bytes");
        }
        if (outcome != CURLE_OK) {
            return curl_error(outcome, request, detail);
        }
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        transfer.reply.status = static_cast<int>(status);
        return std::move(transfer.reply);
    }

  private:
    void set_options(const HttpRequest& request) {
        CURL* curl = curl_.get();
        const long timeout_ms =
            std::max<long>(1, static_cast<long>(request.timeout_ms));  // 0 would mean for ever
        curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
        if (!options_.ca_file.empty()) {
            curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
            curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
        }
        if (options_.refuses_link_local || options_.only_near) {
            curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
            curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &options_);
        }
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
        curl_easy_setopt(
            curl, CURLOPT_CONNECTTIMEOUT_MS,
            request.connect_timeout_ms == 0 ? timeout_ms : static_cast<long>(request.connect_timeout_ms));
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        if (request.bytes_per_second_max > 0) {
            const auto speed =
                static_cast<curl_off_t>(std::min<uint64_t>(request.bytes_per_second_max, INT64_MAX));
            curl_easy_setopt(curl, CURLOPT_MAX_SEND_SPEED_LARGE, speed);
            curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, speed);
        }
        const bool wants_body =
            request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
        if (request.method == "HEAD") {
            curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        } else if (wants_body || !request.body.empty()) {
            const char* body = request.body.empty() ? "" : request.body.data();
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        }
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    const HttpClientOptions options_;
    std::unique_ptr<CURL, void (*)(CURL*)> curl_;
};

}  // namespace

std::unique_ptr<HttpClient> make_curl_http_client(HttpClientOptions options) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    AKIDB_ASSERT(initialised == CURLE_OK);
    return std::make_unique<CurlHttpClient>(std::move(options));
}

std::unique_ptr<HttpClient> make_curl_http_client(std::string ca_file) {
    return make_curl_http_client(HttpClientOptions{.ca_file = std::move(ca_file)});
}

}  // namespace akidb::io
