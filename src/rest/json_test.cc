// JsonReader and JsonWriter: strictness, paths in errors, exact numbers, and that broken input of every
// length is an error, never a crash.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/printable.h"
#include "rest/json_reader.h"
#include "rest/json_writer.h"
#include "rest/nearest.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 3> kNames{"vector", "number", "text"};

struct Seen {
    std::vector<float> vector;
    JsonNumber number;
    std::string text;
};

Result<Seen> read(std::string body) {
    Seen seen;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            return reader.read_floats(4096, seen.vector);
        }
        if (which == 1) {
            AKIDB_TRY(seen.number, reader.read_number());
        } else {
            AKIDB_TRY(std::string_view text, reader.read_string());
            seen.text = text;
        }
        return {};
    }));
    return seen;
}

TEST(JsonReader, ReadsEveryKindOfField) {
    Result<Seen> seen =
        read(R"( {"vector":[1,-2.5,3e2], "text":"a\"\u00e9\n", "number":18446744073709551615} )");
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(seen->vector, (std::vector<float>{1, -2.5F, 300}));
    EXPECT_EQ(seen->text, "a\"é\n");
    EXPECT_EQ(std::get<uint64_t>(seen->number), std::numeric_limits<uint64_t>::max());
}

TEST(JsonReader, RefusesWhatIsNotStrictJson) {
    const std::vector<std::string> bad{
        "",
        "   ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "{",
        "{}x",
        "{} {}",
        "{}]",
        "{\"text\"}",
        "{\"text\":}",
        "{\"text\":\"a\",}",
        "{\"text\":\"a\" \"number\":1}",
        "{\"text\":\"a",
        "{\"text\":\"a\"",
        "{'text':'a'}",
        "{\"text\":\"a\\x\"}",
        "{\"text\":\"\xff\"}",
        "{\"text\":\"\\ud800\"}",
        "{\"text\":\"a\nb\"}",
        "{\"number\":01}",
        "{\"number\":1.}",
        "{\"number\":.5}",
        "{\"number\":+1}",
        "{\"number\":1e999}",
        "{\"number\":NaN}",
        "{\"number\":Infinity}",
        "{\"number\":nul}",
        "{\"number\":truex}",
        "{\"number\":18446744073709551616}",
        "{\"vector\":[1,2}",
        "{\"vector\":[1 2]}",
        "{\"vector\":[1,]}",
        "{\"vector\":[,1]}",
        "{\"vector\":[1,2",
        "{\"vector\":[1,2]",
        "{\"vector\":[null]}",
        "{\"vector\":[[1]]}",
        "{\"vector\":{}}",
        "{\"vector\":\"1\"}",
        "{\"text\":\"a\",\"text\":\"b\"}",
        "{\"text\":\"a\",\"te\\u0078t\":\"b\"}",
        "/* c */ {}",
    };
    for (const std::string& body : bad) {
        Result<Seen> seen = read(body);
        ASSERT_FALSE(seen) << body;
        EXPECT_EQ(seen.error().code(), Code::kInvalidArgument) << body;
    }
}

TEST(JsonReader, NamesThePlaceAndTheNearestField) {
    Result<Seen> seen = read(R"({"vector":[1,2,1e39]})");
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().field(), "vector[2]");
    seen = read(R"({"vector":[1,"x"]})");
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().field(), "vector[1]");
    EXPECT_NE(seen.error().message().find("found a string"), std::string::npos) << seen.error().message();
    seen = read(R"({"vectro":[1]})");
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().field(), "vectro");
    EXPECT_NE(seen.error().message().find("did you mean \"vector\""), std::string::npos)
        << seen.error().message();
    EXPECT_EQ(seen.error().allowed(), "vector, number, text");
}

TEST(JsonReader, TakesTheLargestFloatAndNotMore) {
    EXPECT_TRUE(read(R"({"vector":[3.4028235e38,-3.4028235e38]})"));
    EXPECT_FALSE(read(R"({"vector":[3.4028236e38]})"));
    EXPECT_FALSE(read(R"({"vector":[1e400]})"));
}

TEST(JsonReader, BoundsLists) {
    std::string items = "0";
    for (int i = 1; i < 4096; ++i) {
        items.append(",0");
    }
    EXPECT_TRUE(read("{\"vector\":[" + items + "]}"));
    EXPECT_FALSE(read("{\"vector\":[" + items + ",0]}"));
}

TEST(JsonReader, SurvivesEveryTruncationAndByteFlip) {
    const std::string whole = R"({"vector":[1,-2.5,3e2],"text":"aé\n\u00e9","number":12.5})";
    for (size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(read(whole.substr(0, length))) << length;
    }
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string broken = whole;
        for (uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
            broken[random() % broken.size()] = static_cast<char>(random());
        }
        Result<Seen> seen = read(broken);
        EXPECT_TRUE(seen || seen.error().code() == Code::kInvalidArgument);
    }
}

TEST(JsonReader, StopsAtTheDepthLimit) {
    std::string body = "{\"text\":" + std::string(100'000, '[');
    JsonReader reader(body);
    std::function<Result<void>()> descend = [&]() -> Result<void> {
        return reader.read_array(1, [&](size_t) -> Result<void> { return descend(); });
    };
    Result<void> done = reader.read_body(kNames, [&](size_t) -> Result<void> { return descend(); });
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message().find("too deep"), std::string::npos) << done.error().message();
}

TEST(JsonReader, AcceptsABodyWithoutSpareCapacity) {
    std::string body = R"({"text":"a"})";
    body.shrink_to_fit();
    JsonReader reader(body);
    EXPECT_TRUE(reader.read_body(kNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(std::string_view text, reader.read_string());
        EXPECT_EQ(text, "a");
        return {};
    }));
}

TEST(JsonWriter, PlacesCommasAndEscapes) {
    JsonWriter writer;
    writer.begin_object().member("a", 1U).key("b").begin_array().value("x\"\\\n\x01\x7f").null().value(true);
    writer.begin_object().end_object().end_array().member("c", int64_t{-1}).end_object();
    EXPECT_EQ(writer.text(), R"({"a":1,"b":["x\"\\\n\u0001\u007f",null,true,{}],"c":-1})");
}

TEST(JsonWriter, KeepsDoublesDoubles) {
    JsonWriter writer;
    writer.begin_array().value(1.0).value(0.1).value(1e22).value(-0.0).value(HUGE_VAL).end_array();
    EXPECT_EQ(writer.text(), "[1.0,0.1,1e+22,-0.0,null]");
}

TEST(JsonWriter, FloatsComeBackBitByBit) {
    std::mt19937 random(11);
    std::vector<float> floats;
    while (floats.size() < 4096) {
        auto bits = static_cast<uint32_t>(random());
        float number = 0;
        std::memcpy(&number, &bits, sizeof(number));
        if (std::isfinite(number)) {
            floats.push_back(number);
        }
    }
    JsonWriter writer;
    writer.begin_object().key("vector").floats(floats).end_object();
    Result<Seen> seen = read(writer.text());
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(0, std::memcmp(seen->vector.data(), floats.data(), floats.size() * sizeof(float)));
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
    EXPECT_EQ(nearest_name("topk", std::array<std::string_view, 2>{"top_k", "vector"}), "top_k");
    EXPECT_EQ(nearest_name("completely_else", std::array<std::string_view, 2>{"top_k", "vector"}), "");
    EXPECT_EQ(nearest_name("x", std::array<std::string_view, 2>{"id", "ef"}), "") << "no letter is alike";
}

TEST(Nearest, KnowsWhatOthersCallIt) {
    const auto names =
        std::to_array<std::string_view>({"id", "vector", "top_k", "filter", "metadata", "include"});
    for (const auto& [theirs, ours] :
         std::vector<std::pair<std::string_view, std::string_view>>{{"k", "top_k"},
                                                                    {"limit", "top_k"},
                                                                    {"topK", "top_k"},
                                                                    {"n_results", "top_k"},
                                                                    {"payload", "metadata"},
                                                                    {"query_vector", "vector"},
                                                                    {"where", "filter"},
                                                                    {"with_payload", "include"}}) {
        EXPECT_EQ(nearest_name(theirs, names), ours) << theirs;
    }
    EXPECT_EQ(nearest_name("top_k", std::array<std::string_view, 2>{"vector", "limit"}), "limit");
    EXPECT_EQ(nearest_name("payload", std::array<std::string_view, 1>{"key"}), "")
        << "what is not there is not meant";
}

TEST(Nearest, IsTheNearestOfAllPairsCompared) {
    const auto distance = [](std::string_view a, std::string_view b) {
        std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
        for (size_t i = 0; i <= a.size(); ++i) {
            for (size_t j = 0; j <= b.size(); ++j) {
                cost[i][j] = i == 0 || j == 0
                                 ? i + j
                                 : std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            }
        }
        return cost[a.size()][b.size()];
    };
    const auto names =
        std::to_array<std::string_view>({"a", "ab/b", "abab/{ab}", "bb", "/ab/aab/b", "bbbbbbbbbbba"});
    std::mt19937_64 random(7);
    size_t near = 0;
    for (int round = 0; round < 3'000; ++round) {
        std::string wrong;
        for (size_t length = random() % 14; wrong.size() < length;) {
            wrong.push_back("ab/{"[random() % 4]);
        }
        size_t least = std::numeric_limits<size_t>::max();
        std::string_view expected;
        for (std::string_view name : names) {
            const size_t found = distance(wrong, name);
            if (found < least && found <= std::max<size_t>(2, std::max(wrong.size(), name.size()) / 3) &&
                found < std::max(wrong.size(), name.size())) {
                least = found;
                expected = name;
            }
        }
        near += expected.empty() ? 0 : 1;
        ASSERT_EQ(nearest_name(wrong, names), expected) << wrong;
    }
    EXPECT_GT(near, 300U);
}

TEST(Nearest, PrintsHostileTextHarmlessly) {
    EXPECT_EQ(printable("a\nb\x7f"), "a?b?");
    EXPECT_EQ(printable("\xff"), "?");
    EXPECT_LT(printable(std::string(100'000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace akidb::rest
