#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "server/load_settings.h"
#include "server/settings_table.h"
#include "simd/kernels.h"

namespace akidb::server {
namespace {

using settings::Effective;
using settings::Finding;

Effective with(const std::map<std::string, std::string>& flags) {
    settings::Inputs inputs;
    inputs.flags = flags;
    settings::Parsed parsed = settings::parse(kSettings, inputs);
    EXPECT_TRUE(parsed.findings.empty());
    return parsed.effective;
}

std::vector<std::string> keys_of(const std::vector<Finding>& findings) {
    std::vector<std::string> keys;
    for (const Finding& finding : findings) {
        keys.push_back(finding.key);
    }
    return keys;
}

TEST(ServerSettings, DefaultsPassEveryCheck) {
    EXPECT_TRUE(cross_check(with({})).empty());
}

TEST(ServerSettings, AnswerToTheDocumentedVariables) {
    settings::Inputs inputs;
    inputs.environment = {{"AKIDB_SERVER_HOST", "127.0.0.2"},
                          {"AKIDB_SERVER_REST_PORT", "1001"},
                          {"AKIDB_SERVER_GRPC_PORT", "1002"},
                          {"AKIDB_METRICS_PORT", "1003"}};
    const settings::Parsed parsed = settings::parse(kSettings, inputs);
    EXPECT_TRUE(parsed.findings.empty());
    EXPECT_EQ(parsed.effective.text("server.host"), "127.0.0.2");
    EXPECT_EQ(parsed.effective.integer("server.rest_port"), 1001);
    EXPECT_EQ(parsed.effective.integer("server.grpc_port"), 1002);
    EXPECT_EQ(parsed.effective.integer("metrics.port"), 1003);
    EXPECT_EQ(place_of("server.host", parsed.effective), "environment AKIDB_SERVER_HOST");
}

TEST(ServerSettings, ACollectorOfTracesIsAnUrl) {
    EXPECT_TRUE(cross_check(with({{"traces.endpoint", "https://otel.example:4318"},
                                  {"traces.headers_file", "/etc/akidb/headers"}}))
                    .empty());
    for (const char* wrong : {"otel.example:4317", "grpc://otel.example", "http://me:word@otel.example"}) {
        EXPECT_THAT(keys_of(cross_check(with({{"traces.endpoint", wrong}}))),
                    testing::ElementsAre("traces.endpoint"));
    }
    EXPECT_THAT(keys_of(cross_check(with({{"traces.headers_file", "/h"}, {"traces.ca_file", "/c"}}))),
                testing::ElementsAre("traces.headers_file", "traces.ca_file"));
}

TEST(ServerSettings, APaceTowardsTheStoreIsNoneOrEnoughToEnd) {
    for (const auto& [key, least] : {std::pair{"s3.bandwidth_bytes_per_s", 65'536},
                                     std::pair{"backup.busy_bytes_per_second", 1'048'576}}) {
        EXPECT_TRUE(cross_check(with({{key, "0"}})).empty());
        EXPECT_TRUE(cross_check(with({{key, std::to_string(least)}})).empty());
        EXPECT_TRUE(cross_check(with({{key, std::to_string(least + 1)}})).empty());
        for (const int little : {1, least - 1}) {
            EXPECT_THAT(keys_of(cross_check(with({{key, std::to_string(little)}}))),
                        testing::ElementsAre(key));
        }
    }
}

TEST(ServerSettings, RefuseKernelsThatThisCpuLacks) {
    EXPECT_FALSE(check_kernels({}).has_value());
    EXPECT_FALSE(check_kernels({{kKernelsVariable, ""}}).has_value());
    const simd::Kernels* const* sets = nullptr;
    const size_t count = simd::runnable_kernels(&sets);
    for (size_t i = 0; i < count; ++i) {
        EXPECT_FALSE(check_kernels({{kKernelsVariable, sets[i]->name}}).has_value()) << sets[i]->name;
    }
    for (const char* name : {"mmx", "Scalar", "scalar ", "scala"}) {
        const std::optional<Finding> finding = check_kernels({{kKernelsVariable, name}});
        ASSERT_TRUE(finding.has_value()) << name;
        EXPECT_EQ(finding->place, "environment AKIDB_SIMD");
        EXPECT_EQ(finding->given, name);
        EXPECT_THAT(finding->allowed, testing::EndsWith("scalar"));
    }
}

TEST(ServerSettings, RefuseToListenBeyondLoopbackUnlessToldSo) {
    EXPECT_THAT(keys_of(cross_check(with({{"server.host", "0.0.0.0"}, {"metrics.host", "::"}}))),
                testing::ElementsAre("server.host", "metrics.host"));
    EXPECT_TRUE(
        cross_check(with({{"server.host", "0.0.0.0"}, {"server.insecure_i_understand", "true"}})).empty());
    for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
        EXPECT_TRUE(cross_check(with({{"server.host", host}})).empty()) << host;
    }
    EXPECT_THAT(keys_of(cross_check(with({{"server.host", "example.org"}}))),
                testing::ElementsAre("server.host"));
}

TEST(ServerSettings, ListenBeyondLoopbackWithBothAuthenticationAndTls) {
    const auto refused = [](const std::string& auth, const std::string& file) {
        return keys_of(cross_check(with({{"server.host", "0.0.0.0"},
                                         {"auth.enabled", auth},
                                         {"tls.certificate_file", file},
                                         {"tls.key_file", file}})));
    };
    EXPECT_THAT(refused("true", "a.pem"), testing::IsEmpty());
    for (const char* auth : {"auto", "false"}) {  // auto: open to whoever comes before the first user
        EXPECT_THAT(refused(auth, "a.pem"), testing::ElementsAre("server.host"));
    }
    EXPECT_THAT(refused("true", ""), testing::ElementsAre("server.host"));
}

TEST(ServerSettings, TellHalfAPairOfTls) {
    EXPECT_THAT(keys_of(cross_check(with({{"tls.certificate_file", "a.pem"}}))),
                testing::ElementsAre("tls.key_file"));
    EXPECT_THAT(keys_of(cross_check(with({{"tls.key_file", "a.pem"}}))),
                testing::ElementsAre("tls.certificate_file"));
    EXPECT_THAT(keys_of(cross_check(with({{"tls.client_ca_file", "a.pem"}}))),
                testing::ElementsAre("tls.client_ca_file"));
}

TEST(ServerSettings, TenantsKeysLieApartFromBackupsAndNeedAKeyThemselves) {
    const auto refused = [](const std::string& keys, const std::string& key_file = "/key") {
        return keys_of(cross_check(with({{"backup.to", "/backups/akidb"},
                                         {"tiers.to", "s3://tiers/akidb"},
                                         {"backup.key_file", key_file},
                                         {"backup.tenant_keys", keys}})));
    };
    for (const char* keys : {"/keys", "/backups/akidb-keys", "s3://keys", "s3://tiers/akidb2"}) {
        EXPECT_THAT(refused(keys), testing::IsEmpty()) << keys;
    }
    for (const char* keys : {"keys", "/backups/akidb", "/backups/akidb/", "/backups/akidb/keys", "/backups",
                             "s3://tiers", "s3://tiers/akidb/keys"}) {
        EXPECT_THAT(refused(keys), testing::ElementsAre("backup.tenant_keys")) << keys;
    }
    EXPECT_THAT(refused("/keys", ""), testing::ElementsAre("backup.tenant_keys"));
    EXPECT_THAT(refused("", ""), testing::IsEmpty());
}

TEST(ServerSettings, FindEveryClashInOneRun) {
    const std::vector<Finding> findings = cross_check(with({{"server.rest_port", "9000"},
                                                            {"server.grpc_port", "9000"},
                                                            {"metrics.port", "9000"},
                                                            {"drain.min_ms", "10"},
                                                            {"drain.max_ms", "9"},
                                                            {"database.path", "postgres://x"}}));
    EXPECT_THAT(keys_of(findings), testing::ElementsAre("server.grpc_port", "metrics.port", "metrics.port",
                                                        "database.path", "drain.min_ms"));
}

TEST(ServerSettings, LetAllPortsBeAnyFreeOne) {
    EXPECT_TRUE(
        cross_check(with({{"server.rest_port", "0"}, {"server.grpc_port", "0"}, {"metrics.port", "0"}}))
            .empty());
}

TEST(ServerSettings, PlaceTheCatalogInTheDataDirectory) {
    EXPECT_EQ(catalog_path(with({{"storage.data_dir", "/d"}})), "/d/akidb.db");
    EXPECT_EQ(catalog_path(with({{"database.path", "sqlite:///var/x.db"}})), "/var/x.db");
    for (const char* path : {"sqlite://", "sqlite://..", "sqlite://../x.db", "sqlite://a/b.db", "akidb.db"}) {
        EXPECT_FALSE(cross_check(with({{"database.path", path}})).empty()) << path;
    }
}

TEST(ServerSettings, OverlookWhatKubernetesSetsInEveryPod) {
    const char* const variables[] = {"AKIDB_SERVICE_HOST=10.0.0.1",
                                     "AKIDB_SERVICE_PORT_REST=8080",
                                     "AKIDB_PORT=tcp://10.0.0.1:8080",
                                     "AKIDB_PORT_8080_TCP_ADDR=10.0.0.1",
                                     "AKIDB_SERVER_HOSTS=typing error",
                                     "PATH=/bin",
                                     nullptr};
    EXPECT_THAT(settings_environment(variables),
                testing::ElementsAre(testing::Pair("AKIDB_SERVER_HOSTS", "typing error")));
}

TEST(ServerSettings, ReferencePageIsWhatTheTableSays) {
    const std::string path = AKIDB_SOURCE_DIR "/docs/generated/configuration.md";
    const std::string expected = settings::generate_markdown(kSettings);
    if (std::getenv("AKIDB_UPDATE_DOCS") != nullptr) {
        std::ofstream(path, std::ios::binary) << expected;
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), expected) << "run server_test with AKIDB_UPDATE_DOCS=1 and commit the page";
}

}  // namespace
}  // namespace akidb::server
