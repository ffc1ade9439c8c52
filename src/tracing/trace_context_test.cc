#include "tracing/trace_context.h"

#include <gtest/gtest.h>

#include <utility>

namespace akidb::tracing {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

std::optional<ParentContext> parent_of(const std::string& text) {
    return parse_parent({.parents = {text}});
}
std::string state_of(std::vector<std::string> states) {
    return parse_parent({.parents = {kParent}, .states = std::move(states)})->state;
}

TEST(TraceContext, ReadsWhatIsWellFormed) {
    const auto parent = parent_of(kParent);
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace.to_string(), kTrace);
    EXPECT_EQ(parent->span.to_string(), kSpan);
    EXPECT_TRUE(parent->is_sampled);
    const std::string start = "00-" + kTrace + "-" + kSpan + "-";
    for (const auto& [flags, is_sampled] : std::vector<std::pair<std::string, bool>>{
             {"00", false}, {"02", false}, {"03", true}, {"ff", true}, {"fe", false}}) {
        ASSERT_TRUE(parent_of(start + flags)) << flags;
        EXPECT_EQ(parent_of(start + flags)->is_sampled, is_sampled) << flags;
    }
}

TEST(TraceContext, ReadsTheKnownPartOfLaterVersions) {
    for (const std::string& text :
         {"01-" + kTrace + "-" + kSpan + "-01", "cc-" + kTrace + "-" + kSpan + "-01-what the future brings",
          "01-" + kTrace + "-" + kSpan + "-01-"}) {
        ASSERT_TRUE(parent_of(text)) << text;
        EXPECT_EQ(parent_of(text)->trace.to_string(), kTrace) << text;
    }
}

TEST(TraceContext, TakesWhatIsMalformedAsNotSent) {
    const std::vector<std::string> hostile{"",
                                           "-",
                                           "00",
                                           "00-",
                                           "00-" + kTrace,
                                           kParent.substr(0, kParent.size() - 1),
                                           kParent + "0",
                                           kParent + "-",  // nothing follows in version 00
                                           kParent + "-extra",
                                           "01-" + kTrace + "-" + kSpan + "-01extra",
                                           "01-" + kTrace + "-" + kSpan + "-010",
                                           "ff-" + kTrace + "-" + kSpan + "-01",
                                           "0g-" + kTrace + "-" + kSpan + "-01",
                                           "0-" + kTrace + "-" + kSpan + "-011",
                                           "00-" + std::string(32, '0') + "-" + kSpan + "-01",
                                           "00-" + kTrace + "-" + std::string(16, '0') + "-01",
                                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01",
                                           "00-" + kTrace + "-00F067AA0BA902B7-01",
                                           "00-" + kTrace + "-" + kSpan + "-0G",
                                           "00-" + kTrace.substr(1) + "--" + kSpan + "-01",
                                           "00_" + kTrace + "_" + kSpan + "_01",
                                           " " + kParent,
                                           "00-" + kTrace + "-" + kSpan + std::string("-0\0", 3),
                                           std::string(55, '\0'),
                                           std::string(55, '\xff'),
                                           std::string(55, '-'),
                                           std::string(64 << 10, 'a'),
                                           "00-'; drop table spans; --000000000-" + kSpan + "-01"};
    for (const std::string& text : hostile) {
        EXPECT_FALSE(parent_of(text)) << text;
    }
    EXPECT_FALSE(parse_parent({}));
    EXPECT_FALSE(parse_parent({.parents = {kParent, kParent}})) << "two, even if they are the same";
    EXPECT_FALSE(parse_parent({.parents = {}, .states = {"a=1"}}));
    for (size_t cut = 0; cut < kParent.size(); ++cut) {
        EXPECT_FALSE(parent_of(kParent.substr(0, cut))) << cut;
    }
}

TEST(TraceContext, KeepsAStateWholeOrNotAtAll) {
    EXPECT_EQ(state_of({"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}),
              "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    EXPECT_EQ(state_of({"a=1", "b=2"}), "a=1,b=2") << "of several headers, in order";
    EXPECT_EQ(state_of({" a=1 ,\t, b=x y ,"}), "a=1,b=x y");
    EXPECT_EQ(state_of({"0tenant@system=v", "x*/_-=~"}), "0tenant@system=v,x*/_-=~");
    EXPECT_EQ(state_of({}), "");
    const std::string long_value(256, 'v');
    EXPECT_EQ(state_of({"a=" + long_value}), "a=" + long_value);
    for (const std::string& wrong :
         {std::string("a"), std::string("=1"), std::string("a="), std::string("A=1"), std::string("a=1,a=2"),
          std::string("a=\x01"), std::string("a=\xc3\xa9"), std::string("a=1=2"), std::string("a b=1"),
          std::string("@a=1"), "a=" + long_value + "v", std::string(257, 'k') + "=v",
          "a=" + long_value + ",b=" + long_value, std::string(1 << 20, ',') + "A=1"}) {
        EXPECT_EQ(state_of({"ok=1", wrong}), "") << wrong.substr(0, 80);
    }
    std::string members;
    for (int i = 0; i < 32; ++i) {
        members += "k" + std::to_string(i) + "=v,";
    }
    EXPECT_NE(state_of({members}), "");
    EXPECT_EQ(state_of({members + "k32=v"}), "") << "one more than there may be";
    EXPECT_TRUE(parse_parent({.parents = {kParent}, .states = {"A=1"}})) << "the parent counts all the same";
}

}  // namespace
}  // namespace akidb::tracing
