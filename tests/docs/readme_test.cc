// Runs every example of README.md, in order, against a fresh server, and compares what comes out with what
// the page prints: a README that lies fails the build. An example is a line "$ command" (continued by a
// backslash at its end) in a fenced block marked `console`, and the lines up to the next one are its output,
// where "…" stands for anything within one line. The page's default ports and build directory are replaced by
// the real ones.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

#include "server_process.h"

namespace akidb::docs {
namespace {

constexpr std::string_view kEllipsis = "…";

struct Example {
    size_t line = 0;
    std::string command;
    std::string output;
};

std::vector<Example> read_examples(const std::string& path) {
    std::ifstream file(path);
    std::vector<Example> examples;
    bool in_block = false;
    std::string line;
    for (size_t number = 1; std::getline(file, line); ++number) {
        if (line.starts_with("```")) {
            in_block = line == "```console";
        } else if (in_block && line.starts_with("$ ")) {
            examples.push_back({number, line.substr(2), ""});
        } else if (in_block && !examples.empty() && line.starts_with("> ") &&
                   examples.back().output.empty()) {
            examples.back().command += "\n" + line.substr(2);
        } else if (in_block && !examples.empty()) {
            examples.back().output += line + "\n";
        }
    }
    return examples;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
}

std::string run(const std::string& command) {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("exec 2>&1\n" + command).c_str(), "r"), pclose);
    std::string output;
    std::array<char, 4096> piece{};
    for (size_t got = 0; (got = fread(piece.data(), 1, piece.size(), pipe.get())) > 0;) {
        output.append(piece.data(), got);
    }
    return output;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t from = 0; from < text.size();) {
        size_t to = std::min(text.size(), text.find('\n', from));
        lines.push_back(text.substr(from, to - from));
        while (!lines.back().empty() && (lines.back().back() == ' ' || lines.back().back() == '\r')) {
            lines.back().pop_back();
        }
        from = to + 1;
    }
    while (!lines.empty() && lines.back().empty()) {
        lines.pop_back();
    }
    return lines;
}

/// The pieces between ellipses must follow one another in the line, the first at its start and the last at
/// its end.
bool matches(const std::string& line, const std::string& pattern) {
    size_t at = 0;
    size_t from = 0;
    for (size_t cut = 0; (cut = pattern.find(kEllipsis, from)) != std::string::npos;
         from = cut + kEllipsis.size()) {
        std::string piece = pattern.substr(from, cut - from);
        size_t found = line.find(piece, at);
        if (found == std::string::npos || (from == 0 && found != 0)) {
            return false;
        }
        at = found + piece.size();
    }
    std::string last = pattern.substr(from);
    return from == 0 ? line == last : line.size() >= at + last.size() && line.ends_with(last);
}

TEST(Readme, EveryExampleAnswersWhatThePagePrints) {
    e2e::TemporaryDirectory directory;
    auto started = e2e::ServerProcess::start({.data_directory = directory.path()});
    ASSERT_TRUE(started) << started.error().message();
    ASSERT_TRUE((*started)->wait_until_ready());
    std::vector<Example> examples = read_examples(AKIDB_SOURCE "/README.md");
    ASSERT_GE(examples.size(), 5U) << "README.md has lost its examples";
    for (Example& example : examples) {
        replace_all(example.command, "http://127.0.0.1:8080", (*started)->rest_url());
        replace_all(example.command, "build/release/akidb", AKIDB_BINARY);
        std::vector<std::string> got = lines_of(run("cd '" AKIDB_SOURCE "' && " + example.command));
        std::vector<std::string> wanted = lines_of(example.output);
        bool same = got.size() == wanted.size();
        for (size_t index = 0; same && index < got.size(); ++index) {
            same = matches(got[index], wanted[index]);
        }
        EXPECT_TRUE(same) << "README.md:" << example.line << ": $ " << example.command << "\nprints\n"
                          << testing::PrintToString(got) << "\nnot\n"
                          << testing::PrintToString(wanted);
    }
}

}  // namespace
}  // namespace akidb::docs
