#include "storage/layout.h"

#include <gtest/gtest.h>

namespace akidb::storage {
namespace {

TEST(Layout, NamesSortAsTheirNumbersDo) {
    EXPECT_LT(log_name(9), log_name(10));
    EXPECT_LT(log_name(10), log_name(UINT64_MAX));
    EXPECT_LT(manifest_name(99), manifest_name(100));
}

TEST(Layout, ParsesWhatItMakes) {
    for (uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{1234567}, UINT64_MAX}) {
        EXPECT_EQ(parse_log_name(log_name(number)), number);
        EXPECT_EQ(parse_manifest_name(manifest_name(number)), number);
    }
}

TEST(Layout, RefusesEveryOtherName) {
    for (const char* name : {"", ".log", "1.log", "0000000000000000000x.log", "00000000000000000001.log.tmp",
                             "000000000000000000001.log", "-0000000000000000001.log",
                             "99999999999999999999.log", "00000000000000000001.graph"}) {
        EXPECT_EQ(parse_log_name(name), std::nullopt) << name;
    }
    for (const char* name : {"MANIFEST-", "MANIFEST-1", "MANIFEST-00000000000000000001.tmp", "manifest-1"}) {
        EXPECT_EQ(parse_manifest_name(name), std::nullopt) << name;
    }
}

}  // namespace
}  // namespace akidb::storage
