#include "settings/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#include "settings/text.h"

namespace akidb::settings {
namespace {

constexpr size_t kMaxFileBytes = 256 * 1024;
constexpr size_t kMaxFaults = 20;
// toml++ bounds nested values but not dotted keys, and its tables are destroyed recursively.
constexpr ptrdiff_t kMaxDotsPerLine = 200;

struct Line {
    size_t begin = 0;
    size_t end = 0;
};

// Bounds of a 1-based line without its line end; empty at the end of the text when there is no such line.
Line bounds_of(std::string_view text, uint32_t number) {
    size_t begin = 0;
    for (uint32_t line = 1; line < number; ++line) {
        const size_t newline = text.find('\n', begin);
        if (newline == std::string_view::npos) {
            return {text.size(), text.size()};
        }
        begin = newline + 1;
    }
    return {begin, std::min(text.find('\n', begin), text.size())};
}

std::optional<FileFault> fault_of_bounds(std::string_view text) {
    if (text.size() > kMaxFileBytes) {
        return FileFault{"the file is larger than 262144 bytes", "", 1, 1};
    }
    uint32_t number = 1;
    for (size_t begin = 0; begin < text.size(); ++number) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        if (std::count(text.begin() + static_cast<ptrdiff_t>(begin),
                       text.begin() + static_cast<ptrdiff_t>(end), '.') > kMaxDotsPerLine) {
            return FileFault{"the line has more than 200 dots", "", number, 1};
        }
        begin = end + 1;
    }
    return std::nullopt;
}

Given given_of(const toml::node& node) {
    using Found = Given::Kind;
    if (const auto* string = node.as_string()) {
        return {Found::kString, string->get()};
    }
    if (const auto* integer = node.as_integer()) {
        return {Found::kInteger, std::to_string(integer->get())};
    }
    if (const auto* boolean = node.as_boolean()) {
        return {Found::kBool, boolean->get() ? "true" : "false"};
    }
    return {Found::kOther, node.is_array()            ? "a list"
                           : node.is_table()          ? "a section"
                           : node.is_floating_point() ? "a number with a fraction"
                                                      : "a date or time"};
}

// Depth is bounded by kMaxDotsPerLine and the parser's own limit of 256 nested values.
void flatten(const toml::table& table, const std::string& prefix, std::vector<FileEntry>& entries) {
    for (const auto& [key, node] : table) {
        const std::string_view part = key.str();
        const bool is_plain = !part.empty() && part.find_first_not_of(
                                                   "abcdefghijklmnopqrstuvwxyz"
                                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                   "0123456789_-") == std::string_view::npos;
        const std::string path = prefix + (is_plain ? std::string(part) : quoted(part));
        if (const auto* inner = node.as_table(); inner != nullptr && !inner->empty()) {
            flatten(*inner, path + ".", entries);
            continue;
        }
        const toml::source_position place = key.source().begin ? key.source().begin : node.source().begin;
        entries.push_back(
            {path, given_of(node), node.is_table() || node.is_array_of_tables(), place.line, place.column});
    }
}

bool is_worth_reading_on(const FileFault& fault) {
    // At the end of the file the fault is somewhere above.
    return fault.message.find("end-of-file") == std::string::npos &&
           fault.line_text.find_first_not_of(" \t\r") != std::string::npos;
}

bool is_header(std::string_view line) {
    const size_t first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] == '[';
}

// Overwrites the line with spaces; with a faulty section header also the keys below it, which belong nowhere.
void blank_out(std::string& text, uint32_t number) {
    Line line = bounds_of(text, number);
    const bool is_section = is_header(std::string_view(text).substr(line.begin, line.end - line.begin));
    do {
        std::fill(text.begin() + static_cast<ptrdiff_t>(line.begin),
                  text.begin() + static_cast<ptrdiff_t>(line.end), ' ');
        const size_t next = std::min(line.end + 1, text.size());
        line = {next, std::min(text.find('\n', next), text.size())};
    } while (is_section && line.begin < text.size() &&
             !is_header(std::string_view(text).substr(line.begin, line.end - line.begin)));
}

std::string in_our_words(const toml::parse_error& error) {
    std::string message(error.description());
    constexpr std::string_view kRepeated = "cannot redefine existing ";
    if (const size_t at = message.find(kRepeated); at != std::string::npos) {
        return "given twice (" + message.substr(at) + ")";
    }
    return message;
}

}  // namespace

FileContent read_toml(std::string_view original) {
    FileContent content;
    if (auto fault = fault_of_bounds(original)) {
        content.faults.push_back(*std::move(fault));
        return content;
    }
    std::string text(original);
    while (true) {
        try {
            const toml::table table = toml::parse(std::string_view(text));
            flatten(table, "", content.entries);
            break;
        } catch (const toml::parse_error& error) {
            const toml::source_position place = error.source().begin;
            const Line line = bounds_of(text, place.line);
            content.faults.push_back({in_our_words(error), text.substr(line.begin, line.end - line.begin),
                                      place.line, place.column});
            if (content.faults.size() == kMaxFaults || !is_worth_reading_on(content.faults.back())) {
                break;
            }
            blank_out(text, place.line);
        }
    }
    std::sort(content.entries.begin(), content.entries.end(), [](const FileEntry& a, const FileEntry& b) {
        return std::tie(a.line, a.column, a.key) < std::tie(b.line, b.column, b.key);
    });
    return content;
}

}  // namespace akidb::settings
