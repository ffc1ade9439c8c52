// What tests of the routes share: a real service on a real disk, asked without sockets.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "io/posix_file_system.h"
#include "rest/api.h"

namespace akidb::rest {

inline HttpResponse ask(HttpHandler& handler, const std::string& method, const std::string& target,
                        std::string body = "", const std::string& content_type = "application/json") {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    request.query = target.find('?') == std::string::npos ? "" : target.substr(target.find('?') + 1);
    request.content_type = content_type;
    request.body = std::move(body);
    request.request_id = "request-1";
    auto answer = std::make_shared<std::promise<HttpResponse>>();
    std::future<HttpResponse> waiting = answer->get_future();
    handler.handle(std::move(request),
                   [answer](HttpResponse response) { answer->set_value(std::move(response)); });
    return waiting.get();
}

inline std::string vector_of(float first) {
    std::string text = "[" + std::to_string(first);
    for (int i = 1; i < 16; ++i) {
        text.append(",0.5");
    }
    return text + "]";
}

class ApiTest : public testing::Test {
  protected:
    ApiTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-rest-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        EXPECT_TRUE(files_->make_directory(root_ + "/collections"));
        catalog_ = std::move(catalog::Catalog::open(root_ + "/catalog.db")).value();
        directory_ = std::make_unique<service::Directory>(
            engine::Dependencies{*files_, *clock_, *pool_, logger_, metrics_, nullptr, pool_.get()}, *random_,
            *catalog_, root_ + "/collections", engine::CollectionOptions{});
        service_ = std::make_unique<service::Service>(*directory_, *clock_, *random_);
        api_ = make_api({lifecycle_, *workers_, *clock_, metrics_, logger_});
    }
    ~ApiTest() override {
        workers_.reset();
        EXPECT_TRUE(directory_->close_all(false));
        while (pool_->pending() > 0) {
            std::this_thread::yield();
        }
        pool_.reset();
        std::filesystem::remove_all(root_);
    }
    void load() {
        lifecycle_.attach(*directory_);
        ASSERT_TRUE(directory_->start_loading(*pool_));
        while (!directory_->progress().finished) {
            std::this_thread::yield();
        }
        api_->attach_service(*service_);
    }
    void load_words() {
        load();
        HttpResponse made =
            ask(*api_, "POST", "/api/v1/collections", R"({"name":"words","dimension":16,"metric":"l2"})");
        ASSERT_EQ(made.status, 201) << made.body;
    }
    HttpResponse words(const std::string& method, const std::string& rest, std::string body = "") {
        return ask(*api_, method, "/api/v1/collections/words" + rest, std::move(body));
    }
    void put(const std::string& documents) {
        HttpResponse response = words("PUT", "/documents", R"({"documents":[)" + documents + "]}");
        ASSERT_EQ(response.status, 200) << response.body;
    }

    std::string root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    NullLogger logger_;
    telemetry::Metrics metrics_;
    service::Lifecycle lifecycle_{*clock_};
    std::unique_ptr<io::ThreadPool> pool_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "pool", .threads = 2});
    std::unique_ptr<io::ThreadPool> workers_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "workers", .threads = 2});
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<service::Service> service_;
    std::unique_ptr<Api> api_;
};

inline bool contains(const HttpResponse& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

}  // namespace akidb::rest
