// The text files of this folder as values: lines of columns, separated by "|", without comments and empty
// lines. In cells ${v} is a vector of 16 numbers, `TEXT`*N is TEXT N times (no digit may follow), and "~" at
// the front of a path stands for /api/v1/collections.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::scenarios {

inline constexpr std::string_view kVector = "[0.5,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]";

struct Line {
    size_t number = 0;
    std::vector<std::string> cells;
};
/// The last of `columns` cells may hold the separator; fewer cells than `least` fail the test.
std::vector<Line> read_lines(const std::string& path, size_t least, size_t columns);
std::string expand(std::string text);
void replace_all(std::string& text, std::string_view from, std::string_view to);

struct BadRequest {
    size_t line = 0;
    std::string method;
    std::string path;
    std::string body;
    int status = 0;
    std::string code;
    std::string field;
    std::string message;
};
std::vector<BadRequest> read_bad_requests(const std::string& path);

}  // namespace akidb::scenarios
