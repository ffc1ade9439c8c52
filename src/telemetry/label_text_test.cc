#include "telemetry/label_text.h"

#include <gtest/gtest.h>

namespace akidb::telemetry {
namespace {

TEST(LabelText, KeepsUtf8AndReplacesEverythingElse) {
    EXPECT_EQ(label_text("words"), "words");
    EXPECT_EQ(label_text("日本 ü 🙂"), "日本 ü 🙂");
    EXPECT_EQ(label_text("a\"b\\c\nd"), "a\"b\\c\nd");
    EXPECT_EQ(label_text("\xff\xfe"), "??");
    EXPECT_EQ(label_text("\xc0\xaf"), "??") << "overlong";
    EXPECT_EQ(label_text("\xed\xa0\x80"), "???") << "surrogate";
    EXPECT_EQ(label_text("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
    EXPECT_EQ(label_text("a\xe2\x82"), "a??") << "cut short";
    EXPECT_EQ(label_text(std::string_view("a\0b", 3)), "a?b");
}

TEST(LabelText, IsCutAtACharacter) {
    EXPECT_EQ(label_text(std::string(1000, 'a')), std::string(128, 'a'));
    EXPECT_EQ(label_text(std::string(127, 'a') + "ü"), std::string(127, 'a'));
}

TEST(SplitLabels, NamesInOrder) {
    EXPECT_EQ(split_labels(""), std::vector<std::string>{});
    EXPECT_EQ(split_labels("method,route,code"), (std::vector<std::string>{"method", "route", "code"}));
    EXPECT_EQ(split_labels("outcome=ok/failed"), std::vector<std::string>{"outcome"});
    EXPECT_EQ(first_values("outcome=ok/failed"), (std::vector<std::string>{"ok", "failed"}));
    EXPECT_EQ(first_values("method,route,code"), std::vector<std::string>{});
}

}  // namespace
}  // namespace akidb::telemetry
