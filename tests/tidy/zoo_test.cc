// Each bug of the zoo (tests/zoo) names a file and the code in it that it changes: this holds that the code
// is still there. tools/zoo.sh would tell the same, but takes too long for every run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace akidb {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// How many places the mutant changes.
size_t look_up_places(const fs::path& root, const fs::path& mutant) {
    std::istringstream lines(text_of(mutant));
    size_t places = 0;
    std::string code;
    std::string wanted;
    bool is_wanted = false;
    for (std::string line; std::getline(lines, line);) {
        if (line == "<<<<") {
            wanted.clear();
            is_wanted = true;
        } else if (line == "====") {
            is_wanted = false;
            ++places;
            EXPECT_NE(code.find(wanted), std::string::npos) << mutant << " wants\n" << wanted;
        } else if (is_wanted) {
            wanted += (wanted.empty() ? "" : "\n") + line;
        } else if (line.starts_with("file ")) {
            code = text_of(root / line.substr(5));
        }
    }
    return places;
}

TEST(Zoo, EveryBugStillFindsTheCodeThatItChanges) {
    const fs::path root = AKIDB_SOURCE_DIR;
    size_t bugs = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(root / "tests/zoo")) {
        if (entry.path().extension() == ".mutant") {
            ++bugs;
            EXPECT_GT(look_up_places(root, entry.path()), 0u) << entry.path();
        }
    }
    EXPECT_GE(bugs, 25u);
}

}  // namespace
}  // namespace akidb
