#include "rpc/call_head.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "rpc/message.h"
#include "service/request_log.h"
#include "service/write_key.h"

namespace akidb::rpc {
namespace {

// gRPC refuses more than 8 KiB of metadata in all.
constexpr size_t kMetadataValueBytesMax = 1024;

std::string text_of(const grpc::string_ref& text) {
    return {text.data(), text.size()};
}

std::string as_metadata(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string value;
    for (const char letter : text) {
        if (value.size() > kMetadataValueBytesMax) {
            break;
        }
        if (letter >= ' ' && letter <= '~' && letter != '%') {
            value.push_back(letter);
        } else {
            const auto byte = static_cast<uint8_t>(letter);
            value.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
        }
    }
    return value;
}

/// "ipv4:192.0.2.1:1234" and "ipv6:%5B2001:db8::1%5D:1234", as gRPC names a peer.
std::string address_in(const std::string& peer) {
    const size_t begin = peer.find(':') + 1;
    const size_t end = peer.rfind(':');
    if (begin == 0 || end <= begin) {
        return peer;
    }
    std::string address = peer.substr(begin, end - begin);
    for (const std::string_view bracket : {"%5B", "%5D", "[", "]"}) {
        if (const size_t at = address.find(bracket); at != std::string::npos) {
            address.erase(at, bracket.size());
        }
    }
    return address;
}

std::string request_id_of(const grpc::CallbackServerContext& wire, const CallDependencies& given) {
    const auto found = wire.client_metadata().find("x-request-id");
    if (found != wire.client_metadata().end()) {
        std::string text = text_of(found->second);
        if (service::is_request_id(text)) {
            return text;
        }
    }
    return io::make_uuid(given.random, given.clock).to_string();
}

}  // namespace

CallHead::CallHead(Calls& calls, MethodId method, grpc::CallbackServerContext& context)
    : calls_(calls), method_(method), wire_(context), began_us_(calls.given().clock.monotonic_us()) {
    memory_.emplace(calls.given().memory);
    calls_.begin_one();
    const gpr_timespec left = gpr_time_sub(gpr_convert_clock_type(wire_.raw_deadline(), GPR_CLOCK_MONOTONIC),
                                           gpr_now(GPR_CLOCK_MONOTONIC));
    constexpr int64_t kNoDeadlineS = int64_t{1} << 40;  // gRPC's "none" is further away than that
    if (left.tv_sec < kNoDeadlineS) {
        const int64_t left_us = std::max<int64_t>(0, left.tv_sec * 1'000'000 + left.tv_nsec / 1'000);
        deadline_us_ = began_us_ + static_cast<uint64_t>(left_us);
    }
    context_.request_id = request_id_of(wire_, calls_.given());
    wire_.AddInitialMetadata("x-request-id", context_.request_id);
    if (tracing::Tracer* tracer = calls_.given().tracer; tracer != nullptr) {
        context_.traced =
            tracer->begin({.parents = metadata_of("traceparent"), .states = metadata_of("tracestate")});
    }
}

std::vector<std::string> CallHead::metadata_of(const std::string& name) const {
    std::vector<std::string> values;
    const auto [first, last] = wire_.client_metadata().equal_range(name);
    std::transform(first, last, std::back_inserter(values),
                   [](const auto& entry) { return text_of(entry.second); });
    return values;
}

std::vector<std::string> CallHead::write_keys() const {
    return metadata_of("idempotency-key");
}

Result<void> CallHead::authorize(const service::Service& service) {
    const service::Credentials given{.authorization = metadata_of("authorization"),
                                     .api_key = metadata_of("api-key")};
    if (service.is_asking_who() && context_.source.empty()) {
        context_.source = access::client_of(calls_.given().proxies, address_in(wire_.peer()),
                                            metadata_of("x-forwarded-for"));
        const std::vector<std::string> agents = metadata_of("user-agent");
        context_.user_agent = agents.empty() ? "" : agents.front();
    }
    service::Admission admission;
    AKIDB_TRY(service.admit(row_of(method_).access, given, admission, asking(row_of(method_).name)));
    context_.principal = std::move(admission.principal);
    context_.session = admission.session;
    return {};
}

Result<void> CallHead::take_write_key(const grpc::ByteBuffer& message, const model::DocumentId& first_made_id,
                                      std::string_view part) {
    const std::vector<std::string> keys = write_keys();
    AKIDB_TRY(const std::string* text, service::find_write_key(keys));
    if (text == nullptr) {
        return {};
    }
    Digester key;
    key.add(*text);
    if (!part.empty()) {
        key.add("\n").add(part);
    }
    Digester fingerprint;
    fingerprint.add("rpc ").add(row_of(method_).name).add("\n\n");
    add_bytes(fingerprint, message);
    context_.write_key = model::WriteKey{.key = key.finish(),
                                         .fingerprint = fingerprint.finish(),
                                         .first_made_id = std::get<Uuid>(first_made_id.value())};
    return {};
}

service::Asking CallHead::asking(std::string_view what) const {
    return {.what = what,
            .request_id = context_.request_id,
            .source = context_.source,
            .user_agent = context_.user_agent};
}

void CallHead::tell_challenge(const std::string& json) {
    wire_.AddTrailingMetadata("akidb-challenge", json);
}

void CallHead::tell_replay() {
    wire_.AddInitialMetadata("idempotency-replayed", "true");
}

Result<void> CallHead::check_wanted() const {
    if (deadline_us_ && calls_.given().clock.monotonic_us() >= *deadline_us_) {
        return Error(Code::kDeadlineExceeded, "the deadline of the call passed before its work began");
    }
    if (wire_.IsCancelled()) {
        return Error(Code::kCancelled, "the call was cancelled before its work began");
    }
    return {};
}

Result<void> CallHead::admit(size_t message_bytes) {
    const size_t bytes_max = row_of(method_).message_bytes_max;
    if (message_bytes > bytes_max) {
        return Error(Code::kPayloadTooLarge,
                     "the message is " + std::to_string(message_bytes) + " bytes large")
            .with_allowed("at most " + std::to_string(bytes_max) + " bytes");
    }
    using service::MemoryBudget;
    if (memory_->grow_to(message_bytes * MemoryBudget::kBytesPerBodyByte)) {
        return {};
    }
    const uint64_t room = calls_.given().memory.share_bytes_max() / MemoryBudget::kBytesPerBodyByte;
    if (message_bytes > room) {
        return Error(Code::kPayloadTooLarge,
                     "the message is larger than the " + std::to_string(room) +
                         " bytes for which the setting limits.request_memory_bytes leaves room");
    }
    return Error(Code::kRateLimited,
                 "the requests in flight take all the memory that the setting limits.request_memory_bytes "
                 "allows")
        .with_retry_after(1);
}

grpc::Status CallHead::end(const Error* error) {
    const int code = error == nullptr ? 0 : akidb::row_of(error->code()).grpc;
    grpc::Status status;
    if (error != nullptr) {
        status = grpc::Status(static_cast<grpc::StatusCode>(code), error->message());
        wire_.AddTrailingMetadata("akidb-code", std::string(akidb::row_of(error->code()).name));
        if (!error->field().empty()) {
            wire_.AddTrailingMetadata("akidb-field", as_metadata(error->field()));
        }
        if (!error->allowed().empty()) {
            wire_.AddTrailingMetadata("akidb-allowed", as_metadata(error->allowed()));
        }
        const uint32_t retry_after_s = error->code() == Code::kRateLimited
                                           ? std::max(1U, error->retry_after_s())
                                           : error->retry_after_s();
        if (retry_after_s > 0) {
            wire_.AddTrailingMetadata("retry-after", std::to_string(retry_after_s));
        }
    }
    memory_.reset();
    const double ms = elapsed_ms();
    if (context_.trace() != nullptr) {
        end_trace(code);
    }
    if (Logger& logger = calls_.given().logger; logger.keeps(service::kRequestLogLevel)) {
        service::log_request(
            logger, context_,
            {.protocol = "grpc",
             .what = std::string(row_of(method_).name),
             .status = error == nullptr ? std::string("OK") : std::string(akidb::row_of(error->code()).name),
             .collection = std::move(collection_),
             .ms = ms});
    }
    calls_.end_one(method_, code, ms / 1e3);
    return status;
}

/// By the conventions of OpenTelemetry for gRPC, which say for a server which codes are its own faults.
void CallHead::end_trace(int code) {
    waits_.reset();
    const std::string name = std::string("akidb.v1.").append(row_of(method_).name);
    const size_t slash = name.find('/');
    constexpr std::array<int, 6> kFaults{2, 4, 12, 13, 14, 15};
    tracing::Span root{.name = name,
                       .kind = tracing::SpanKind::kServer,
                       .begin_us = began_us_,
                       .attributes = {{"rpc.system", "grpc"},
                                      {"rpc.service", name.substr(0, slash)},
                                      {"rpc.method", name.substr(slash + 1)},
                                      {"rpc.grpc.status_code", code},
                                      {"akidb.request_id", context_.request_id},
                                      {"akidb.tenant", service::tenant_text(context_)}},
                       .is_failed = std::find(kFaults.begin(), kFaults.end(), code) != kFaults.end()};
    if (!collection_.empty()) {
        root.attributes.push_back({"akidb.collection", collection_});
    }
    if (root.is_failed) {
        root.attributes.push_back({"error.type", std::to_string(code)});
    }
    context_.trace()->end(std::move(root));
}

void CallHead::note_collection(const google::protobuf::Message& message) {
    if (!calls_.given().logger.keeps(service::kRequestLogLevel) && context_.trace() == nullptr) {
        return;
    }
    const google::protobuf::FieldDescriptor* field = message.GetDescriptor()->FindFieldByName("collection");
    if (field != nullptr && field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING &&
        !field->is_repeated()) {
        collection_ = message.GetReflection()->GetString(message, field);
    }
}

void CallHead::log_fault(const Error& error) const {
    if (error.code() == Code::kInternal) {
        calls_.given().logger.log(LogLevel::kError, "a request failed",
                                  {{"request_id", context_.request_id}, {"why", error.message()}});
    }
}

Error CallHead::log_exception(std::string_view what) const {
    calls_.given().logger.log(LogLevel::kError, "a request ended by an exception",
                              {{"request_id", context_.request_id}, {"what", std::string(what)}});
    return Error(Code::kInternal, "a fault of the server; its log has the request id");
}

}  // namespace akidb::rpc
