// What is known about S3 without a server: where a bucket is, who one is, and what answers mean.
#include "objects/s3_address.h"

#include <gtest/gtest.h>

#include <tuple>

#include "objects/credentials.h"
#include "objects/s3_reply.h"

namespace akidb::objects {
namespace {

S3Options options(const std::string& endpoint) {
    return {.endpoint = endpoint, .bucket = "vectors"};
}

TEST(S3Address, BuildsPathsForBothStyles) {
    const auto by_path = S3Address::parse(options("http://127.0.0.1:8480/"));
    ASSERT_TRUE(by_path) << by_path.error().message();
    EXPECT_EQ(by_path->host(), "127.0.0.1:8480");
    EXPECT_EQ(by_path->url(by_path->path("a/b c"), "x=1"), "http://127.0.0.1:8480/vectors/a/b%20c?x=1");
    EXPECT_EQ(by_path->path(""), "/vectors");
    S3Options host = options("https://S3.Example.com:443");
    host.addressing = Addressing::kHost;
    const auto by_host = S3Address::parse(host);
    ASSERT_TRUE(by_host) << by_host.error().message();
    EXPECT_EQ(by_host->url(by_host->path("a"), ""), "https://vectors.s3.example.com/a");
    EXPECT_EQ(by_host->path(""), "/");
    const auto amazon = S3Address::parse({.region = "eu-central-1", .bucket = "vectors"});
    EXPECT_EQ(amazon->host(), "s3.eu-central-1.amazonaws.com");
    EXPECT_TRUE(S3Address::parse(options("http://[::1]:8480")));
}

TEST(S3Address, RefusesWhatIsNoneAndWhereSecretsLie) {
    for (const char* endpoint :
         {"ftp://x", "127.0.0.1:80", "http://", "http://a b", "http://a/b", "http://user@host", "http://a:b",
          "http://a:123456", "http://169.254.169.254", "http://169.254.1.1:80", "http://[fe80::1]",
          "http://[fd00:ec2::254]", "http://metadata.google.internal",
          "http://METADATA.google.internal:80"}) {
        const auto parsed = S3Address::parse(options(endpoint));
        ASSERT_FALSE(parsed) << endpoint;
        EXPECT_EQ(parsed.error().field(), "endpoint");
    }
    for (const char* bucket : {"", "ab", "Upper", "a/b", "a_b"}) {
        EXPECT_EQ(S3Address::parse({.endpoint = "http://h", .bucket = bucket}).error().field(), "bucket");
    }
    EXPECT_EQ(
        S3Address::parse({.endpoint = "http://h", .region = "us east", .bucket = "abc"}).error().field(),
        "region");
}

TEST(S3Address, ReadsUrls) {
    S3Options read;
    ASSERT_TRUE(parse_s3_url("s3://vectors/backups/a/", read));
    EXPECT_EQ(std::tie(read.bucket, read.prefix), std::make_tuple("vectors", "backups/a"));
    ASSERT_TRUE(parse_s3_url("s3://vectors", read));
    EXPECT_EQ(read.prefix, "");
    EXPECT_FALSE(parse_s3_url("s3://vectors/../x", read));
    EXPECT_FALSE(parse_s3_url("http://vectors", read));
    EXPECT_FALSE(parse_s3_url("s3://", read));
    EXPECT_FALSE(parse_s3_url("s3:///a", read));
}

TEST(Credentials, ComeFromTheEnvironmentOrASharedFile) {
    const auto given = find_credentials({{}, {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}}});
    ASSERT_TRUE(given);
    EXPECT_EQ((*given)()->access_key, "A");
    const std::string text =
        "# mine\n[default]\naws_access_key_id = AK\naws_secret_access_key=S/K+=\n"
        "[other]\r\naws_access_key_id=B\r\naws_secret_access_key=C\r\naws_session_token=T\r\n";
    const auto first = parse_credentials(text, "default");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->access_key, "AK");
    EXPECT_EQ(first->secret_key.reveal(), "S/K+=");
    const auto other = parse_credentials(text, "other");
    ASSERT_TRUE(other);
    EXPECT_EQ(other->session_token.reveal(), "T");
    EXPECT_EQ(parse_credentials(text, "third").error().code(), Code::kUnauthenticated);
    EXPECT_EQ(find_credentials({{}, {}}).error().code(), Code::kUnauthenticated);
    EXPECT_EQ(find_credentials({"/nowhere/credentials", {}}).error().code(), Code::kNotFound);
}

TEST(S3Reply, MeansWhatItsCodeSays) {
    const auto code_of = [](int status, const std::string& code) {
        const io::HttpReply reply{
            status,
            code.empty() ? "" : "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code></Error>",
            {}};
        const Result<void> outcome = check_s3_reply(reply, "PUT b/k", ReplyBody::kWords);
        return outcome ? std::string("OK") : std::string(row_of(outcome.error().code()).name);
    };
    EXPECT_EQ(code_of(200, ""), "OK");
    EXPECT_EQ(code_of(204, ""), "OK");
    EXPECT_EQ(code_of(200, "InternalError"), "UNAVAILABLE");
    EXPECT_EQ(code_of(404, "NoSuchKey"), "NOT_FOUND");
    EXPECT_EQ(code_of(404, "NoSuchBucket"), "INVALID_ARGUMENT");
    EXPECT_EQ(code_of(403, "RequestTimeTooSkewed"), "PERMISSION_DENIED");
    EXPECT_EQ(code_of(503, "SlowDown"), "RESOURCE_EXHAUSTED");
    EXPECT_EQ(code_of(500, ""), "UNAVAILABLE");
    EXPECT_EQ(code_of(400, "XAmzContentSHA256Mismatch"), "UNAVAILABLE");
    EXPECT_EQ(code_of(400, ""), "INVALID_ARGUMENT");
    EXPECT_EQ(code_of(301, "PermanentRedirect"), "INVALID_ARGUMENT");
    EXPECT_EQ(code_of(412, "PreconditionFailed"), "ALREADY_EXISTS");
    // An object may look like an error.
    EXPECT_TRUE(check_s3_reply({200, "<Error><Code>X</Code></Error>", {}}, "GET b/k", ReplyBody::kObject));
}

}  // namespace
}  // namespace akidb::objects
