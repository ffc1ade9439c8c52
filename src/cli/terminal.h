// What the verbs print: tables for people, one line for faults. Standard output carries answers only, so that
// a pipe gets nothing else. And what is asked of people: secrets, without an echo.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/rest_client.h"

namespace akidb::cli {

inline void print_to(std::FILE* stream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

inline ExitCode fail_with(const Error& error) {
    print_to(stderr, "akidb: " + describe(error) + "\n");
    return exit_code_of(error);
}

/// A line that is typed and not shown, without its end. `terminal` is what is read from and asked at; it is
/// set back as it was, also where Ctrl-C ends the process. Empty lines are lines; kCancelled at the end of
/// input.
Result<std::string> read_hidden_line(int terminal, std::string_view question, size_t bytes_max);

/// Columns as wide as their widest cell, two blanks between; the first row is the heading.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace akidb::cli
