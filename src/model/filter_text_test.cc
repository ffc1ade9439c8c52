#include "model/filter_text.h"

#include <gtest/gtest.h>

namespace akidb::model {
namespace {

std::vector<std::string> words(std::string_view text) {
    return TextQuery(text, TextMode::kPhrase).words();
}

bool holds(TextMode mode, std::string_view query, std::vector<std::string_view> texts) {
    const TextQuery wanted(query, mode);
    TextSearch search(wanted);
    for (const std::string_view text : texts) {
        search.read(text);
    }
    return search.is_met();
}

TEST(TextQuery, CutsWordsAtWhatIsNoLetterDigitOrMark) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(words("Don't stop!"), (Words{"don", "t", "stop"}));
    EXPECT_EQ(words("  C3PO--r2_d2 "), (Words{"c3po", "r2", "d2"}));
    EXPECT_EQ(words("„Straße“ – naïve…"), (Words{"straße", "naïve"}));
    EXPECT_EQ(words("e\u0301te\u0301"), (Words{"e\u0301te\u0301"})) << "marks are of their letters";
    EXPECT_EQ(words("東京、大阪。京都"), (Words{"東京", "大阪", "京都"}));
    EXPECT_EQ(words("ok👍👍fine"), (Words{"ok", "fine"}));
    EXPECT_EQ(words("a\xff"
                    "b\xc3"),
              (Words{"a", "b"}))
        << "what is not UTF-8 separates";
    EXPECT_EQ(words("!?… ¿"), Words{});
    EXPECT_EQ(words(""), Words{});
}

TEST(TextQuery, LowersLettersOneByOne) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(words("AZaz09 ÀÖØÞ ŸŽ Ĳ İ ǅ"), (Words{"azaz09", "àöøþ", "ÿž", "ĳ", "i", "ǅ"}));
    EXPECT_EQ(words("ΆΈΊΌΎΏ ΑΡΣΫ ΣΟΦΟΣ σοφος σοφος"), (Words{"άέίόύώ", "αρσϋ", "σοφοσ", "σοφοσ", "σοφοσ"}));
    EXPECT_EQ(words("ЁЏ АЯ Ӂ Ԥ Ѡ"), (Words{"ёџ", "ая", "ӂ", "ԥ", "ѡ"}));
    EXPECT_EQ(words("ԱՖ Ẁ Ạ Ａ × ÷"), (Words{"աֆ", "ẁ", "ạ", "ａ"}));
    EXPECT_EQ(words("ß ſ ÿ ŀ ŉ ƍ"), (Words{"ß", "ſ", "ÿ", "ŀ", "ŉ", "ƍ"})) << "what is lower stays";
    EXPECT_EQ(words("Ŀ Ł Ĺ Ň"), (Words{"ŀ", "ł", "ĺ", "ň"}));
}

TEST(TextQuery, SortsAndCountsWords) {
    const TextQuery query("b a B c", TextMode::kAll);
    EXPECT_EQ(query.words(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(query.word_count(), 4U);
    std::string many;
    for (size_t i = 0; i < kFilterTextWordsMax + 100; ++i) {
        many += "w" + std::to_string(i) + " ";
    }
    EXPECT_EQ(TextQuery(many, TextMode::kAny).word_count(), kFilterTextWordsMax + 1) << "reads no further";
    EXPECT_TRUE(holds(TextMode::kAny, many, {"w256"}));
    EXPECT_FALSE(holds(TextMode::kAll, many, {"w256"}));
}

TEST(TextSearch, AllGathersWordsFromAllTexts) {
    EXPECT_TRUE(holds(TextMode::kAll, "red Fox", {"The FOX is red."}));
    EXPECT_TRUE(holds(TextMode::kAll, "red fox", {"a fox", "red"}));
    EXPECT_FALSE(holds(TextMode::kAll, "red fox", {"fox fox"}));
    EXPECT_FALSE(holds(TextMode::kAll, "fox", {"foxes", "afox", "fo x"})) << "words, not parts of them";
    EXPECT_TRUE(holds(TextMode::kAll, "straße İ", {"STRASSE", "straße i"}));
    EXPECT_FALSE(holds(TextMode::kAll, "", {"a"}));
}

TEST(TextSearch, AnyTakesOne) {
    EXPECT_TRUE(holds(TextMode::kAny, "red fox", {"", "blue", "fox"}));
    EXPECT_FALSE(holds(TextMode::kAny, "red fox", {"blue", "foxes"}));
}

TEST(TextSearch, APhraseLiesWithinOneText) {
    EXPECT_TRUE(holds(TextMode::kPhrase, "quick brown", {"the Quick, BROWN fox"}));
    EXPECT_FALSE(holds(TextMode::kPhrase, "quick brown", {"brown quick", "quick red brown"}));
    EXPECT_FALSE(holds(TextMode::kPhrase, "quick brown", {"quick", "brown"}));
    EXPECT_TRUE(holds(TextMode::kPhrase, "a b a c", {"a b a b a c"})) << "begins again within itself";
    EXPECT_TRUE(holds(TextMode::kPhrase, "a a b a a a c", {"a a b a a a b a a a c"})) << "and within that";
    EXPECT_TRUE(holds(TextMode::kPhrase, "a a b", {"a a a b"}));
    EXPECT_FALSE(holds(TextMode::kPhrase, "a a b", {"a b a b a"}));
}

// What an attacker would send: each word begins the phrase again.
TEST(TextSearch, TakesALongTextInOnePass) {
    std::string text;
    std::string phrase;
    for (size_t i = 0; i < 200'000; ++i) {
        text += "a ";
    }
    for (size_t i = 0; i + 1 < kFilterTextWordsMax; ++i) {
        phrase += "a ";
    }
    EXPECT_FALSE(holds(TextMode::kPhrase, phrase + "b", {text}));
    EXPECT_TRUE(holds(TextMode::kPhrase, phrase + "b", {text + "b"}));
}

}  // namespace
}  // namespace akidb::model
