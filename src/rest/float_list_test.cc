// Float lists: the same value as the standard library for every text a program may write, and nothing taken
// that is not strict JSON.
#include "rest/float_list.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace akidb::rest {
namespace {

constexpr size_t kItemsMax = 4096;

/// Nothing when the list was given up.
std::vector<float> read(std::string text, bool& taken, size_t items_max = kItemsMax) {
    const size_t length = text.size();
    text.append("}");
    text.reserve(text.size() + 64);
    std::vector<float> out;
    const char* end = read_float_list(text.data(), items_max, out);
    taken = end != nullptr;
    if (taken) {
        EXPECT_EQ(static_cast<size_t>(end - text.data()), length) << text;
    } else {
        EXPECT_TRUE(out.empty());
    }
    return out;
}

float expected(const std::string& text) {
    return static_cast<float>(std::strtod(text.c_str(), nullptr));
}

void expect_same(const std::string& text) {
    bool taken = false;
    const std::vector<float> out = read("[" + text + "]", taken);
    ASSERT_TRUE(taken) << text;
    ASSERT_EQ(out.size(), 1U) << text;
    EXPECT_EQ(std::bit_cast<uint32_t>(out[0]), std::bit_cast<uint32_t>(expected(text))) << text;
}

template <class T>
std::string text_of(T number, std::chars_format format) {
    std::array<char, 512> text;
    auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), number, format);
    return std::string(text.data(), end);
}

TEST(FloatList, ReadsEveryFloatAsTheStandardLibraryDoes) {
    std::mt19937_64 random(11);
    for (int round = 0; round < 200'000; ++round) {
        const auto number = std::bit_cast<float>(static_cast<uint32_t>(random()));
        if (!std::isfinite(number)) {
            continue;
        }
        expect_same(text_of(number, std::chars_format::scientific));
        expect_same(text_of(number, std::chars_format::general));
        expect_same(text_of(static_cast<double>(number), std::chars_format::scientific));
    }
}

TEST(FloatList, ReadsWhatProgramsWrite) {
    std::mt19937_64 random(12);
    std::normal_distribution<double> component(0, 0.05);
    for (int round = 0; round < 100'000; ++round) {
        const double number = component(random);
        expect_same(text_of(number, std::chars_format::fixed));
        expect_same(text_of(static_cast<float>(number), std::chars_format::fixed));
        expect_same(text_of(static_cast<double>(static_cast<float>(number)), std::chars_format::fixed));
        expect_same(std::to_string(number));
    }
}

TEST(FloatList, ReadsWhatLiesHalfWayBetweenTwoFloatsOrNearIt) {
    std::mt19937_64 random(13);
    std::uniform_real_distribution<float> component(-2, 2);
    for (int round = 0; round < 20'000; ++round) {
        const float low = component(random);
        const float high = std::nextafter(low, 10.0F);
        double number = (static_cast<double>(low) + static_cast<double>(high)) / 2;
        for (int step = -3; step <= 3; ++step) {
            expect_same(text_of(number, std::chars_format::fixed));
            expect_same(text_of(number, std::chars_format::scientific));
            number = std::nextafter(number, step < 0 ? 10.0 : -10.0);
        }
    }
}

TEST(FloatList, ReadsNumbersAtTheEdges) {
    for (const char* text : {"0",
                             "-0",
                             "0.0",
                             "-0.0",
                             "1",
                             "-1",
                             "10",
                             "0e5",
                             "1e22",
                             "1e-22",
                             "1e23",
                             "1e-23",
                             "1E+2",
                             "1e00002",
                             "9007199254740992",
                             "9007199254740993",
                             "9007199254740994",
                             "1234567890123456789",
                             "12345678901234567890",
                             "0.1234567890123456789",
                             "0.12345678901234567890123456789012345678901234567890",
                             "3.4028234663852886e38",
                             "-3.4028234663852886e38",
                             "3.402823567797336e38",
                             "1.4e-45",
                             "7e-46",
                             "1e-60",
                             "12345678",
                             "123456789",
                             "1.12345678",
                             "1.1234567",
                             "1.123456789",
                             "0.000000000000000000000001"}) {
        expect_same(text);
    }
}

TEST(FloatList, GivesUpOnWhatIsNotAStrictListOfFloats) {
    for (const char* text : {"[01]",
                             "[-]",
                             "[+1]",
                             "[.5]",
                             "[1.]",
                             "[1e]",
                             "[1e+]",
                             "[--1]",
                             "[1 2]",
                             "[1,]",
                             "[,1]",
                             "[1,,2]",
                             "[NaN]",
                             "[Infinity]",
                             "[null]",
                             "[\"1\"]",
                             "[[1]]",
                             "[0x10]",
                             "[1a]",
                             "[00]",
                             "[-01]",
                             "[1.5.5]",
                             "[1e5.5]",
                             "[3.4028236e38]",
                             "[-3.4028236e38]",
                             "[1e400]",
                             "[1,2",
                             "[1",
                             "[",
                             "[1.",
                             "[1e",
                             "[-"}) {
        bool taken = true;
        read(text, taken);
        EXPECT_FALSE(taken) << text;
    }
}

TEST(FloatList, TakesBlanksWhereJsonAllowsThem) {
    bool taken = false;
    EXPECT_EQ(read("[ \t\r\n1 ,\n2\t, 3 ]", taken), (std::vector<float>{1, 2, 3}));
    EXPECT_TRUE(read("[ ]", taken).empty());
    EXPECT_TRUE(taken);
    EXPECT_TRUE(read("[]", taken).empty());
    EXPECT_TRUE(taken);
}

TEST(FloatList, CountsItsItems) {
    for (size_t count : {1U, 2U, 1023U, 1024U, 1025U, 2048U, 2049U}) {
        std::string text("[");
        std::vector<float> wanted;
        for (size_t i = 0; i < count; ++i) {
            text.append(i == 0 ? "" : ",").append(std::to_string(i)).append(".5");
            wanted.push_back(static_cast<float>(i) + 0.5F);
        }
        text.append("]");
        bool taken = false;
        EXPECT_EQ(read(text, taken, count + 1), wanted);
        EXPECT_EQ(read(text, taken, count), wanted);
        EXPECT_TRUE(taken);
        read(text, taken, count - 1);
        EXPECT_FALSE(taken) << count;
    }
}

TEST(FloatList, KeepsWhatWasThere) {
    const std::string good = "[1,2]" + std::string(16, ' ');
    const std::string bad = "[1,x]" + std::string(16, ' ');
    std::vector<float> out{7};
    EXPECT_EQ(read_float_list(bad.data(), kItemsMax, out), nullptr);
    EXPECT_EQ(out, (std::vector<float>{7}));
    EXPECT_NE(read_float_list(good.data(), kItemsMax, out), nullptr);
    EXPECT_EQ(out, (std::vector<float>{7, 1, 2}));
}

}  // namespace
}  // namespace akidb::rest
