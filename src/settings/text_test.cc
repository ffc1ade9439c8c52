#include "settings/text.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace akidb::settings {
namespace {

TEST(EditDistance, CountsEachEditOnce) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("port", "port"), 0u);
    EXPECT_EQ(edit_distance("port", "prot"), 1u) << "a swap is one edit";
    EXPECT_EQ(edit_distance("port", "sport"), 1u);
    EXPECT_EQ(edit_distance("port", "por"), 1u);
    EXPECT_EQ(edit_distance("port", "pert"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(NearestOf, FindsTheLeastDistantWithinTheLimit) {
    const std::vector<std::string> keys{"server.host", "server.rest_port", "logging.level"};
    EXPECT_EQ(nearest_of("server.rest_prot", keys), "server.rest_port");
    EXPECT_EQ(nearest_of("servr.host", keys), "server.host");
    EXPECT_EQ(nearest_of("quite.different.thing", keys), "");
    EXPECT_EQ(nearest_of(std::string(100'000, 'x'), keys), "");
    EXPECT_EQ(nearest_of("", {}), "");
}

TEST(NearestOf, FindsAKeyPutIntoTheWrongSection) {
    EXPECT_EQ(nearest_of("level", {"a_long_section_name.level", "server.host"}), "a_long_section_name.level");
    EXPECT_EQ(nearest_of("port", {"first_section.port", "second_section.port"}), "")
        << "a guess would mislead";
}

TEST(Quoted, IsOneLineOfUtf8) {
    EXPECT_EQ(quoted("plain ü"), "\"plain ü\"");
    EXPECT_EQ(quoted("a\"b\\c\nd\te\x1b[31m"), R"("a\"b\\c\nd\u0009e\u001b[31m")");
    EXPECT_EQ(quoted("\xc2\x9b"), R"("\u009b")");
    EXPECT_EQ(quoted("\xff"), "\"\xef\xbf\xbd\"");
    EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(QuotedShort, CutsAtACharacter) {
    EXPECT_EQ(quoted_short(std::string(80, 'a')), "\"" + std::string(80, 'a') + "\"");
    EXPECT_EQ(quoted_short(std::string(79, 'a') + "üü"), "\"" + std::string(79, 'a') + "\"…");
    EXPECT_TRUE(is_utf8(quoted_short(std::string(1000, '\xff'))));
}

TEST(Utf8, RefusesWhatIsNot) {
    for (const char* good : {"", "a", "ü", "日本", "🙂", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    for (const char* bad :
         {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "a\xfe"}) {
        EXPECT_FALSE(is_utf8(bad)) << quoted(bad);
    }
}

}  // namespace
}  // namespace akidb::settings
