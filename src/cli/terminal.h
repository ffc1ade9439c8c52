// What the verbs print: tables for people, one line for faults. Standard output carries answers only, so that
// a pipe gets nothing else.
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

/// Columns as wide as their widest cell, two blanks between; the first row is the heading.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace akidb::cli
