// Runs every example of docs/filters.md: the documents of its block marked `json`, one a line, are put into a
// server, and each table row of a filter and the ids that it finds is asked for; once without metadata
// indexes and once with.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include "json_requests.h"

namespace akidb::docs {
namespace {

using e2e::Json;

struct Page {
    struct Example {
        size_t line = 0;
        Json filter;
        std::set<Json> found;
    };
    Json documents = Json::array();
    std::vector<Example> examples;
};

Page read_page(const std::string& path) {
    std::ifstream file(path);
    Page page;
    bool in_block = false;
    std::string line;
    for (size_t number = 1; std::getline(file, line); ++number) {
        const size_t cut = line.find("` | ");
        if (line.starts_with("```")) {
            in_block = line == "```json";
        } else if (in_block) {
            page.documents.push_back(Json::parse(line));
            page.documents.back()["vector"] = e2e::vector_of(1);
        } else if (line.starts_with("| `{") && cut != std::string::npos &&
                   line.find("\"key\":…") == std::string::npos) {
            std::string ids = line.substr(cut + 4);
            ids.erase(ids.rfind(" |"));
            const Json found = Json::parse(ids == "none" ? "[]" : "[" + ids + "]");
            page.examples.push_back(
                {number, Json::parse(line.substr(3, cut - 3)), {found.begin(), found.end()}});
        }
    }
    return page;
}

// Behind the page's documents come as many as an index is worth making for; they are left out of answers.
constexpr size_t kFirstFiller = 1'000;
constexpr size_t kFillers = 200;

class FiltersPage : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(page_.documents.size(), 4U) << "docs/filters.md has lost its documents";
        ASSERT_GE(page_.examples.size(), 30U) << "docs/filters.md has lost its examples";
        auto started = e2e::ServerProcess::start({.data_directory = directory_.path()});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
    }
    void create(const Json& indexes) {
        const Json collection{{"name", "page"},
                              {"dimension", e2e::kDimension},
                              {"metric", "l2"},
                              {"metadata_indexes", indexes}};
        ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection).status, 201);
        Json documents = page_.documents;
        for (size_t i = 0; i < kFillers; ++i) {
            documents.push_back({{"id", kFirstFiller + i}, {"vector", e2e::vector_of(i)}});
        }
        ASSERT_EQ(request("PUT", "/documents", {{"documents", documents}}).status, 200);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!are_ready(request("GET", "").body["metadata_indexes"])) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the indexes are not made";
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }
    static bool are_ready(const Json& indexes) {
        return std::all_of(indexes.begin(), indexes.end(),
                           [](const Json& one) { return one["ready"] == true; });
    }
    void expect_what_the_page_says() {
        for (const Page::Example& example : page_.examples) {
            const Json search{{"vector", e2e::vector_of(1)}, {"filter", example.filter}, {"top_k", 1'000}};
            const e2e::JsonReply reply = request("POST", "/search", search);
            ASSERT_EQ(reply.status, 200) << "docs/filters.md:" << example.line << ": " << reply.body;
            std::set<Json> found;
            for (const Json& match : reply.body["matches"]) {
                if (!match["id"].is_number() || match["id"] < kFirstFiller) {
                    found.insert(match["id"]);
                }
            }
            EXPECT_EQ(found, example.found) << "docs/filters.md:" << example.line;
        }
    }
    e2e::JsonReply request(std::string_view method, const std::string& path, const Json& body = nullptr) {
        return ask(*server_, method, "/api/v1/collections/page" + path, body);
    }

    const Page page_ = read_page(AKIDB_SOURCE "/docs/filters.md");
    e2e::TemporaryDirectory directory_;
    std::unique_ptr<e2e::ServerProcess> server_;
};

TEST_F(FiltersPage, EveryExampleFindsWhatThePageSays) {
    ASSERT_NO_FATAL_FAILURE(create(Json::object()));
    expect_what_the_page_says();
}

TEST_F(FiltersPage, EveryExampleFindsTheSameByIndexes) {
    ASSERT_NO_FATAL_FAILURE(create({{"city", "keyword"},
                                    {"name", "keyword"},
                                    {"tags", "keyword"},
                                    {"stars", "float"},
                                    {"opened", "datetime"},
                                    {"rooms.seats", "integer"},
                                    {"rooms[].name", "uuid"}}));
    expect_what_the_page_says();
}

}  // namespace
}  // namespace akidb::docs
