#include "scenario_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace akidb::scenarios {
namespace {

constexpr size_t kBadRequestColumns = 7;

std::string trimmed(std::string cell) {
    cell.erase(0, std::min(cell.size(), cell.find_first_not_of(' ')));
    cell.erase(cell.find_last_not_of(' ') + 1);
    return cell;
}

/// `TEXT`*N becomes TEXT N times.
std::string repeat_marked(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        size_t open = std::min(text.size(), text.find('`'));
        out.append(text.substr(0, open));
        text.remove_prefix(open);
        if (text.empty()) {
            break;
        }
        size_t close = text.find('`', 1);
        std::string_view unit = text.substr(1, close - 1);
        size_t digits = 0;
        size_t times = std::stoul(std::string(text.substr(close + 2, 10)), &digits);
        for (size_t count = 0; count < times; ++count) {
            out.append(unit);
        }
        text.remove_prefix(close + 2 + digits);
    }
    return out;
}

}  // namespace

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
}

std::string expand(std::string text) {
    replace_all(text, "${v}", kVector);
    text = repeat_marked(text);
    if (text.starts_with("~")) {
        text.replace(0, 1, "/api/v1/collections");
    }
    return text;
}

std::vector<Line> read_lines(const std::string& path, size_t least, size_t columns) {
    std::ifstream file(path);
    std::vector<Line> lines;
    std::string text;
    for (size_t number = 1; std::getline(file, text); ++number) {
        if (text.empty() || text.starts_with("# ")) {
            continue;
        }
        Line line{.number = number};
        for (size_t from = 0; from <= text.size() && line.cells.size() < columns;) {
            size_t to = line.cells.size() + 1 < columns ? text.find('|', from) : text.size();
            to = std::min(to, text.size());
            line.cells.push_back(trimmed(text.substr(from, to - from)));
            from = to + 1;
        }
        if (line.cells.size() < least && !text.starts_with("## ")) {
            ADD_FAILURE() << path << ":" << number << " has " << line.cells.size() << " of " << least
                          << " columns";
            return lines;
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<BadRequest> read_bad_requests(const std::string& path) {
    std::vector<BadRequest> requests;
    for (Line& line : read_lines(path, kBadRequestColumns, kBadRequestColumns)) {
        std::vector<std::string>& cells = line.cells;
        requests.push_back({line.number, cells[0], expand(cells[1]), expand(cells[2]), std::stoi(cells[3]),
                            cells[4], cells[5] == "-" ? "" : cells[5], cells[6]});
    }
    return requests;
}

}  // namespace akidb::scenarios
