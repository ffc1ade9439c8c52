// A backup to a real S3 server, and a restore from it (tests/s3/s3_test.sh starts one and says where it is).
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "backup_fixture.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

class BackupS3Test : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return files_.path() + "/" + name; }
    std::string endpoint() const { return "http://127.0.0.1:" + environment("AKIDB_S3_PORT"); }

    std::unique_ptr<ServerProcess> start(const std::string& data,
                                         const std::vector<std::string>& more_flags = {}) {
        std::vector<std::string> flags{"--drain.min_ms",        "0",          "--s3.endpoint", endpoint(),
                                       "--s3.credentials_file", credentials()};
        flags.insert(flags.end(), more_flags.begin(), more_flags.end());
        auto started = ServerProcess::start({.data_directory = path(data), .flags = flags});
        EXPECT_TRUE(started) << started.error().message();
        EXPECT_TRUE((*started)->wait_until_ready());
        return std::move(*started);
    }

    std::string credentials() {
        const std::string file = path("credentials");
        std::ofstream(file) << "[default]\naws_access_key_id = " << environment("AWS_ACCESS_KEY_ID")
                            << "\naws_secret_access_key = " << environment("AWS_SECRET_ACCESS_KEY") << "\n";
        EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
        return file;
    }

    Finished run(std::vector<std::string> arguments) {
        auto finished = run_akidb(arguments);
        EXPECT_TRUE(finished) << finished.error().message();
        return std::move(*finished);
    }

    /// With where S3 is.
    Finished run_on_s3(std::vector<std::string> arguments) {
        for (const std::string& more : {std::string("--endpoint"), endpoint()}) {
            arguments.push_back(more);
        }
        return run(std::move(arguments));
    }

    /// A backup, which points begin with; at its start the server makes one too, and only one can at a time.
    void begin_points(const ServerProcess& server, const std::string& place) {
        const auto make_backup = [&] {
            return run({"backup", "create", "--url", server.rest_url(), "--to", place});
        };
        Finished made = make_backup();
        for (int tries = 0; tries < 100 && made.exit_code != kClean; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            made = make_backup();
        }
        ASSERT_EQ(made.exit_code, kClean) << made.err;
    }

    TemporaryDirectory files_;
};

TEST_F(BackupS3Test, TheServerDoesWhatBackupsNeed) {
    const Finished checked = run_on_s3({"s3", "check", "--bucket", "akidb-test"});
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
    EXPECT_THAT(checked.out, HasSubstr("ok    of 8 create-only writers one wins, 20 times\n"));
    const Finished wrong = run_on_s3({"s3", "check", "--bucket", "no-such-bucket"});
    EXPECT_NE(wrong.exit_code, 0);
    EXPECT_THAT(wrong.err, HasSubstr("there is no such bucket"));
    const Finished refused =
        run({"s3", "check", "--bucket", "akidb-test", "--endpoint", "http://169.254.169.254"});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, HasSubstr("no S3 server"));
}

TEST_F(BackupS3Test, ARestoreIsWhatWasBackedUp) {
    const std::string place = "s3://akidb-test" + files_.path();  // of this run alone
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    // Enough for a blob in parts.
    for (size_t batch = 0; batch < 12; ++batch) {
        Json body = {{"documents", Json::array()}};
        for (size_t number = batch * 2000; number < (batch + 1) * 2000; ++number) {
            Json document = document_of(number);
            document["metadata"]["text"] = std::string(1000, static_cast<char>('a' + number % 26));
            body["documents"].push_back(std::move(document));
        }
        ASSERT_EQ(ask(*server, "PUT", "/api/v1/collections/words/documents", body).status, 200);
    }
    const Finished first = run({"backup", "create", "--url", server->rest_url(), "--to", place, "--json"});
    ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
    ASSERT_EQ(ask(*server, "PUT", "/api/v1/collections/words/documents", documents_up_to(240)).status, 200);
    const Finished second = run({"backup", "create", "--url", server->rest_url(), "--to", place, "--json"});
    ASSERT_EQ(second.exit_code, 0) << second.out << second.err;
    const Json sent = Json::parse(second.out);
    const double share = 100 * sent["sent_bytes"].get<double>() / sent["bytes"].get<double>();
    std::printf("to S3, a second backup after a change of 1 %% sent %.2f %% of %llu bytes\n", share,
                sent["bytes"].get<unsigned long long>());
    EXPECT_LE(share, 3.0);
    const std::string metrics = get_url(server->metrics_url() + "/metrics").body.get<std::string>();
    EXPECT_THAT(metrics, testing::ContainsRegex(
                             "akidb_s3_requests_total.operation=\"put_file\",outcome=\"ok\". [1-9]"));
    EXPECT_THAT(metrics, testing::ContainsRegex("akidb_s3_bytes_total.direction=\"sent\". [1-9]"));
    EXPECT_THAT(metrics, HasSubstr("akidb_s3_breaker_state 0"));
    server.reset();
    const Finished listed = run_on_s3({"backup", "list", place, "--json"});
    EXPECT_EQ(Json::parse(listed.out)["backups"].size(), 2u) << listed.err;
    const Finished whole = run_on_s3({"backup", "verify", place, "--level", "3", "--scratch", files_.path()});
    EXPECT_EQ(whole.exit_code, 0) << whole.out << whole.err;
    const Finished pruned = run_on_s3({"backup", "prune", place, "--keep-last", "1"});
    EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
    const Finished restored = run_on_s3({"restore", "--from", place, "--data", path("restored")});
    ASSERT_EQ(restored.exit_code, 0) << restored.out << restored.err;
    auto again = start("restored");
    EXPECT_EQ(ask(*again, "POST", "/api/v1/collections/words/count", Json::object()).body["count"], 24'000);
    const Json one = ask(*again, "GET", "/api/v1/collections/words/documents/300").body;
    EXPECT_EQ(one["metadata"]["text"], std::string(1000, static_cast<char>('a' + 300 % 26)));
}

// The data directory is lost; from the archived log in the store comes back what it held at any sequence
// number, and all of it at the last.
TEST_F(BackupS3Test, PointsInTimeAreRestored) {
    constexpr uint64_t kSteps = 150;
    const std::string place = "s3://akidb-test" + files_.path();
    auto server = start("data", {"--backup.to", place, "--backup.archive_interval_s", "1"});
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    ASSERT_NO_FATAL_FAILURE(begin_points(*server, place));
    // Each step is one write, so the sequence number counts them: ids of 0 to 9 in turn, every fourth a
    // removal.
    std::vector<std::vector<size_t>> ids_at{{}};
    for (uint64_t step = 1; step <= kSteps; ++step) {
        std::vector<size_t> ids = ids_at.back();
        const size_t id = step % 10;
        const auto known = std::find(ids.begin(), ids.end(), id);
        JsonReply reply;
        if (step % 4 == 0 && known != ids.end()) {
            ids.erase(known);
            reply = ask(*server, "POST", "/api/v1/collections/words/documents/delete", {{"ids", {id}}});
        } else {
            if (known == ids.end()) {
                ids.push_back(id);
            }
            reply = ask(*server, "PUT", "/api/v1/collections/words/documents",
                        {{"documents", Json::array({document_of(id)})}});
        }
        ASSERT_EQ(reply.status, 200) << reply.body;
        ASSERT_EQ(reply.body["sequence"], step);
        std::sort(ids.begin(), ids.end());
        ids_at.push_back(std::move(ids));
        if (step == kSteps / 2) {
            ASSERT_NO_FATAL_FAILURE(await_rounds(*server, 1));
        }
    }
    ASSERT_NO_FATAL_FAILURE(await_rounds(*server, 2));
    server->kill_now();
    fs::remove_all(path("data"));
    const auto ids_of = [&](const std::string& data, const std::string& collection) {
        auto again = start(data);
        const Json reply = ask(*again, "POST", "/api/v1/collections/" + collection + "/scroll",
                               {{"limit", 100}, {"include", Json::array()}})
                               .body;
        std::vector<size_t> ids;
        for (const Json& document : reply.value("documents", Json::array())) {
            ids.push_back(document["id"]);
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    };
    for (const uint64_t sequence : {1U, 3U, 17U, 40U, 75U, 76U, 77U, 98U, 121U, 149U}) {
        const std::string data = "at-" + std::to_string(sequence);
        const Finished restored = run_on_s3({"restore", "--from", place, "--data", path(data), "--collection",
                                             "words", "--as", "then", "--to-seq", std::to_string(sequence)});
        ASSERT_EQ(restored.exit_code, kClean) << restored.out << restored.err;
        EXPECT_EQ(ids_of(data, "then"), ids_at[sequence]) << sequence;
    }
    const Finished whole =
        run_on_s3({"restore", "--from", place, "--data", path("last"), "--to-time", "latest"});
    ASSERT_EQ(whole.exit_code, kClean) << whole.out << whole.err;
    EXPECT_EQ(ids_of("last", "words"), ids_at.back());
    const Finished beyond = run_on_s3({"restore", "--from", place, "--data", path("beyond"), "--collection",
                                       "words", "--as", "then", "--to-seq", std::to_string(kSteps + 1)});
    EXPECT_NE(beyond.exit_code, kClean) << "nobody wrote so much";
    EXPECT_FALSE(fs::exists(path("beyond")));
}

}  // namespace
}  // namespace akidb::e2e
