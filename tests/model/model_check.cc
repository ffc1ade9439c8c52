// Plays random requests, each over REST or over gRPC as chance has it, on a real server, and compares every
// answer with that of a model (model.h). Threads have a collection, a model and a seed each. The first
// difference is printed with the request, and ends the run with exit code 1; the same seed plays the same
// requests. Prints how many operations there were.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "chance.h"
#include "rpc_player.h"
#include "server_process.h"
#include "support/http_client.h"

namespace akidb::modelcheck {
namespace {

struct Options {
    uint64_t operations = 1'000'000;
    uint64_t seed = 1;
    unsigned threads = 4;
};

struct Difference : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class History {
  public:
    History(const e2e::ServerProcess& server, std::string name, uint64_t seed)
        : rest_(support::parse_url(server.rest_url())),
          rpc_(server.grpc_address()),
          name_(std::move(name)),
          path_("/api/v1/collections/" + name_),
          has_side_(seed % 4 < 2),
          chance_(seed) {
        Json collection = {{"name", name_},
                           {"dimension", Chance::kDimension},
                           {"metric", "l2"},
                           // Both keep small whole numbers as they are.
                           {"storage", seed % 2 == 0 ? "f32" : "f16"},
                           {"metadata_indexes", {{"n", "integer"}, {"tag", "keyword"}}}};
        if (has_side_) {
            collection["vectors"]["side"] = {{"dimension", Chance::kDimension}, {"metric", "l2"}};
        }
        ask("POST", "/api/v1/collections", collection, 201);
    }

    void step() {
        const uint64_t which = chance_.below(100);
        if (which < 22) {
            upsert();
        } else if (which < 34) {
            update();
        } else if (which < 40) {
            remove();
        } else if (which < 41) {
            remove_matching();
        } else if (which < 55) {
            get();
        } else if (which < 72) {
            search();
        } else if (which < 76) {
            search_groups();
        } else if (which < 84) {
            count();
        } else if (which < 94) {
            scroll();
        } else {
            facet();
        }
    }

  private:
    /// Over either protocol; the answer's body.
    Json ask(const std::string& method, const std::string& path, const Json& body, int status = 200) {
        last_ = method + " " + path + " " + body.dump();
        const bool by_rpc = chance_.happens(50);
        int answered = 0;
        Json answer;
        if (by_rpc) {
            scenarios::Answer reply = rpc_.play({method, path, body.is_null() ? "" : body.dump(), ""});
            answered = reply.status;
            answer = std::move(reply.body);
            drop_empty_bytes(answer);
            last_ += " over gRPC: " + reply.code + " " + reply.message;
        } else {
            const support::HttpReply reply = rest_.request(method, path, body.is_null() ? "" : body.dump());
            answered = reply.status;
            answer = Json::parse(reply.body, nullptr, false);
            last_ += " over REST: " + reply.body.substr(0, 500);
        }
        // A success is one: what differs between 200 and 201 is said by REST alone.
        if (answered / 100 != status / 100 || (status >= 400 && answered != status)) {
            throw Difference("status " + std::to_string(answered) + ", not " + std::to_string(status));
        }
        return answer;
    }
    /// The other form of a vector, which is not used here.
    static void drop_empty_bytes(Json& answer) {
        if (answer.is_object()) {
            answer.erase("vector_bytes");
        }
        if (answer.is_structured()) {
            std::for_each(answer.begin(), answer.end(), &drop_empty_bytes);
        }
    }
    void expect(const Json& found, const Json& expected, const char* what) {
        if (!is_equal(found, expected)) {
            throw Difference(std::string(what) + " is\n  " + found.dump() + "\nnot\n  " + expected.dump());
        }
    }
    static bool is_equal(const Json& a, const Json& b) {
        if (a.is_number() && b.is_number()) {
            return a.get<double>() == b.get<double>() || a.get<float>() == b.get<float>();
        }
        if (a.type() != b.type() || a.size() != b.size()) {
            return false;
        }
        if (a.is_object()) {
            return std::all_of(a.items().begin(), a.items().end(), [&](const auto& item) {
                return b.contains(item.key()) && is_equal(item.value(), b[item.key()]);
            });
        }
        return a.is_array() ? std::equal(a.begin(), a.end(), b.begin(), &is_equal) : a == b;
    }
    static std::vector<Id> ids_of(const Json& list) {
        std::vector<Id> ids;
        std::transform(list.begin(), list.end(), std::back_inserter(ids), &id_of);
        return ids;
    }

    void upsert() {
        Json documents = Json::array();
        bool is_refused = false;
        for (uint64_t i = chance_.below(4) + 1; i > 0; --i) {
            Json document = {{"id", json_of(chance_.id())},
                             {"vector", chance_.vector()},
                             {"metadata", chance_.metadata()}};
            const bool is_repeated =
                std::any_of(documents.begin(), documents.end(),
                            [&](const Json& earlier) { return earlier["id"] == document["id"]; });
            if (is_repeated) {
                continue;  // refused where a version is asked of it
            }
            if (chance_.happens(8)) {
                const Entry* known = model_.find(id_of(document["id"]));
                const uint64_t version = known == nullptr ? 0 : known->version;
                document["if_version"] = chance_.happens(60) ? version : version + 1;
                is_refused = is_refused || document["if_version"] != version;
            }
            if (chance_.happens(10)) {
                document["expires_at"] = chance_.expires_at();
            }
            if (has_side_ && chance_.happens(60)) {
                document["vectors"]["side"] = chance_.vector();
            }
            documents.push_back(std::move(document));
        }
        const Json answer =
            ask("PUT", path_ + "/documents", {{"documents", documents}}, is_refused ? 409 : 200);
        if (!is_refused) {
            model_.upsert(documents, answer["sequence"]);
        }
    }
    void update() {
        Json body = chance_.change();
        const Json what = body;
        if (chance_.happens(40)) {
            body["ids"] = chance_.ids(5);
            const Json answer = ask("PATCH", path_ + "/documents", body);
            expect(answer["updated"], model_.update(ids_of(body["ids"]), what, answer["sequence"]),
                   "updated");
        } else if (chance_.happens(20)) {
            body["filter"] = chance_.filter();
            const std::vector<Id> found = model_.matching(body["filter"]);
            const Json answer = ask("PATCH", path_ + "/documents", body);
            expect(answer["updated"], model_.update(found, what, answer["sequence"]), "updated");
        } else {
            update_one(what);
        }
    }
    void update_one(Json what) {
        const Id which = chance_.id();
        const Entry* known = model_.find(which);
        if (chance_.happens(40)) {
            what["vector"] = chance_.vector();
        }
        if (has_side_ && chance_.happens(30)) {
            what["vectors"]["side"] = chance_.vector();
        } else if (has_side_ && chance_.happens(20)) {
            what["remove_vectors"] = Json::array({"side"});
        }
        Json document = what;
        document["id"] = json_of(which);
        bool is_refused = false;
        if (chance_.happens(50)) {
            const uint64_t version = known == nullptr ? 1 : known->version;
            document["if_version"] = chance_.happens(70) ? version : version + 1;
            is_refused = known == nullptr || document["if_version"] != known->version;
        }
        const Json answer = ask("PATCH", path_ + "/documents", {{"documents", Json::array({document})}},
                                is_refused ? 409 : 200);
        if (!is_refused) {
            expect(answer["updated"], model_.update({which}, what, answer["sequence"]), "updated");
        }
    }
    void remove() {
        const Json which = chance_.ids(5);
        const Json answer = ask("POST", path_ + "/documents/delete", {{"ids", which}});
        expect(answer["deleted"], model_.remove(ids_of(which)), "deleted");
    }
    void remove_matching() {
        Json which = {{"must", Json::array({chance_.condition(), chance_.condition()})}};
        const std::vector<Id> found = model_.matching(which);
        const Json answer = ask("POST", path_ + "/documents/delete", {{"filter", which}});
        expect(answer["deleted"], model_.remove(found), "deleted");
    }
    Json document_of(const Id& which, bool has_vector, bool has_metadata) const {
        const Entry& entry = *model_.find(which);
        Json document = {{"id", json_of(which)}};
        if (has_vector) {
            document["vector"] = entry.vector;
        }
        if (has_vector && !entry.side.empty()) {
            document["vectors"]["side"] = entry.side;
        }
        if (has_metadata) {
            document["metadata"] = entry.metadata;
            if (!entry.expires_at.empty()) {
                document["expires_at"] = entry.expires_at;
            }
        }
        document["version"] = entry.version;
        return document;
    }
    void get() {
        const Json which = chance_.ids(6);
        Json expected = Json::array();
        for (const Id& one : ids_of(which)) {
            if (model_.find(one) != nullptr) {
                expected.push_back(document_of(one, true, true));
            }
        }
        expect(ask("POST", path_ + "/documents/get", {{"ids", which}})["documents"], expected, "documents");
    }
    void search() {
        const std::vector<int> target = chance_.vector();
        const uint64_t top_k = chance_.below(20) + 1;
        Json body = {{"vector", target}, {"top_k", top_k}};
        Json which = Json::object();
        if (chance_.happens(70)) {
            which = chance_.filter();
            body["filter"] = which;
        }
        if (chance_.happens(30)) {
            body["params"] = {{"exact", true}};
        }
        By by = By::kUnnamed;
        if (has_side_ && chance_.happens(40)) {
            by = By::kSide;
            body["using"] = "side";
        }
        const Json answer = ask("POST", path_ + "/search", body);
        expect(answer.value("matches", Json::array()), model_.search(target, which, top_k, by), "matches");
    }
    void search_groups() {
        const std::vector<int> target = chance_.vector();
        const uint64_t top_k = chance_.below(6) + 1;
        const uint64_t size = chance_.below(4) + 1;
        const Json answer =
            ask("POST", path_ + "/search",
                {{"vector", target}, {"top_k", top_k}, {"group_by", {{"key", "tag"}, {"size", size}}}});
        expect(answer.value("groups", Json::array()), model_.groups(target, "tag", top_k, size), "groups");
    }
    void count() {
        const Json which = chance_.filter();
        expect(ask("POST", path_ + "/count", {{"filter", which}})["count"], model_.matching(which).size(),
               "count");
    }
    void facet() {
        const Json which = chance_.happens(50) ? chance_.filter() : Json::object();
        const Json answer = ask("POST", path_ + "/facet", {{"key", "tag"}, {"filter", which}, {"limit", 5}});
        const Json expected = model_.facet("tag", which, 5);
        expect(answer.value("facets", Json::array()), expected["facets"], "facets");
        expect(answer.value("distinct", 0U), expected["distinct"], "distinct");
    }
    /// All pages, from the first to the last.
    void scroll() {
        const Json which = chance_.happens(60) ? chance_.filter() : Json::object();
        const bool is_ordered = chance_.happens(30);
        Json body = {{"limit", chance_.below(60) + 20}, {"filter", which}, {"include", {"metadata"}}};
        std::vector<Id> expected = model_.matching(which);
        if (is_ordered) {
            const bool descending = chance_.happens(50);
            body["order_by"] = {{"key", "n"}, {"direction", descending ? "desc" : "asc"}};
            std::erase_if(expected, [&](const Id& one) { return !model_.find(one)->metadata.contains("n"); });
            std::stable_sort(expected.begin(), expected.end(), [&](const Id& a, const Id& b) {
                const int64_t left = model_.find(a)->metadata["n"];
                const int64_t right = model_.find(b)->metadata["n"];
                return descending ? right < left : left < right;
            });
        }
        std::vector<Id> found;
        for (Json page; page.is_null() || !page.value("next_cursor", Json()).is_null();) {
            if (page.is_object()) {
                body["cursor"] = page["next_cursor"];
            }
            page = ask("POST", path_ + "/scroll", body);
            for (Json document : page.value("documents", Json::array())) {
                document.erase("order_value");
                found.push_back(id_of(document["id"]));
                if (model_.find(found.back()) == nullptr) {
                    throw Difference("a document that is not there: " + document.dump());
                }
                expect(document, document_of(found.back(), false, true), "a document of the page");
            }
        }
        if (found != expected) {
            throw Difference("pages have " + std::to_string(found.size()) + " documents, not " +
                             std::to_string(expected.size()) + ", or another order");
        }
    }

  public:
    const std::string& last() const { return last_; }
    size_t size() const { return model_.size(); }

  private:
    support::HttpConnection rest_;
    scenarios::RpcPlayer rpc_;
    const std::string name_;
    const std::string path_;
    const bool has_side_;  // a second vector, which documents may lack
    Chance chance_;
    Model model_;
    std::string last_;
};

/// False after a difference.
bool play(const Options& options) {
    const e2e::TemporaryDirectory directory;
    auto started = e2e::ServerProcess::start({.data_directory = directory.path() + "/data", .flags = {}});
    if (!started || !(*started)->wait_until_ready()) {
        std::fprintf(stderr, "the server did not start\n");
        return false;
    }
    const e2e::ServerProcess& server = **started;
    std::atomic<uint64_t> played{0};
    std::atomic<bool> has_failed{false};
    std::mutex printing;
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < options.threads; ++thread) {
        threads.emplace_back([&, thread] {
            History history(server, "model-" + std::to_string(thread), options.seed + thread);
            try {
                while (!has_failed && played.fetch_add(1) < options.operations) {
                    history.step();
                }
            } catch (const std::exception& difference) {
                has_failed = true;
                const std::lock_guard lock(printing);
                std::printf("seed %llu: %s\nafter %s\n",
                            static_cast<unsigned long long>(options.seed + thread), difference.what(),
                            history.last().c_str());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::printf("model: %llu operations over both protocols, seeds %llu to %llu, %s\n",
                static_cast<unsigned long long>(std::min<uint64_t>(played, options.operations)),
                static_cast<unsigned long long>(options.seed),
                static_cast<unsigned long long>(options.seed + options.threads - 1),
                has_failed ? "a difference" : "0 differences");
    return !has_failed;
}

}  // namespace
}  // namespace akidb::modelcheck

int main(int count, char** words) {
    akidb::modelcheck::Options options;
    for (int i = 1; i < count; i += 2) {
        const std::string word = words[i];
        const uint64_t value = i + 1 < count ? std::strtoull(words[i + 1], nullptr, 10) : 0;
        if (value == 0 || (word != "--operations" && word != "--seed" && word != "--threads")) {
            std::fprintf(stderr, "usage: model_check [--operations N] [--seed S] [--threads T]\n");
            return 64;
        }
        if (word == "--threads") {
            options.threads = static_cast<unsigned>(value);
        } else {
            (word == "--operations" ? options.operations : options.seed) = value;
        }
    }
    return akidb::modelcheck::play(options) ? 0 : 1;
}
