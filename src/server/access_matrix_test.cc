// Who gets in where: every route and every method, from the tables, asked by every role as a user and as a
// key, by a key of every single action, and by credentials that are none; of one's own tenant and of another;
// over REST (the Qdrant dialect with it) and gRPC. What is expected comes from roles and rows; how many cases
// there are is printed.
#include <akidb/v1/collections.pb.h>
#include <akidb/v1/documents.pb.h>
#include <akidb/v1/search.pb.h>

#include <cstdio>

#include "rest/router.h"
#include "rpc/method_table.h"
#include "server/access_stack_for_tests.h"

namespace akidb::server {
namespace {

using model::Access;
using model::ActionSet;

struct Caller {
    std::string name;
    service::Credentials credentials;
    std::optional<ActionSet> actions;  // none: no valid credentials
    bool is_of_default = true;
    bool is_session = false;
};

class AccessMatrix : public AccessStack {
  protected:
    AccessMatrix() {
        root_token_ = set_up();
        EXPECT_EQ(ask(root_token_, "POST", "/api/v1/tenants", R"({"name":"acme"})").status, 201);
        EXPECT_EQ(ask(root_token_, "POST", "/api/v1/tenants", R"({"name":"gone"})").status, 201);
        for (const std::string tenant : {"default", "acme"}) {
            for (const model::RoleRow& role : model::kRoles) {
                add_role(tenant, role);
            }
        }
        for (size_t i = 0; i < model::kActionCount; ++i) {
            const std::string action(model::kActionNames[i]);
            add(action + " key", make_key(root_token_, R"("actions":[")" + action + R"("])"),
                ActionSet(static_cast<model::Action>(i)));
        }
        add_strangers();
        mend();
    }

    void add(const std::string& name, const std::string& token, std::optional<ActionSet> actions) {
        callers_.push_back({.name = name, .credentials = bearer(token), .actions = actions});
    }
    void add_role(const std::string& tenant, const model::RoleRow& role) {
        const std::string email = std::string(role.name) + "@example.com";
        const rest::HttpResponse made =
            ask(root_token_, "POST", "/api/v1/users",
                R"({"email":")" + email + R"(","password":")" + kPassword + R"(","role":")" +
                    std::string(role.name) + R"(","tenant":")" + tenant + R"("})");
        EXPECT_EQ(made.status, 201) << made.body;
        const std::string name = tenant + " " + std::string(role.name);
        add(name + " user", log_in(email, tenant), role.actions);
        callers_.back().is_of_default = tenant == "default";
        callers_.back().is_session = true;
        const std::string key = make_key(
            root_token_, R"("role":")" + std::string(role.name) + R"(","tenant":")" + tenant + R"(")");
        callers_.push_back({.name = name + " key",
                            .credentials = {.api_key = {key}},
                            .actions = role.actions,
                            .is_of_default = tenant == "default"});
    }
    void add_strangers() {
        callers_.push_back({.name = "nobody"});
        add("nonsense", "open sesame", {});
        const std::string key = make_key(root_token_, R"("role":"admin")");
        add("another secret", key.substr(0, key.size() - 1) + (key.back() == 'x' ? 'y' : 'x'), {});
        add("a key as a session", "as" + key.substr(2), {});
        const std::string revoked = make_key(root_token_, R"("role":"admin")");
        std::string id = revoked.substr(3, 32);
        for (const size_t at : {size_t{8}, size_t{13}, size_t{18}, size_t{23}}) {
            id.insert(at, "-");
        }
        EXPECT_EQ(ask(root_token_, "PATCH", "/api/v1/keys/" + id, R"({"revoked":true})").status, 200);
        add("a revoked key", revoked, {});
        add("a key of a suspended tenant", make_key(root_token_, R"("role":"admin","tenant":"gone")"), {});
        EXPECT_EQ(ask(root_token_, "PATCH", "/api/v1/tenants/gone", R"({"suspended":true})").status, 200);
        EXPECT_EQ(ask(root_token_, "POST", "/api/v1/users",
                      R"({"email":"left@example.com","password":"a good long password","role":"admin"})")
                      .status,
                  201);
        add("a suspended user", log_in("left@example.com", "default"), {});
        EXPECT_EQ(
            ask(root_token_, "PATCH", "/api/v1/users/left@example.com", R"({"status":"suspended"})").status,
            200);
    }
    /// What callers who may have taken away.
    void mend() {
        if (ask(root_token_, "GET", "/api/v1/collections/words").status == 404) {
            EXPECT_EQ(ask(root_token_, "POST", "/api/v1/collections",
                          R"({"name":"words","dimension":16,"metric":"l2"})")
                          .status,
                      201);
            EXPECT_EQ(ask(root_token_, "PUT", "/api/v1/collections/words/documents",
                          R"({"documents":[{"id":1,"vector":)" + rest::vector_of(1) + "}]}")
                          .status,
                      200);
        }
    }

    /// None: he is let in. Else the action or "scope" that is missing.
    static std::optional<std::string> find_missing(const Caller& caller, const Access& access) {
        if (const auto missing = caller.actions->find_missing(access.actions())) {
            return std::string(model::name_of(*missing));
        }
        if (access.is_for_operators() && !caller.is_of_default) {
            return "for the administrators of the tenant";
        }
        return std::nullopt;
    }

    void expect_rest(Caller& caller, const rest::Route& route);
    void expect_rpc(Caller& caller, const rpc::MethodRow& method);
    void log_in_again(Caller& caller);

    std::string root_token_;
    std::vector<Caller> callers_;
    size_t cases_ = 0;
    size_t admitted_ = 0;
};

std::string filled(std::string path) {
    for (const auto& [open, value] : {std::pair<std::string, std::string>{"{collection}", "words"},
                                      {"{id}", "1"},
                                      {"{field}", "f"},
                                      {"{user}", "nobody@example.com"},
                                      {"{key}", "00000000-0000-0000-0000-000000000001"},
                                      {"{tenant}", "nobody"}}) {
        if (const size_t at = path.find(open); at != std::string::npos) {
            path.replace(at, open.size(), value);
        }
    }
    return path;
}

/// Who logged out.
void AccessMatrix::log_in_again(Caller& caller) {
    EXPECT_EQ(ask(caller.credentials, "GET", "/api/v1/auth/me").status, 401);
    const std::string tenant = caller.name.substr(0, caller.name.find(' '));
    const std::string role =
        caller.name.substr(tenant.size() + 1, caller.name.rfind(' ') - tenant.size() - 1);
    caller.credentials = bearer(log_in(role + "@example.com", tenant));
}

void AccessMatrix::expect_rest(Caller& caller, const rest::Route& route) {
    ++cases_;
    const bool has_body = route.method != "GET" && route.method != "DELETE";
    const rest::HttpResponse answer = ask(caller.credentials, std::string(route.method),
                                          filled(std::string(route.path)), has_body ? "{}" : "");
    const std::string about = caller.name + " " + std::string(route.method) + " " + std::string(route.path) +
                              ": " + std::to_string(answer.status) + " " + answer.body;
    if (route.access.is_open()) {
        EXPECT_NE(answer.status, 403) << about;
        EXPECT_EQ(answer.status == 401, route.id == rest::RouteId::kLogIn) << about;
        return;
    }
    if (!caller.actions) {
        EXPECT_EQ(answer.status, 401) << about;
        EXPECT_TRUE(std::any_of(answer.headers.begin(), answer.headers.end(), [](const auto& header) {
            return header.first == "WWW-Authenticate";
        })) << about;
        return;
    }
    if (const auto missing = find_missing(caller, route.access)) {
        EXPECT_EQ(answer.status, 403) << about;
        EXPECT_TRUE(says(answer.body, *missing)) << about;
        return;
    }
    ++admitted_;
    EXPECT_NE(answer.status, 401) << about;
    EXPECT_NE(answer.status, 403) << about;
    EXPECT_LT(answer.status, 500) << about;
    if (says(std::string(route.path), "{collection}")) {
        const bool is_not_there =
            says(answer.body, "no collection of this name") || says(answer.body, R"("exists":false)") ||
            (route.id == rest::RouteId::kQdrantDelete && says(answer.body, R"("result":false)"));
        const bool makes_it = route.id == rest::RouteId::kQdrantCreate;
        EXPECT_EQ(is_not_there, !caller.is_of_default && !makes_it) << about;
    }
    if (route.id == rest::RouteId::kLogOut && caller.is_session) {
        EXPECT_EQ(answer.status, 200) << about;
        log_in_again(caller);
    }
    if (caller.is_of_default) {
        mend();
    }
}

template <class Message>
std::string of_words(Message message) {
    message.set_collection("words");
    return message.SerializeAsString();
}

/// A message that would be answered, where the collection is there.
std::string message_for(rpc::MethodId method) {
    using rpc::MethodId;
    switch (method) {
        case MethodId::kDescribeCollection:
            return of_words(v1::DescribeCollectionRequest());
        case MethodId::kDeleteCollection:
            return of_words(v1::DeleteCollectionRequest());
        case MethodId::kPutMetadataIndex: {
            v1::PutMetadataIndexRequest message;
            message.set_field("f");
            message.set_type(v1::METADATA_INDEX_TYPE_KEYWORD);
            return of_words(message);
        }
        case MethodId::kDeleteMetadataIndex: {
            v1::DeleteMetadataIndexRequest message;
            message.set_field("f");
            return of_words(message);
        }
        case MethodId::kOptimize:
            return of_words(v1::OptimizeRequest());
        case MethodId::kUpsert:
        case MethodId::kImport: {
            // Both have the collection and the documents in the same places.
            v1::UpsertRequest message;
            v1::Document& document = *message.add_documents();
            document.mutable_id()->set_number(2);
            for (int i = 0; i < 16; ++i) {
                document.add_vector(1);
            }
            return of_words(message);
        }
        case MethodId::kGet: {
            v1::GetRequest message;
            message.add_ids()->set_number(1);
            return of_words(message);
        }
        case MethodId::kDelete: {
            v1::DeleteRequest message;
            message.add_ids()->set_number(3);
            return of_words(message);
        }
        case MethodId::kSearch: {
            v1::SearchRequest message;
            for (int i = 0; i < 16; ++i) {
                message.add_vector(1);
            }
            return of_words(message);
        }
        case MethodId::kCount:
            return of_words(v1::CountRequest());
        case MethodId::kScroll:
            return of_words(v1::ScrollRequest());
        case MethodId::kFacet: {
            v1::FacetRequest message;
            message.set_key("f");
            return of_words(message);
        }
        case MethodId::kExport:
            return of_words(v1::ExportRequest());
        default:
            return {};
    }
}

void AccessMatrix::expect_rpc(Caller& caller, const rpc::MethodRow& method) {
    ++cases_;
    const std::string message = message_for(method.id);
    const grpc::Status status = call(caller.credentials, method.name, message);
    const std::string about = caller.name + " " + std::string(method.name) + ": " +
                              std::to_string(status.error_code()) + " " + status.error_message();
    if (method.access.is_open()) {
        EXPECT_NE(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << about;
        EXPECT_EQ(status.error_code() == grpc::StatusCode::UNAUTHENTICATED,
                  method.id == rpc::MethodId::kLogIn)
            << about;
        return;
    }
    if (!caller.actions) {
        EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << about;
        return;
    }
    if (const auto missing = find_missing(caller, method.access)) {
        EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << about;
        EXPECT_TRUE(says(status.error_message(), *missing)) << about;
        return;
    }
    ++admitted_;
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << about;
    EXPECT_NE(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << about;
    if (!message.empty()) {
        EXPECT_EQ(says(status.error_message(), "no collection of this name"), !caller.is_of_default) << about;
    }
    if (method.id == rpc::MethodId::kLogOut && caller.is_session) {
        EXPECT_TRUE(status.ok()) << about;
        log_in_again(caller);
    }
    if (caller.is_of_default) {
        mend();
    }
}

TEST_F(AccessMatrix, LetsInWhoMayAndNobodyElse) {
    for (Caller& caller : callers_) {
        for (const rest::Route& route : rest::routes()) {
            expect_rest(caller, route);
        }
        for (const rpc::MethodRow& method : rpc::method_table()) {
            expect_rpc(caller, method);
        }
    }
    EXPECT_GE(cases_, 2'000U);
    std::printf("%zu cases: %zu callers, %zu routes, %zu methods; let in %zu times\n", cases_,
                callers_.size(), rest::routes().size(), rpc::method_table().size(), admitted_);
}

}  // namespace
}  // namespace akidb::server
