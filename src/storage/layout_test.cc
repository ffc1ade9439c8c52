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

TEST(Layout, KnowsTheFilesOfACollectionAndNothingElse) {
    const std::string number(20, '0');
    for (const std::string& name :
         {manifest_name(7), "log/" + log_name(1), "seg/" + rows_name(0, 9, 2), "seg/" + graph_name(3),
          "seg/" + graph_name(3, 7), "seg/" + dead_name(4), "seg/" + keys_name(5)}) {
        EXPECT_TRUE(is_collection_file(name)) << name;
    }
    for (const std::string& name :
         {std::string(), std::string("MANIFEST-1"), "log/../" + log_name(1), "../log/" + log_name(1),
          "/log/" + log_name(1), "seg/" + number, "seg/" + number + ".rows", "seg/" + number + ".graph.tmp",
          "seg/x/" + graph_name(1), "lost/" + lost_name(1), std::string("LOCK"), "log/" + graph_name(1),
          "seg/" + number + "-" + number + "-" + number + "/.rows"}) {
        EXPECT_FALSE(is_collection_file(name)) << name;
    }
}

}  // namespace
}  // namespace akidb::storage
