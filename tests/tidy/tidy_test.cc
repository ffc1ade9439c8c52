// What STYLE.md states about the source tree and tools/tidy.sh does not see with a regular expression:
// lengths of functions, files that no target compiles, metrics that nothing sets, folders that the
// architecture page forgot. Each fault is one line: file:line: what it is: what to do instead.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::tidy {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileLines = 400;
constexpr size_t kMaxReasonedFileLines = 600;
constexpr size_t kMaxFunctionLines = 70;

// Files over 400 lines, each with the reason why two files would be worse. Empty is best.
const std::map<std::string, std::string, std::less<>>& reasons_for_long_files() {
    static const std::map<std::string, std::string, std::less<>> kReasons{
        {"src/rest/http_connection_impl.h",
         "all of Beast for one connection: a template that two sources compile, 40 s each"},
        {"src/server/settings_table.h", "one table, which is read as one: an entry for each setting"}};
    return kReasons;
}

fs::path root() {
    return AKIDB_SOURCE_DIR;
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

struct Source {
    std::string name;  // relative to the root
    std::string text;
    std::vector<std::string> lines;
};

std::vector<Source> read_sources() {
    std::vector<Source> sources;
    for (const char* folder : {"src", "sim", "tests", "bench"}) {
        if (!fs::exists(root() / folder)) {
            continue;
        }
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root() / folder)) {
            const std::string extension = entry.path().extension();
            if (entry.is_regular_file() && (extension == ".h" || extension == ".cc")) {
                std::string text = text_of(entry.path());
                sources.push_back({fs::relative(entry.path(), root()), text, lines_of(text)});
            }
        }
    }
    std::sort(sources.begin(), sources.end(),
              [](const Source& a, const Source& b) { return a.name < b.name; });
    return sources;
}

const std::vector<Source>& sources() {
    static const std::vector<Source> kSources = read_sources();
    return kSources;
}

size_t indent_of(const std::string& line) {
    return std::min(line.find_first_not_of(' '), line.size());
}

std::string without_comment(const std::string& line) {
    std::string code = line.substr(0, line.find("//"));
    code.erase(code.find_last_not_of(' ') + 1);
    return code;
}

struct Function {
    size_t line = 0;  // from 1
    size_t length = 0;
};

// Finds definitions by their indentation, which clang-format guarantees: one begins at the indentation of its
// scope and ends at the first `}` with the same one. Whatever it does not understand it skips.
class FunctionFinder {
  public:
    explicit FunctionFinder(const std::vector<std::string>& lines) : lines_(lines) {}

    std::vector<Function> find() {
        scan(0, lines_.size(), 0);
        return std::move(functions_);
    }

  private:
    void scan(size_t begin, size_t end, size_t indent) {  // recursion as deep as classes are nested
        for (size_t i = begin; i < end;) {
            i = starts_declaration(i, indent) ? after_declaration(i, end, indent) : i + 1;
        }
    }

    bool starts_declaration(size_t i, size_t indent) const {
        const std::string& line = lines_[i];
        return indent_of(line) == indent && line.size() > indent &&
               std::string_view("}#/").find(line[indent]) == std::string_view::npos;
    }

    size_t after_declaration(size_t first, size_t end, size_t indent) {
        std::string declaration;
        size_t last = first;
        for (; last < end; ++last) {
            const std::string code = without_comment(lines_[last]);
            declaration += code;
            if (code.ends_with('{') || code.ends_with(';') || code.ends_with('}')) {
                break;
            }
        }
        static const std::regex kScope("^ *(inline +)?namespace\\b.*");
        if (last >= end || !declaration.ends_with('{') || std::regex_match(declaration, kScope)) {
            return last + 1;
        }
        size_t close = last + 1;
        while (close < end && !(indent_of(lines_[close]) == indent && lines_[close].size() > indent &&
                                lines_[close][indent] == '}')) {
            ++close;
        }
        static const std::regex kType("^ *(template <.*> *)?(typedef )?(class|struct|union|enum)\\b.*");
        if (std::regex_match(declaration, kType)) {
            scan(last + 1, close, indent + 4);
        } else if (declaration.find('(') != std::string::npos) {
            functions_.push_back({first + 1, close - first + 1});
        }
        return close + 1;
    }

    const std::vector<std::string>& lines_;
    std::vector<Function> functions_;
};

bool is_below(std::string_view name, std::initializer_list<std::string_view> places) {
    return std::any_of(places.begin(), places.end(),
                       [&](std::string_view place) { return name.starts_with(place); });
}

TEST(FunctionFinder, MeasuresFunctionsMembersAndTests) {
    const std::vector<std::string> lines = lines_of(
        "namespace a {\n"                // 1
        "struct S {\n"                   // 2
        "    int f() const {\n"          // 3
        "        return 1;\n"            // 4
        "    }\n"                        // 5
        "    int g() const;\n"           // 6
        "};\n"                           // 7
        "\n"                             // 8
        "template <class T>\n"           // 9
        "int long_name(int first,\n"     // 10
        "              int second) {\n"  // 11
        "    if (first) {\n"             // 12
        "        return 2;\n"            // 13
        "    }\n"                        // 14
        "    return 3;\n"                // 15
        "}\n"                            // 16
        "const int kTable[] = {\n"       // 17
        "    1,\n"                       // 18
        "};\n"                           // 19
        "TEST(A, B) {\n"                 // 20
        "}\n"                            // 21
        "}  // namespace a\n");
    const std::vector<Function> functions = FunctionFinder(lines).find();
    ASSERT_EQ(functions.size(), 3u);
    EXPECT_EQ(functions[0].line, 3u);
    EXPECT_EQ(functions[0].length, 3u);
    EXPECT_EQ(functions[1].line, 9u);
    EXPECT_EQ(functions[1].length, 8u);
    EXPECT_EQ(functions[2].line, 20u);
    EXPECT_EQ(functions[2].length, 2u);
}

TEST(Tidy, FunctionsAreShort) {
    size_t count = 0;
    for (const Source& source : sources()) {
        for (const Function& function : FunctionFinder(source.lines).find()) {
            ++count;
            if (function.length > kMaxFunctionLines) {
                ADD_FAILURE() << source.name << ":" << function.line << ": a function of " << function.length
                              << " lines: give its parts names, at most " << kMaxFunctionLines;
            }
        }
    }
    EXPECT_GT(count, 100u) << "the search for functions has gone blind";
}

TEST(Tidy, FilesAreShort) {
    for (const Source& source : sources()) {
        const bool has_reason = reasons_for_long_files().contains(source.name);
        const size_t limit = has_reason ? kMaxReasonedFileLines : kMaxFileLines;
        if (source.lines.size() > limit) {
            ADD_FAILURE()
                << source.name << ":" << limit << ": a file of " << source.lines.size()
                << " lines: split it by what it is for, or give a reason in tests/tidy/tidy_test.cc";
        }
    }
    for (const auto& [name, reason] : reasons_for_long_files()) {
        EXPECT_TRUE(fs::exists(root() / name)) << name << " has a reason to be long, but is gone";
        EXPECT_GT(reason.size(), 20u) << name << ": say why";
    }
}

TEST(Tidy, FilesEndInANewlineAndHaveNoTabs) {
    for (const Source& source : sources()) {
        if (!source.text.ends_with('\n') || source.text.ends_with("\n\n")) {
            ADD_FAILURE() << source.name << ":" << source.lines.size() << ": the end: exactly one newline";
        }
        for (size_t i = 0; i < source.lines.size(); ++i) {
            if (source.lines[i].find_first_of("\t\r") != std::string::npos) {
                ADD_FAILURE() << source.name << ":" << i + 1
                              << ": a tab or carriage return: spaces, or an escape";
            }
        }
    }
}

TEST(Tidy, TheMachineIsReachedOnlyThroughItsDoors) {
    struct Ban {
        std::regex pattern;
        std::string_view instead;
        std::vector<std::string_view> rooms;  // where it is allowed
    };
    const std::vector<Ban> bans{
        {std::regex("\\bsleep_for\\b|\\bu?sleep\\("),
         "wait for the event itself (CondVar, poll)",
         {"src/io/", "src/cli/", "tests/", "bench/"}},
        {std::regex("\\b(fopen|fdatasync|fsync)\\(|(^|[^A-Za-z0-9_>])::open\\("),
         "io::FileSystem",
         {"src/io/", "src/cli/", "tests/", "bench/"}},
        {std::regex("\\brand\\(\\)|\\bsrand\\(|\\brandom_device\\b"),
         "io::Random, or a fixed seed in a test",
         {"src/io/"}},
        {std::regex("catch \\(\\.\\.\\.\\) *\\{ *\\}"),
         "act on the error, or name those that may be ignored",
         {}},
    };
    for (const Source& source : sources()) {
        if (source.name == "tests/tidy/tidy_test.cc" || source.name.ends_with("_test.cc")) {
            continue;
        }
        for (size_t i = 0; i < source.lines.size(); ++i) {
            const std::string code = without_comment(source.lines[i]);
            for (const Ban& ban : bans) {
                const bool is_allowed =
                    std::any_of(ban.rooms.begin(), ban.rooms.end(),
                                [&](std::string_view room) { return source.name.starts_with(room); });
                std::smatch found;
                if (!is_allowed && std::regex_search(code, found, ban.pattern)) {
                    ADD_FAILURE() << source.name << ":" << i + 1 << ": " << found.str() << ": "
                                  << ban.instead;
                }
            }
        }
    }
}

// The nearest CMakeLists.txt from the file's folder upwards must name it.
bool is_built(const fs::path& name) {
    for (fs::path folder = name.parent_path(); !folder.empty(); folder = folder.parent_path()) {
        const fs::path list = root() / folder / "CMakeLists.txt";
        if (fs::exists(list)) {
            const std::string text = text_of(list);
            const std::string wanted = name.lexically_relative(folder);
            for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
                const bool begins =
                    at == 0 || std::string_view(" \n\t(/\"").find(text[at - 1]) != std::string_view::npos;
                const size_t end = at + wanted.size();
                const bool ends = end == text.size() ||
                                  std::string_view(" \n\t)\"").find(text[end]) != std::string_view::npos;
                if (begins && ends) {
                    return true;
                }
            }
            return false;
        }
    }
    return false;
}

TEST(Tidy, EveryFileIsBuilt) {
    for (const Source& source : sources()) {
        if (source.name.ends_with(".cc") && !is_built(source.name)) {
            ADD_FAILURE() << source.name
                          << ":1: no CMakeLists.txt names it: add it to its target, or remove it";
        }
    }
}

TEST(Tidy, EveryHeaderIsIncludedOrHasItsSourceBeside) {
    std::string all;
    for (const Source& source : sources()) {
        all += source.text;
    }
    for (const Source& source : sources()) {
        const std::string file = fs::path(source.name).filename();
        if (source.name.ends_with(".h") && all.find("/" + file + "\"") == std::string::npos &&
            all.find("\"" + file + "\"") == std::string::npos) {
            ADD_FAILURE() << source.name << ":1: nothing includes it: use it, or remove it";
        }
    }
}

TEST(Tidy, EveryMetricIsSet) {
    const std::string header = text_of(root() / "src/telemetry/metrics.h");
    const size_t begin = header.find("enum class MetricId");
    ASSERT_NE(begin, std::string::npos);
    const std::string list = header.substr(begin, header.find("};", begin) - begin);
    std::string users;
    for (const Source& source : sources()) {
        if (is_below(source.name, {"src/"}) && !is_below(source.name, {"src/telemetry/"}) &&
            !source.name.ends_with("_test.cc")) {
            users += source.text;
        }
    }
    const std::regex name("\\bk[A-Z][A-Za-z]*\\b");
    size_t count = 0;
    for (auto it = std::sregex_iterator(list.begin(), list.end(), name); it != std::sregex_iterator(); ++it) {
        ++count;
        if (!std::regex_search(users, std::regex("\\b(Metric)?Id::" + it->str() + "\\b"))) {
            ADD_FAILURE() << "src/telemetry/metrics.h:1: MetricId::" << it->str()
                          << ": a metric that nothing sets: set it, or take it out of the table";
        }
    }
    EXPECT_GT(count, 10u);
}

TEST(Tidy, TheArchitecturePageListsExactlyTheFolders) {
    const std::string page = text_of(root() / "ARCHITECTURE.md");
    if (page.empty()) {
        GTEST_SKIP() << "ARCHITECTURE.md is missing";
    }
    std::set<std::string> folders;
    for (const fs::directory_entry& entry : fs::directory_iterator(root() / "src")) {
        if (entry.is_directory()) {
            folders.insert(entry.path().filename());
        }
    }
    std::set<std::string> listed;
    const std::regex item("^- `src/([a-z_]+)/`");
    for (const std::string& line : lines_of(page)) {
        std::smatch found;
        if (std::regex_search(line, found, item)) {
            EXPECT_TRUE(listed.insert(found[1]).second)
                << "ARCHITECTURE.md: src/" << found[1] << " is listed twice";
        }
    }
    EXPECT_EQ(listed, folders) << "the code map in ARCHITECTURE.md and the folders of src";
}

TEST(Tidy, LinksInTheDocumentsLeadSomewhere) {
    std::vector<fs::path> pages{root() / "README.md", root() / "ARCHITECTURE.md"};
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root() / "docs")) {
        if (entry.path().extension() == ".md") {
            pages.push_back(entry.path());
        }
    }
    const std::regex link("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
    for (const fs::path& page : pages) {
        const std::vector<std::string> lines = lines_of(text_of(page));
        for (size_t i = 0; i < lines.size(); ++i) {
            for (auto it = std::sregex_iterator(lines[i].begin(), lines[i].end(), link);
                 it != std::sregex_iterator(); ++it) {
                const std::string target = (*it)[1];
                if (target.find("://") == std::string::npos && !target.starts_with("mailto:")) {
                    EXPECT_TRUE(fs::exists(page.parent_path() / target))
                        << fs::relative(page, root()).string() << ":" << i + 1 << ": " << target
                        << " does not exist: correct the link";
                }
            }
        }
    }
}

}  // namespace
}  // namespace akidb::tidy
