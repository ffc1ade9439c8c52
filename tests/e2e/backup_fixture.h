// What the tests of backups share: a server on a directory of its own, documents whose vectors follow from a
// number, which a model knows, and the verbs. For tests only.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "json_requests.h"

namespace akidb::e2e {

namespace fs = std::filesystem;

/// Ids and a number of each document's metadata.
using Model = std::map<uint64_t, uint64_t>;

/// Of a series, as a scrape tells it; 0 when it is not there.
inline double metric(const ServerProcess& server, const std::string& series) {
    const Json text = get_url(server.metrics_url() + "/metrics").body;
    const std::string all = text.is_string() ? "\n" + text.get<std::string>() : std::string();
    const size_t at = all.find("\n" + series + " ");
    return at == std::string::npos ? 0 : std::stod(all.substr(at + series.size() + 2));
}

/// Until the log was archived `count` times more.
inline void await_rounds(const ServerProcess& server, double count) {
    constexpr const char* kRounds = "akidb_log_archive_rounds_total{outcome=\"ok\"}";
    const double before = metric(server, kRounds);
    for (int i = 0; i < 3000 && metric(server, kRounds) < before + count; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_GE(metric(server, kRounds), before + count);
}

class BackupTest : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return files_.path() + "/" + name; }
    std::string backups() const { return path("backups"); }

    /// Of small checkpoints, so that there are segments, unless a test needs to know when files are written.
    std::unique_ptr<ServerProcess> start(const std::string& data,
                                         const std::string& checkpoint_bytes = "1048576",
                                         const std::vector<std::string>& more_flags = {}) {
        std::vector<std::string> flags{
            "--drain.min_ms",         "0",   "--storage.checkpoint_log_bytes", checkpoint_bytes,
            "--index.graph_rows_min", "1000"};
        flags.insert(flags.end(), more_flags.begin(), more_flags.end());
        auto started = ServerProcess::start({.data_directory = path(data), .flags = flags});
        EXPECT_TRUE(started) << started.error().message();
        EXPECT_TRUE((*started)->wait_until_ready());
        return std::move(*started);
    }

    static void write(ServerProcess& server, const std::string& collection, const Model& documents) {
        Json body = {{"documents", Json::array()}};
        for (const auto& [id, number] : documents) {
            body["documents"].push_back(
                {{"id", id}, {"vector", vector_of(id * 1000 + number)}, {"metadata", {{"number", number}}}});
            if (body["documents"].size() == 5000 || id == documents.rbegin()->first) {
                const JsonReply reply =
                    ask(server, "PUT", "/api/v1/collections/" + collection + "/documents", body);
                ASSERT_EQ(reply.status, 200) << reply.body;
                body["documents"] = Json::array();
            }
        }
    }

    static Model read(ServerProcess& server, const std::string& collection) {
        Model found;
        Json body = {{"limit", 5000}, {"include", {"metadata", "vector"}}};
        while (true) {
            const JsonReply reply =
                ask(server, "POST", "/api/v1/collections/" + collection + "/scroll", body);
            EXPECT_EQ(reply.status, 200) << reply.body;
            for (const Json& document : reply.body["documents"]) {
                const uint64_t id = document["id"];
                found[id] = document["metadata"]["number"];
                EXPECT_EQ(document["vector"][0].get<float>(), vector_of(id * 1000 + found[id])[0]);
            }
            if (!reply.body.contains("next_cursor") || reply.body["next_cursor"].is_null()) {
                return found;
            }
            body["cursor"] = reply.body["next_cursor"];
        }
    }

    Json back_up(ServerProcess& server) {
        const auto made =
            run_akidb({"backup", "create", "--url", server.rest_url(), "--to", backups(), "--json"});
        EXPECT_TRUE(made);
        EXPECT_EQ(made->exit_code, kClean) << made->err;
        return Json::parse(made->out, nullptr, false);
    }

    Json list() {
        const auto listed = run_akidb({"backup", "list", backups(), "--json"});
        EXPECT_TRUE(listed);
        const Json answer = Json::parse(listed->out, nullptr, false);
        return answer.is_object() ? answer.value("backups", Json::array()) : Json::array();
    }

    Finished run(std::vector<std::string> arguments) {
        auto finished = run_akidb(arguments);
        EXPECT_TRUE(finished) << finished.error().message();
        return std::move(*finished);
    }

    /// A blob of the newest backup that is large enough to be a segment.
    fs::path large_blob() const {
        fs::path found;
        for (const auto& entry : fs::recursive_directory_iterator(backups() + "/blobs")) {
            if (entry.is_regular_file() && (found.empty() || entry.file_size() > fs::file_size(found))) {
                found = entry.path();
            }
        }
        return found;
    }

    TemporaryDirectory files_;
};

}  // namespace akidb::e2e
