// A backup to a real S3 server, and a restore from it (tests/s3/s3_test.sh starts one and says where it is).
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

class BackupS3Test : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return files_.path() + "/" + name; }
    std::string endpoint() const { return "http://127.0.0.1:" + variable("AKIDB_S3_PORT"); }

    std::unique_ptr<ServerProcess> start(const std::string& data) {
        auto started = ServerProcess::start({.data_directory = path(data),
                                             .flags = {"--drain.min_ms", "0", "--s3.endpoint", endpoint(),
                                                       "--s3.credentials_file", credentials()}});
        EXPECT_TRUE(started) << started.error().message();
        EXPECT_TRUE((*started)->wait_until_ready());
        return std::move(*started);
    }

    std::string credentials() {
        const std::string file = path("credentials");
        std::ofstream(file) << "[default]\naws_access_key_id = " << variable("AWS_ACCESS_KEY_ID")
                            << "\naws_secret_access_key = " << variable("AWS_SECRET_ACCESS_KEY") << "\n";
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

}  // namespace
}  // namespace akidb::e2e
