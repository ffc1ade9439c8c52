#include "rpc_player.h"

#include <akidb/v1/collections.pb.h>
#include <akidb/v1/documents.pb.h>
#include <akidb/v1/search.pb.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "model/document_id.h"
#include "rpc/message.h"
#include "rpc/method_table.h"

namespace akidb::scenarios {
namespace {

struct Captured {
    std::string name;
    std::string value;
};

std::vector<std::string> split(const std::string& text, const std::string& separator) {
    std::vector<std::string> parts;
    for (size_t from = 0; from <= text.size();) {
        const size_t to = std::min(text.find(separator, from), text.size());
        parts.push_back(text.substr(from, to - from));
        from = to + separator.size();
    }
    return parts;
}

std::string decoded(const std::string& segment) {
    std::string text;
    for (size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == '%') {
            if (i + 2 >= segment.size() || std::isxdigit(segment[i + 1]) == 0 ||
                std::isxdigit(segment[i + 2]) == 0) {
                throw NotExpressible("a percent sign that encodes nothing");
            }
            text.push_back(static_cast<char>(std::stoi(segment.substr(i + 1, 2), nullptr, 16)));
            i += 2;
        } else {
            text.push_back(segment[i]);
        }
    }
    return text;
}

/// What stands in the path at the places in braces; nothing when the path is another one.
std::optional<std::vector<Captured>> captures(const std::string& pattern, const std::string& path) {
    const std::vector<std::string> wanted = split(pattern, "/");
    const std::vector<std::string> given = split(path, "/");
    std::vector<Captured> found;
    for (size_t i = 0; i < wanted.size() && wanted.size() == given.size(); ++i) {
        if (wanted[i].starts_with("{")) {
            found.push_back({wanted[i].substr(1, wanted[i].size() - 2), decoded(given[i])});
        } else if (wanted[i] != given[i]) {
            return std::nullopt;
        }
    }
    return wanted.size() == given.size() ? std::optional(found) : std::nullopt;
}

struct Match {
    const rpc::MethodRow* row = nullptr;
    std::vector<Captured> captured;
};

Match find_method(const std::string& method, const std::string& path) {
    for (const rpc::MethodRow& row : rpc::method_table()) {
        for (const std::string& route : split(std::string(row.routes), ", ")) {
            if (route.starts_with(method + " ")) {
                if (auto captured = captures(route.substr(method.size() + 1), path)) {
                    return {&row, std::move(*captured)};
                }
            }
        }
    }
    throw NotExpressible("no method does what " + method + " " + path + " does");
}

std::string text_of(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata, const char* name) {
    const auto found = metadata.find(name);
    return found == metadata.end() ? "" : decoded({found->second.data(), found->second.size()});
}

/// By the files of the contract, which the linker would leave out if nothing named them.
const google::protobuf::MethodDescriptor& descriptor_of(const rpc::MethodRow& row) {
    const size_t slash = row.name.find('/');
    for (const google::protobuf::FileDescriptor* file :
         {v1::Collection::descriptor()->file(), v1::UpsertRequest::descriptor()->file(),
          v1::SearchRequest::descriptor()->file()}) {
        const auto* service = file->FindServiceByName(std::string(row.name.substr(0, slash)));
        if (service != nullptr) {
            return *service->FindMethodByName(std::string(row.name.substr(slash + 1)));
        }
    }
    throw std::runtime_error("the contract lacks " + std::string(row.name));
}

std::unique_ptr<google::protobuf::Message> make(const google::protobuf::Descriptor& type) {
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    return std::unique_ptr<google::protobuf::Message>(factory->GetPrototype(&type)->New());
}

OrderedJson body_of(const Request& request, const std::string& query) {
    OrderedJson body = OrderedJson::object();
    if (request.method != "GET" && request.method != "DELETE") {
        body = OrderedJson::parse(request.body, nullptr, false);
        if (!body.is_object()) {
            throw NotExpressible("the body is no JSON object");
        }
        if (body.contains("cursor") && body["cursor"].is_null()) {
            body.erase("cursor");
        }
    }
    for (const std::string& parameter : query.empty() ? std::vector<std::string>() : split(query, "&")) {
        const size_t equals = parameter.find('=');
        body[parameter.substr(0, equals)] = parameter.substr(equals + 1);
    }
    return body;
}

void add_captured(OrderedJson& body, const Match& match) {
    for (const Captured& one : match.captured) {
        if (one.name != "id") {
            body[one.name] = one.value;
            continue;
        }
        const std::string type = body.value("id_type", "number");
        if (type != "text" && type != "number") {
            throw NotExpressible("an id of no type");
        }
        const bool is_text = type == "text";
        body.erase("id_type");
        const Result<model::DocumentId> id =
            is_text ? model::DocumentId::from_text(one.value) : model::DocumentId::from_path(one.value);
        if (!id) {
            throw NotExpressible("the id in the path is none");
        }
        const auto* number = std::get_if<uint64_t>(&id->value());
        body["ids"] = OrderedJson::array({number != nullptr ? OrderedJson(*number) : OrderedJson(one.value)});
    }
}

/// GET …/documents/{id} answers with the document itself.
void take_out_document(Answer& answer) {
    if (answer.status != 200 || !answer.body.contains("documents")) {
        return;
    }
    const OrderedJson documents = answer.body["documents"];
    answer.body = documents.empty() ? OrderedJson::object() : documents[0];
    if (documents.empty()) {
        answer = {.status = 404, .code = "NOT_FOUND", .field = "id"};
    }
}

}  // namespace

RpcPlayer::RpcPlayer(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Answer RpcPlayer::play(const Request& request) {
    const size_t mark = std::min(request.path.find('?'), request.path.size());
    const Match match = find_method(request.method, request.path.substr(0, mark));
    OrderedJson body = body_of(request, mark < request.path.size() ? request.path.substr(mark + 1) : "");
    add_captured(body, match);
    const google::protobuf::MethodDescriptor& method = descriptor_of(*match.row);
    const auto message = make(*method.input_type());
    fill(*message, body);
    grpc::ByteBuffer bytes;
    const Result<void> written = rpc::write_message(*message, bytes);
    if (!written) {
        throw NotExpressible(written.error().message());
    }
    grpc::ClientContext context;
    context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(60, GPR_TIMESPAN)));
    if (!request.write_key.empty()) {
        context.AddMetadata("idempotency-key", request.write_key);
    }
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(channel_);
    const auto call =
        stub.PrepareUnaryCall(&context, "/akidb.v1." + std::string(match.row->name), bytes, &queue);
    grpc::ByteBuffer reply;
    grpc::Status status;
    call->StartCall();
    call->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool is_done = false;
    queue.Next(&tag, &is_done);

    Answer answer{.status = request.method == "POST" && request.path.ends_with("/collections") ? 201 : 200};
    answer.is_replay = text_of(context.GetServerInitialMetadata(), "idempotency-replayed") == "true";
    if (status.ok()) {
        const auto answered = make(*method.output_type());
        if (!rpc::parse_message(reply, *answered)) {
            throw std::runtime_error("the answer is no " + answered->GetTypeName());
        }
        answer.body = to_json(*answered);
    } else {
        answer.code = text_of(context.GetServerTrailingMetadata(), "akidb-code");
        answer.field = text_of(context.GetServerTrailingMetadata(), "akidb-field");
        answer.message = status.error_message();
        const auto* row = std::find_if(kCodes.begin(), kCodes.end(),
                                       [&](const CodeRow& one) { return one.name == answer.code; });
        answer.status = row == kCodes.end() ? 0 : row->http;
    }
    if (request.method == "GET" && !match.captured.empty() && match.captured.back().name == "id") {
        take_out_document(answer);
    }
    return answer;
}

}  // namespace akidb::scenarios
