#include "sim/reliability_ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace akidb::sim {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST(ReliabilityLedger, HasItsShape) {
    const std::vector<std::string> lines =
        lines_of(std::filesystem::path(AKIDB_SOURCE_DIR) / "reliability" / "ledger.csv");
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.front(), kLedgerHeader);
    for (size_t i = 1; i < lines.size(); ++i) {
        EXPECT_EQ(fault_of_ledger_line(lines[i]), "") << "line " << i + 1 << ": " << lines[i];
    }
}

TEST(ReliabilityLedger, AppendsALineOfThatShape) {
    const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "reliability_ledger.csv";
    std::filesystem::remove(path);
    ASSERT_TRUE(append_to_ledger(path, {.commit = "0123abc",
                                        .program = "sim --images 1, 2",
                                        .seeds = "1..7",
                                        .images = 5,
                                        .violations = 1}));
    const std::vector<std::string> lines = lines_of(path);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(fault_of_ledger_line(lines[0]), "");
    EXPECT_TRUE(lines[0].ends_with(",0123abc,sim --images 1; 2,1..7,5,0,0,1")) << lines[0];
}

TEST(ReliabilityLedger, TellsWhatIsWrongWithALine) {
    EXPECT_NE(fault_of_ledger_line("2026-01-01,c,p,1,2,3,4"), "");
    EXPECT_NE(fault_of_ledger_line("yesterday,c,p,1,2,3,4,5"), "");
    EXPECT_NE(fault_of_ledger_line("2026-01-01,c,p,1,2,3,4,x"), "");
    EXPECT_NE(fault_of_ledger_line("2026-01-01,,p,1,2,3,4,5"), "");
    EXPECT_EQ(fault_of_ledger_line("2026-01-01,c,p,1,2,3,4,5"), "");
}

}  // namespace
}  // namespace akidb::sim
