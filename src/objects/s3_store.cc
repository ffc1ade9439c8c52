#include "objects/s3_store.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/mutex.h"
#include "base/printable.h"
#include "objects/part_sender.h"
#include "objects/s3_address.h"
#include "objects/s3_reply.h"
#include "objects/sha256.h"
#include "objects/xml.h"

namespace akidb::objects {
namespace {

constexpr std::string_view kHashHeader = "x-amz-meta-akidb-sha256";
constexpr uint64_t kPartBytesMin = 16 << 20;
constexpr uint64_t kPartsMax = 10'000;        // of S3
constexpr size_t kPartsAtOnce = 4;            // as rclone does
constexpr uint64_t kWordsBytesMax = 8 << 20;  // a page of 1,000 keys has less than 2 MiB
constexpr uint64_t kHeadBytesMax = 64 << 10;  // what headers add to the bytes of an object
constexpr size_t kIdleClientsMax = 16;

struct S3Request {
    std::string_view method;
    std::string key{};  // whole, with the prefix; empty: the bucket
    TextPairs query{};
    TextPairs headers{};
    std::string_view body{};
    uint64_t reply_bytes = 0;  // where they are known before
    uint64_t reply_bytes_max = kWordsBytesMax;
    ReplyBody reply = ReplyBody::kWords;
};

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    return fault == std::errc() && stop == end && !text.empty() ? std::optional(value) : std::nullopt;
}

class S3Store final : public ObjectStore {
  public:
    S3Store(S3Options options, S3Address address, CredentialSource credentials, const io::Clock& clock,
            MakeHttpClient make_client)
        : options_(std::move(options)),
          address_(std::move(address)),
          credentials_(std::move(credentials)),
          clock_(clock),
          make_client_(std::move(make_client)) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        AKIDB_TRY(check_put(key, bytes.size(), kSinglePutBytesMax));
        return put_single(key, bytes, sha256_hex(bytes), mode);
    }

    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        AKIDB_TRY(check_put(key, source.bytes, kObjectBytesMax));
        if (source.bytes <= kSinglePutBytesMax) {
            std::string bytes;
            AKIDB_TRY(source.file.read_at(0, source.bytes, bytes));
            if (sha256_hex(bytes) != source.sha256) {
                return changed_file(key);
            }
            return put_single(key, bytes, source.sha256, PutMode::kOverwrite);
        }
        AKIDB_TRY(const std::string upload, begin_upload(key, source.sha256));
        Result<void> sent = send_parts(key, upload, source);
        if (!sent) {
            // What cannot be ended now is for the bucket's rule about unfinished uploads.
            static_cast<void>(
                send({.method = "DELETE", .key = whole(key), .query = {{"uploadId", upload}}}).has_value());
            return sent;
        }
        return confirm(key, source.bytes, source.sha256);
    }

    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        AKIDB_TRY(check_key(key));
        AKIDB_TRY(io::HttpReply reply, send({.method = "GET",
                                             .key = whole(key),
                                             .reply_bytes_max = bytes_max + kHeadBytesMax,
                                             .reply = ReplyBody::kObject}));
        if (reply.body.size() > bytes_max) {
            return Error(Code::kPayloadTooLarge,
                         "the object " + key + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
        AKIDB_TRY(check_whole(key, reply));
        return std::move(reply.body);
    }

    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        AKIDB_TRY(check_key(key));
        if (range.count == 0) {
            return std::string();
        }
        const std::string bytes =
            "bytes=" + std::to_string(range.offset) + "-" + std::to_string(range.offset + range.count - 1);
        AKIDB_TRY(io::HttpReply reply, send({.method = "GET",
                                             .key = whole(key),
                                             .headers = {{"range", bytes}},
                                             .reply_bytes = range.count,
                                             .reply_bytes_max = range.count + kHeadBytesMax,
                                             .reply = ReplyBody::kObject}));
        // Whatever stands between may answer 200 with something else.
        const std::string said = "bytes " + std::to_string(range.offset) + "-";
        if (reply.status != 206 || !header_of(reply, "content-range").starts_with(said)) {
            return Error(Code::kUnavailable, "GET " + name(key) + ": the server sent another range");
        }
        if (reply.body.size() != range.count) {
            return Error(Code::kDataLoss, "GET " + name(key) + ": " + std::to_string(reply.body.size()) +
                                              " bytes came where " + std::to_string(range.count) +
                                              " were asked");
        }
        return std::move(reply.body);
    }

    Result<ObjectFacts> head(const std::string& key) override {
        AKIDB_TRY(check_key(key));
        AKIDB_TRY(const io::HttpReply reply, send({.method = "HEAD", .key = whole(key)}));
        const std::optional<uint64_t> bytes = number(header_of(reply, "content-length"));
        if (!bytes) {
            return Error(Code::kUnavailable, "HEAD " + name(key) + ": the server tells no size");
        }
        return ObjectFacts{key, *bytes, std::string(header_of(reply, kHashHeader))};
    }

    Result<ObjectPage> list(const ListRequest& request) override {
        AKIDB_TRY(check_list(request));
        TextPairs query{{"list-type", "2"},
                        {"max-keys", std::to_string(request.limit)},
                        {"prefix", whole(request.prefix)}};
        if (!request.after.empty()) {
            query.emplace_back("start-after", whole(request.after));
        }
        AKIDB_TRY(const io::HttpReply reply, send({.method = "GET", .query = query}));
        AKIDB_TRY(const XmlElement root, words_of(reply, "LIST " + name(request.prefix), "ListBucketResult"));
        return read_page(root, request);
    }

    Result<void> remove(const std::string& key) override {
        AKIDB_TRY(check_key(key));
        const Result<io::HttpReply> reply = send({.method = "DELETE", .key = whole(key)});
        if (!reply && reply.error().code() != Code::kNotFound) {
            return reply.error();
        }
        return {};
    }

  private:
    std::string whole(const std::string& key) const {
        return options_.prefix.empty() ? key : options_.prefix + "/" + key;
    }
    std::string name(const std::string& key) const { return options_.bucket + "/" + whole(key); }

    /// An object that another tool copied has no hash of ours, but every one has a tag: without, it is the
    /// word of somebody in between.
    Result<void> check_whole(const std::string& key, const io::HttpReply& reply) const {
        const std::string_view expected = header_of(reply, kHashHeader);
        if (expected.empty() && header_of(reply, "etag").empty()) {
            return Error(Code::kUnavailable, "GET " + name(key) + ": the answer is no object");
        }
        if (!expected.empty() && sha256_hex(reply.body) != expected) {
            return Error(Code::kDataLoss, "the object " + name(key) + " does not have its SHA-256");
        }
        return {};
    }

    static Error changed_file(const std::string& key) {
        return Error(Code::kDataLoss, "the file for " + key + " is not what was to be put");
    }

    Result<io::HttpReply> send(const S3Request& request) {
        if (options_.pace == nullptr) {
            return send_now(request, 0);
        }
        Pace& pace = *options_.pace;
        const uint64_t bytes = request.body.size() + request.reply_bytes;
        AKIDB_TRY(pace.wait(bytes, options_.urgency));
        auto reply = send_now(request, bytes > 0 ? pace.bytes_per_second(options_.urgency) : 0);
        if (reply && request.reply_bytes == 0) {
            pace.count(reply->body.size(), options_.urgency);
        }
        return reply;
    }

    uint32_t timeout_with_flow_ms(const S3Request& request, uint64_t bytes_per_second) const {
        const uint64_t bytes = bytes_per_second == 0 ? 0 : request.body.size() + request.reply_bytes;
        const uint64_t flow_ms = bytes / std::max<uint64_t>(1, bytes_per_second / 1000);
        return static_cast<uint32_t>(std::min<uint64_t>(options_.timeout_ms + flow_ms, UINT32_MAX));
    }

    Result<io::HttpReply> send_now(const S3Request& request, uint64_t bytes_per_second) {
        AKIDB_TRY(const Credentials credentials, credentials_());
        const std::string hash = sha256_hex(request.body);
        TextPairs headers = request.headers;
        const uint64_t now_ms = clock_.unix_ms();
        headers.emplace_back("host", address_.host());
        headers.emplace_back("x-amz-content-sha256", hash);
        headers.emplace_back("x-amz-date", amz_date(now_ms));
        if (!credentials.session_token.empty()) {
            headers.emplace_back("x-amz-security-token", credentials.session_token.reveal());
        }
        const std::string path = address_.path(request.key);
        const std::string proof = authorization({.method = request.method,
                                                 .path = path,
                                                 .query = request.query,
                                                 .headers = headers,
                                                 .payload_sha256 = hash,
                                                 .region = options_.region,
                                                 .service = "s3",
                                                 .unix_ms = now_ms},
                                                credentials);
        headers.emplace_back("authorization", proof);
        io::HttpRequest http{.method = std::string(request.method),
                             .url = address_.url(path, canonical_query(request.query)),
                             .body = request.body,
                             .headers = std::move(headers),
                             .timeout_ms = timeout_with_flow_ms(request, bytes_per_second),
                             .reply_bytes_max = request.reply_bytes_max,
                             .bytes_per_second_max = bytes_per_second};
        std::unique_ptr<io::HttpClient> client = take_client();
        Result<io::HttpReply> reply = client->send(http);
        give_client(std::move(client));
        if (!reply) {
            return reply;
        }
        AKIDB_TRY(check_s3_reply(
            *reply, std::string(request.method) + " " + options_.bucket + "/" + request.key, request.reply));
        return reply;
    }

    Result<void> put_single(const std::string& key, std::string_view bytes, const std::string& hash,
                            PutMode mode) {
        S3Request request{.method = "PUT", .key = whole(key), .body = bytes};
        request.headers.emplace_back(kHashHeader, hash);
        if (mode == PutMode::kCreateOnly) {
            request.headers.emplace_back("if-none-match", "*");
        }
        const Result<io::HttpReply> sent = send(request);
        if (!sent && sent.error().code() != Code::kAlreadyExists) {
            return sent.error();
        }
        if (sent) {
            return confirm(key, bytes.size(), hash);
        }
        // A balancer that sends a request again makes a put meet itself.
        const Result<std::string> there = get(key, kSinglePutBytesMax);
        if (!there) {
            return Error(Code::kUnavailable,
                         "the name is taken, perhaps by this put: " + there.error().message());
        }
        return *there == bytes ? Result<void>() : sent.error();
    }

    /// The word of a put alone is not enough: some servers say 200 before they have failed.
    Result<void> confirm(const std::string& key, uint64_t bytes, const std::string& hash) {
        Result<ObjectFacts> facts = head(key);
        if (!facts) {
            const Error& error = facts.error();
            return Error(error.code() == Code::kNotFound ? Code::kUnavailable : error.code(),
                         "after its put: " + error.message());
        }
        if (facts->bytes != bytes || facts->sha256 != hash) {
            return Error(Code::kUnavailable, "after its put the server has another object " + name(key));
        }
        return {};
    }

    Result<std::string> begin_upload(const std::string& key, const std::string& hash) {
        S3Request request{.method = "POST", .key = whole(key), .query = {{"uploads", ""}}};
        request.headers.emplace_back(kHashHeader, hash);
        AKIDB_TRY(const io::HttpReply reply, send(request));
        AKIDB_TRY(const XmlElement root,
                  words_of(reply, "POST " + name(key), "InitiateMultipartUploadResult"));
        std::string upload(root.text_of("UploadId"));
        if (upload.empty()) {
            return Error(Code::kUnavailable, "POST " + name(key) + ": the server names no upload");
        }
        return upload;
    }

    Result<void> send_parts(const std::string& key, const std::string& upload, const FileToPut& source) {
        const uint64_t part_bytes = std::max(kPartBytesMin, (source.bytes + kPartsMax - 1) / kPartsMax);
        PartSender sender(options_.part_senders, kPartsAtOnce, [&](uint64_t number, std::string_view part) {
            return send_part(key, upload, number, part);
        });
        Sha256 hash;
        for (uint64_t at = 0; at < source.bytes;) {
            std::string part;
            AKIDB_TRY(source.file.read_at(at, std::min(part_bytes, source.bytes - at), part));
            hash.add(part);
            at += part.size();
            AKIDB_TRY(sender.add(std::move(part)));
        }
        AKIDB_TRY(const std::vector<std::string> tags, sender.finish());
        if (hex(hash.finish()) != source.sha256) {
            return changed_file(key);
        }
        std::string list = "<CompleteMultipartUpload>";
        for (size_t i = 0; i < tags.size(); ++i) {
            list += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
                    xml_escaped(tags[i]) + "</ETag></Part>";
        }
        list += "</CompleteMultipartUpload>";
        AKIDB_TRY(const io::HttpReply reply,
                  send({.method = "POST", .key = whole(key), .query = {{"uploadId", upload}}, .body = list}));
        AKIDB_TRY(words_of(reply, "POST " + name(key), "CompleteMultipartUploadResult"));
        return {};
    }

    Result<std::string> send_part(const std::string& key, const std::string& upload, uint64_t number,
                                  std::string_view part) {
        AKIDB_TRY(const io::HttpReply reply,
                  send({.method = "PUT",
                        .key = whole(key),
                        .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
                        .body = part}));
        const std::string_view tag = header_of(reply, "etag");
        if (tag.empty()) {
            return Error(Code::kUnavailable, "PUT " + name(key) + ": a part came back without its tag");
        }
        return std::string(tag);
    }

    static Result<XmlElement> words_of(const io::HttpReply& reply, const std::string& what,
                                       std::string_view expected) {
        Result<XmlElement> root = parse_xml(reply.body);
        if (!root || root->name != expected) {
            return Error(Code::kUnavailable, what + ": the answer is no " + std::string(expected));
        }
        return root;
    }

    Result<ObjectPage> read_page(const XmlElement& root, const ListRequest& request) const {
        const size_t cut = options_.prefix.empty() ? 0 : options_.prefix.size() + 1;
        ObjectPage page;
        page.is_last = root.text_of("IsTruncated") != "true";
        for (const XmlElement& element : root.children) {
            if (element.name != "Contents") {
                continue;
            }
            const std::string_view key = element.text_of("Key");
            const std::optional<uint64_t> bytes = number(element.text_of("Size"));
            if (!bytes || key.size() <= cut || !key.starts_with(whole(request.prefix))) {
                return Error(Code::kUnavailable, "LIST " + name(request.prefix) + ": an entry is wrong");
            }
            page.objects.push_back({std::string(key.substr(cut)), *bytes, {}});
        }
        const auto is_ordered = [](const ObjectFacts& a, const ObjectFacts& b) { return a.key < b.key; };
        // Who pages by the last key would go round for ever.
        if (!std::is_sorted(page.objects.begin(), page.objects.end(), is_ordered) ||
            (page.objects.empty() && !page.is_last) ||
            (!page.objects.empty() && page.objects.front().key <= request.after)) {
            return Error(Code::kUnavailable, "LIST " + name(request.prefix) + ": the page is out of order");
        }
        return page;
    }

    std::unique_ptr<io::HttpClient> take_client() {
        {
            MutexLock lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<io::HttpClient> client = std::move(idle_.back());
                idle_.pop_back();
                return client;
            }
        }
        return make_client_();
    }

    void give_client(std::unique_ptr<io::HttpClient> client) {
        MutexLock lock(mutex_);
        if (idle_.size() < kIdleClientsMax) {
            idle_.push_back(std::move(client));
        }
    }

    const S3Options options_;
    const S3Address address_;
    const CredentialSource credentials_;
    const io::Clock& clock_;
    const MakeHttpClient make_client_;
    Mutex mutex_;
    std::vector<std::unique_ptr<io::HttpClient>> idle_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> make_s3_store(S3Options options, CredentialSource credentials,
                                                   const io::Clock& clock, MakeHttpClient make_client) {
    AKIDB_TRY(check_prefix(options.prefix));
    AKIDB_TRY(S3Address address, S3Address::parse(options));
    return std::unique_ptr<ObjectStore>(std::make_unique<S3Store>(
        std::move(options), std::move(address), std::move(credentials), clock, std::move(make_client)));
}

}  // namespace akidb::objects
