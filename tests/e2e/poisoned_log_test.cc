// Promise 8: after a failed sync nothing more is acknowledged, the server says so and ends with 74, and a
// restart on a disk that works again has every acknowledged document.
#include <gmock/gmock.h>

#include <fstream>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

Json only_document(size_t number) {
    return {{"documents", Json::array({document_of(number)})}};
}

TEST(PoisonedLog, EndsTheServerWith74AndKeepsWhatWasAcknowledged) {
    const TemporaryDirectory files;
    const std::string trigger = files.path() + "/sync-fails";
    ServerOptions options{.data_directory = files.path() + "/data", .flags = {"--drain.min_ms", "3000"}};
    options.environment = {{"LD_PRELOAD", AKIDB_FAILING_SYNC}, {"SYNC_FAILS_WHILE", trigger}};
    Result<std::unique_ptr<ServerProcess>> server = ServerProcess::start(options);
    ASSERT_TRUE(server.has_value()) << server.error().message();
    ASSERT_TRUE((*server)->wait_until_ready().has_value());
    ASSERT_EQ(ask(**server, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
    ASSERT_EQ(ask(**server, "PUT", kDocuments, only_document(1)).status, 200);

    std::ofstream(trigger) << "now";
    EXPECT_EQ(ask(**server, "PUT", kDocuments, only_document(2)).status, 503);
    EXPECT_EQ(ask(**server, "GET", kDocuments + "/2").status, 404) << "what is not durable must not be seen";
    EXPECT_EQ(ask(**server, "GET", kDocuments + "/1").status, 200) << "reads go on until the ports close";
    EXPECT_EQ(ask(**server, "GET", "/ready").status, 503);
    ASSERT_EQ(::rename(trigger.c_str(), (trigger + ".gone").c_str()), 0);
    EXPECT_EQ(ask(**server, "PUT", kDocuments, only_document(3)).status, 503)
        << "a good sync afterwards proves nothing";
    const Result<int> exit_code = (*server)->wait_for_exit(20'000);
    ASSERT_TRUE(exit_code.has_value()) << exit_code.error().message();
    EXPECT_EQ(*exit_code, kIo) << (*server)->log();

    options.environment.clear();
    server = ServerProcess::start(options);
    ASSERT_TRUE(server.has_value()) << server.error().message();
    ASSERT_TRUE((*server)->wait_until_ready().has_value());
    EXPECT_EQ(ask(**server, "GET", kDocuments + "/1").status, 200);
    EXPECT_EQ(ask(**server, "GET", kDocuments + "/3").status, 404)
        << "it was refused before it reached the log";
    EXPECT_EQ(ask(**server, "PUT", kDocuments, only_document(4)).status, 200);
}

}  // namespace
}  // namespace akidb::e2e
