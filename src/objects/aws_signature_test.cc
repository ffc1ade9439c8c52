// The vectors of "Signature Calculations for the Authorization Header: Examples" (Amazon S3 API reference)
// and of the Signature Version 4 test suite.
#include "objects/aws_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/sha256.h"

namespace akidb::objects {
namespace {

constexpr uint64_t kDay = 1'369'353'600'000;  // 2013-05-24T00:00:00Z

Credentials example() {
    return {"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {}};
}

struct Vector {
    std::string_view method;
    std::string_view path;
    TextPairs query;
    TextPairs headers;  // beside the host, the date and the hash of the payload
    std::string payload;
    std::string_view signature;
};

std::string sign(const Vector& vector) {
    const std::string hash = sha256_hex(vector.payload);
    TextPairs headers = vector.headers;
    headers.emplace_back("host", "examplebucket.s3.amazonaws.com");
    headers.emplace_back("x-amz-content-sha256", hash);
    headers.emplace_back("x-amz-date", amz_date(kDay));
    return authorization({.method = vector.method,
                          .path = vector.path,
                          .query = vector.query,
                          .headers = headers,
                          .payload_sha256 = hash,
                          .region = "us-east-1",
                          .service = "s3",
                          .unix_ms = kDay},
                         example());
}

TEST(AwsSignature, IsThatOfTheExamplesOfS3) {
    const std::vector<Vector> vectors{
        {"GET",
         "/test.txt",
         {},
         {{"range", "bytes=0-9"}},
         "",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test%24file.text",
         {},
         {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
         "Welcome to Amazon S3.",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/",
         {{"lifecycle", ""}},
         {},
         "",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/",
         {{"prefix", "J"}, {"max-keys", "2"}},
         {},
         "",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (const Vector& vector : vectors) {
        EXPECT_THAT(sign(vector), testing::EndsWith("Signature=" + std::string(vector.signature)));
    }
}

TEST(AwsSignature, IsThatOfTheTestSuite) {
    const TextPairs headers{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
    EXPECT_EQ(authorization({.method = "GET",
                             .path = "/",
                             .query = {},
                             .headers = headers,
                             .payload_sha256 = sha256_hex(""),
                             .region = "us-east-1",
                             .service = "service",
                             .unix_ms = 1'440'938'160'000},
                            {"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}}),
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=host;x-amz-date, "
              "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(AwsSignature, EncodesAllButTheUnreserved) {
    EXPECT_EQ(uri_encoded("a b+c/\xc3\xa9=1~", Slash::kKept), "a%20b%2Bc/%C3%A9%3D1~");
    EXPECT_EQ(uri_encoded("a/b", Slash::kEncoded), "a%2Fb");
    EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "x y"}, {"c", ""}}), "a=x%20y&b=2&c=");
}

}  // namespace
}  // namespace akidb::objects
