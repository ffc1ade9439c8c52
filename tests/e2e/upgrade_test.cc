// An upgrade as an operator sees it: the directory of an older server (the files of today without what the
// last version of the catalog brought), the check before, a start that keeps what was there, and the way back
// of docs/upgrade.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "catalog/sqlite.h"
#include "json_requests.h"

namespace akidb::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

using Tree = std::map<std::string, std::string>;

Tree tree_of(const std::string& directory) {
    Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file()) {
            std::ifstream file(entry.path(), std::ios::binary);
            tree[fs::relative(entry.path(), directory)].assign(std::istreambuf_iterator<char>(file), {});
        }
    }
    return tree;
}

class UpgradeTest : public testing::Test {
  protected:
    /// What a server of before the last version of the catalog leaves: the same files, but for what that
    /// version brought (src/catalog/schema.cc).
    void SetUp() override {
        {
            auto server = start();
            const Json words = {{"name", "words"}, {"dimension", 16}, {"metric", "l2"}};
            ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", words).status, 201);
            Json documents = Json::array();
            for (const Json& id : {Json("first"), Json(2), Json(3)}) {
                documents.push_back({{"id", id}, {"vector", std::vector<float>(16, 0.5F)}});
            }
            ASSERT_EQ(
                ask(*server, "PUT", "/api/v1/collections/words/documents", {{"documents", documents}}).status,
                200);
            stop(*server);
        }
        for (const auto& entry : fs::directory_iterator(data())) {
            const std::string name = entry.path().filename();
            if (name != "akidb.db" && name != "collections") {
                fs::remove_all(entry.path());
            }
        }
        auto connection = catalog::Connection::open(data() + "/akidb.db");
        ASSERT_TRUE(connection) << connection.error().message();
        const auto undone = connection->execute("DROP TABLE tier_objects; PRAGMA user_version = 8;");
        ASSERT_TRUE(undone) << undone.error().message();
    }
    std::string data() const { return files_.path() + "/data"; }

    Json check(int expected) {
        const auto checked = run_akidb({"upgrade", "--check", data(), "--json"});
        EXPECT_TRUE(checked);
        EXPECT_EQ(checked->exit_code, expected) << checked->out << checked->err;
        return Json::parse(checked->out, nullptr, false);
    }
    std::unique_ptr<ServerProcess> start() {
        auto started = ServerProcess::start({.data_directory = data(), .flags = {"--drain.min_ms", "0"}});
        EXPECT_TRUE(started) << started.error().message();
        EXPECT_TRUE((*started)->wait_until_ready());
        return std::move(*started);
    }
    static void stop(ServerProcess& server) {
        server.send_signal(SIGTERM);
        EXPECT_EQ(server.wait_for_exit(30'000).value_or(-1), kClean);
    }
    fs::path copy() const {
        fs::path found;
        for (const auto& entry : fs::directory_iterator(data())) {
            if (entry.path().filename().string().starts_with("before-upgrade-")) {
                EXPECT_TRUE(found.empty()) << "one is kept";
                found = entry.path();
            }
        }
        return found;
    }

    TemporaryDirectory files_;
};

TEST_F(UpgradeTest, AStartKeepsWhatWasThereAndTheWayBackHasTheOldBytes) {
    const Tree before = tree_of(data());
    const Json told = check(kClean);
    EXPECT_EQ(told["verdict"], "upgrades");
    EXPECT_EQ(tree_of(data()), before);
    {
        auto server = start();
        EXPECT_THAT(server->log(), HasSubstr("before-upgrade-8-"));
        ASSERT_FALSE(copy().empty());
        EXPECT_EQ(tree_of(copy()), before);
        EXPECT_EQ(check(kClean)["verdict"], "current") << "beside a running server, too";
        // What comes next, down to the removal of the old files, does not reach what was kept.
        const JsonReply found = ask(*server, "POST", "/api/v1/collections/words/documents/get",
                                    {{"ids", {"first", 3}}, {"include", {"vector"}}});
        EXPECT_EQ(found.status, 200) << found.body;
        Json more = {{"documents", Json::array()}};
        for (int id = 100; id < 200; ++id) {
            more["documents"].push_back({{"id", id}, {"vector", std::vector<float>(16, 1.0F)}});
        }
        ASSERT_EQ(ask(*server, "PUT", "/api/v1/collections/words/documents", more).status, 200);
        ASSERT_EQ(ask(*server, "POST", "/api/v1/collections/words/documents/erase", {{"ids", {3}}}).status,
                  200);
        stop(*server);
    }
    {
        auto again = start();
        EXPECT_EQ(tree_of(copy()), before) << "a later start keeps it as it is";
        stop(*again);
    }
    // docs/upgrade.md, "Back with what was kept".
    const std::string commands = "set -e; cd '" + data() +
                                 "'; mkdir after-upgrade; mv akidb.db* collections FORMATS after-upgrade/; "
                                 "[ ! -e TIMELINE ] || mv TIMELINE after-upgrade/; "
                                 "mv before-upgrade-*/* .; rmdir before-upgrade-*";
    ASSERT_EQ(std::system(commands.c_str()), 0);
    Tree back = tree_of(data());
    for (auto file = back.begin(); file != back.end();) {
        const bool is_of_old = file->first == "akidb.db" || file->first.starts_with("collections/");
        file = is_of_old ? std::next(file) : back.erase(file);
    }
    EXPECT_EQ(back, before);
    EXPECT_EQ(check(kClean)["verdict"], "upgrades")
        << "an older server would take it; this one upgrades again";
}

TEST_F(UpgradeTest, WithoutACopyWhenNobodyWantsOneAndRefusedWhereANewerWrote) {
    auto server = ServerProcess::start(
        {.data_directory = data(), .flags = {"--drain.min_ms", "0", "--upgrade.copy_days", "0"}});
    ASSERT_TRUE(server) << server.error().message();
    EXPECT_TRUE((*server)->wait_until_ready());
    EXPECT_TRUE(copy().empty());
    stop(**server);
    std::ofstream(data() + "/FORMATS") << "log 99\n";
    const Json newer = check(kDamaged);
    EXPECT_EQ(newer["verdict"], "newer");
    EXPECT_THAT(newer["newer"][0].get<std::string>(), HasSubstr("99"));
    const auto refused = ServerProcess::start({.data_directory = data()});
    ASSERT_TRUE(refused) << refused.error().message();
    EXPECT_EQ((*refused)->wait_for_exit(30'000).value_or(-1), kDamaged);
    EXPECT_THAT((*refused)->log(), HasSubstr("a newer AkiDB"));
    const auto usage = run_akidb({"upgrade", data()});
    ASSERT_TRUE(usage);
    EXPECT_EQ(usage->exit_code, 64);
    EXPECT_THAT(usage->err, HasSubstr("--check"));
}

}  // namespace
}  // namespace akidb::e2e
