#include "model/moment.h"

#include <gtest/gtest.h>

namespace akidb::model {
namespace {

TEST(Moment, ReadsWhatRfc3339Allows) {
    EXPECT_EQ(parse_moment("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_moment("1970-01-01t00:00:01z"), 1'000'000);
    EXPECT_EQ(parse_moment("1970-01-01 00:00:01.5Z"), 1'500'000);
    EXPECT_EQ(parse_moment("1969-12-31T23:59:59.999999Z"), -1);
    EXPECT_EQ(parse_moment("2024-02-29T12:34:56.123456789Z"), 1'709'210'096'123'456);
    EXPECT_EQ(parse_moment("2000-01-01T00:00:00Z"), 946'684'800'000'000);
    EXPECT_EQ(parse_moment("2000-01-01T01:30:00+01:30"), parse_moment("2000-01-01T00:00:00Z"));
    EXPECT_EQ(parse_moment("1999-12-31T19:00:00-05:00"), parse_moment("2000-01-01T00:00:00Z"));
    EXPECT_EQ(parse_moment("2016-12-31T23:59:60Z"), parse_moment("2017-01-01T00:00:00Z"));
    EXPECT_LT(parse_moment("0000-01-01T00:00:00Z"), parse_moment("9999-12-31T23:59:59Z"));
}

TEST(Moment, RefusesEverythingElse) {
    for (const char* text : {"",
                             "2024",
                             "2024-01-01",
                             "2024-01-01T00:00Z",
                             "2024-01-01T00:00:00",
                             "2024-13-01T00:00:00Z",
                             "2023-02-29T00:00:00Z",
                             "2024-00-01T00:00:00Z",
                             "2024-01-01T24:00:00Z",
                             "2024-01-01T00:60:00Z",
                             "2024-01-01T00:00:61Z",
                             "2024-01-01T00:00:00.Z",
                             "2024-01-01T00:00:00+24:00",
                             "2024-01-01T00:00:00+0100",
                             "2024-01-01T00:00:00Zx",
                             " 2024-01-01T00:00:00Z",
                             "20240101T000000Z",
                             "2024-01-01X00:00:00Z",
                             "2024-01-0aT00:00:00Z",
                             "-024-01-01T00:00:00Z"}) {
        EXPECT_EQ(parse_moment(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace akidb::model
