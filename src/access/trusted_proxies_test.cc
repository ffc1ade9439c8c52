#include "access/trusted_proxies.h"

#include <gtest/gtest.h>

#include "access/ip_address.h"

namespace akidb::access {
namespace {

IpAddress ip(std::string_view text) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    EXPECT_TRUE(address.has_value()) << text;
    return address.value_or(IpAddress{});
}

TEST(IpAddress, ReadsOneSpellingOfEachAddress) {
    EXPECT_EQ(ip("192.0.2.1").to_string(), "192.0.2.1");
    EXPECT_EQ(ip("2001:DB8:0::1").to_string(), "2001:db8::1");
    EXPECT_EQ(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    EXPECT_NE(ip("::1"), ip("0.0.0.1"));
    for (const char* wrong :
         {"", "192.0.2", "192.0.2.256", "0300.0.2.1", "192.0.2.1 ", "[::1]", "::1%eth0", "localhost",
          "1.2.3.4:80", "12345::", "::ffff:1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18"}) {
        EXPECT_FALSE(IpAddress::parse(wrong).has_value()) << wrong;
    }
    EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)).has_value());
}

TEST(IpAddress, CutsPrefixesAtEveryBit) {
    EXPECT_EQ(ip("192.0.2.255").prefix(32), ip("192.0.2.255"));
    EXPECT_EQ(ip("192.0.2.255").prefix(25), ip("192.0.2.128"));
    EXPECT_EQ(ip("192.0.2.255").prefix(0), ip("0.0.0.0"));
    EXPECT_EQ(ip("2001:db8:1:2:3::4").prefix(64), ip("2001:db8:1:2::"));
    EXPECT_EQ(ip("2001:db8:1:2:3::4").prefix(48), ip("2001:db8:1::"));
}

TEST(IpRange, ContainsWhatItSays) {
    const IpRange range = IpRange::parse("10.1.0.0/16").value();
    EXPECT_TRUE(range.contains(ip("10.1.255.255")));
    EXPECT_FALSE(range.contains(ip("10.2.0.0")));
    EXPECT_FALSE(range.contains(ip("::10.1.0.1")));
    EXPECT_TRUE(IpRange::parse("::1").value().contains(ip("::1")));
    EXPECT_TRUE(IpRange::parse("0.0.0.0/0").value().contains(ip("203.0.113.9")));
    for (const char* wrong :
         {"10.1.0.1/16", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8 ", "::/129", "/8", "10.0.0.0/-1"}) {
        EXPECT_FALSE(IpRange::parse(wrong).has_value()) << wrong;
    }
}

class TrustedProxiesTest : public ::testing::Test {
  protected:
    Source client(std::string_view socket, std::vector<std::string_view> headers) {
        return proxies_.find_client(ip(socket), headers);
    }
    TrustedProxies proxies_ =
        TrustedProxies::parse(std::vector<std::string>{"10.0.0.0/8", "2001:db8::/32"}).value();
};

TEST_F(TrustedProxiesTest, WithoutProxiesTheHeaderCountsForNothing) {
    const std::vector<std::string_view> forged{"203.0.113.9"};
    const Source source = TrustedProxies().find_client(ip("192.0.2.1"), forged);
    EXPECT_EQ(source.address, ip("192.0.2.1"));
    EXPECT_EQ(source.origin, SourceOrigin::kSocket);
    EXPECT_EQ(client("192.0.2.1", {"203.0.113.9"}).address, ip("192.0.2.1"))
        << "the peer is no trusted proxy";
}

TEST_F(TrustedProxiesTest, TakesTheRightmostAddressThatIsNoProxy) {
    EXPECT_EQ(client("10.0.0.1", {"203.0.113.9"}).address, ip("203.0.113.9"));
    EXPECT_EQ(client("10.0.0.1", {"198.51.100.7, 203.0.113.9, 10.2.3.4"}).address, ip("203.0.113.9"))
        << "what stands on the left a client may have written";
    EXPECT_EQ(client("10.0.0.1", {"198.51.100.7", "203.0.113.9", "10.2.3.4"}).address, ip("203.0.113.9"))
        << "several headers are one list";
    EXPECT_EQ(client("2001:db8::5", {"203.0.113.9"}).address, ip("203.0.113.9"));
    EXPECT_EQ(client("10.0.0.1", {"10.0.0.3,10.0.0.2"}).address, ip("10.0.0.3")) << "a client inside";
    EXPECT_EQ(client("10.0.0.1", {}).address, ip("10.0.0.1"));
}

TEST_F(TrustedProxiesTest, ReadsTheFormsThatProxiesWrite) {
    EXPECT_EQ(client("10.0.0.1", {"203.0.113.9:4711"}).address, ip("203.0.113.9"));
    EXPECT_EQ(client("10.0.0.1", {"[2001:db9::1]:443"}).address, ip("2001:db9::1"));
    EXPECT_EQ(client("10.0.0.1", {"[2001:db9::1]"}).address, ip("2001:db9::1"));
    EXPECT_EQ(client("10.0.0.1", {"2001:db9::1"}).address, ip("2001:db9::1"));
    EXPECT_EQ(client("10.0.0.1", {"\t203.0.113.9 "}).address, ip("203.0.113.9"));
}

TEST_F(TrustedProxiesTest, FallsBackToTheSocketOnJunk) {
    for (const char* junk :
         {"", "unknown", "203.0.113.9,", ",203.0.113.9,", "203.0.113.9 198.51.100.7", "[203.0.113.9]",
          "203.0.113.9:", "203.0.113.9:port", "[2001:db9::1", "[2001:db9::1]x", "<script>", "_hidden"}) {
        const Source source = client("10.0.0.1", {junk});
        EXPECT_EQ(source.address, ip("10.0.0.1")) << junk;
        EXPECT_EQ(source.origin, SourceOrigin::kJunk) << junk;
    }
    EXPECT_EQ(client("10.0.0.1", {"junk, 203.0.113.9"}).address, ip("203.0.113.9"))
        << "left of the client is nobody's business";
}

TEST_F(TrustedProxiesTest, WalksSixteenHopsAndNoMore) {
    std::string hops = "203.0.113.9";
    for (size_t i = 1; i < kForwardedHopsMax; ++i) {
        hops += ", 10.0.0.2";
    }
    EXPECT_EQ(client("10.0.0.1", {hops}).address, ip("203.0.113.9"));
    const std::string longer = hops + ", 10.0.0.2";
    EXPECT_EQ(client("10.0.0.1", {longer}).origin, SourceOrigin::kJunk);
    EXPECT_EQ(client("10.0.0.1", {hops, "10.0.0.2"}).origin, SourceOrigin::kJunk);
}

TEST(TrustedProxies, NamesTheNetworkThatIsNone) {
    const auto refused = TrustedProxies::parse(std::vector<std::string>{"10.0.0.0/8", "proxy.example"});
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message().find("proxy.example"), std::string::npos);
    EXPECT_TRUE(TrustedProxies::parse(std::vector<std::string>(kTrustedProxiesMax, "10.0.0.1")).has_value());
    EXPECT_FALSE(
        TrustedProxies::parse(std::vector<std::string>(kTrustedProxiesMax + 1, "10.0.0.1")).has_value());
}

}  // namespace
}  // namespace akidb::access
