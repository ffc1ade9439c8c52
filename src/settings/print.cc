#include <algorithm>

#include "settings/check.h"
#include "settings/settings.h"
#include "settings/text.h"

namespace akidb::settings {
namespace {

std::string_view section_of(std::string_view key) {
    const size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

std::string_view name_in_section(std::string_view key) {
    const size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

// Sections in the order of the table, keys without one first, as TOML wants it.
std::vector<std::string_view> sections_of(std::span<const Setting> table) {
    std::vector<std::string_view> sections{""};
    for (const Setting& setting : table) {
        const std::string_view section = section_of(setting.key);
        if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
            sections.push_back(section);
        }
    }
    return sections;
}

bool has_keys(std::span<const Setting> table, std::string_view section) {
    return std::any_of(table.begin(), table.end(),
                       [&](const Setting& setting) { return section_of(setting.key) == section; });
}

bool is_text(SettingType type) {
    return type != SettingType::kInteger && type != SettingType::kBool;
}

std::string without_quotes(const std::string& quoted_text) {
    return quoted_text.substr(1, quoted_text.size() - 2);
}

std::string in_a_cell(std::string_view text) {
    std::string cell;
    for (char c : text) {
        cell += c == '|' ? "\\|" : std::string(1, c == '\n' ? ' ' : c);
    }
    return cell;
}

std::string markdown_row(const Setting& setting) {
    std::string row = "| `" + std::string(setting.key) + "` | ";
    row += setting.fallback.empty() ? "–" : "`" + in_a_cell(setting.fallback) + "`";
    row += " | " + in_a_cell(allowed_of(setting)) + " | ";
    row += setting.reload == Reload::kLive ? "live" : "restart";
    row += " | `" + variable_of(setting.key) + "` | " + in_a_cell(setting.sentence);
    row += setting.is_secret ? " Secret: never shown." : "";
    return row + " |\n";
}

}  // namespace

std::string describe(const Finding& finding) {
    std::string line = without_quotes(quoted(finding.place)) + ":";
    if (!finding.key.empty()) {
        line += " " + without_quotes(quoted(finding.key));
    }
    if (!finding.given.empty()) {
        line += " = " + finding.given;
    }
    line += " " + without_quotes(quoted(finding.message));
    if (!finding.allowed.empty()) {
        line += "; allowed: " + finding.allowed;
    }
    if (!finding.nearest.empty()) {
        line += "; did you mean " + finding.nearest + "?";
    }
    return line;
}

std::string findings_as_json(const std::vector<Finding>& findings) {
    std::string json = "[";
    for (const Finding& finding : findings) {
        json += json.size() > 1 ? ",\n {" : "{";
        json += "\"place\":" + quoted(finding.place) + ",\"key\":" + quoted(finding.key);
        json += ",\"given\":" + quoted(finding.given) + ",\"message\":" + quoted(finding.message);
        json += ",\"allowed\":" + quoted(finding.allowed) + ",\"nearest\":" + quoted(finding.nearest) + "}";
    }
    return json + "]\n";
}

std::string print_effective(std::span<const Setting> table, const Effective& effective) {
    std::string toml;
    for (std::string_view section : sections_of(table)) {
        if (!section.empty()) {
            toml.append(toml.empty() ? "" : "\n").append("[").append(section).append("]\n");
        }
        for (const Setting& setting : table) {
            if (section_of(setting.key) != section) {
                continue;
            }
            const Value& value = effective.values.find(setting.key)->second;
            // An empty secret is told from a hidden one: that it is missing is what its owner has to see.
            const bool is_hidden = setting.is_secret && !value.text.empty();
            const std::string text = is_hidden ? "***" : value.text;
            toml.append("# ").append(without_quotes(quoted(value.source))).append("\n");
            toml.append(name_in_section(setting.key)).append(" = ");
            toml += (is_text(setting.type) || is_hidden ? quoted(text) : text) + "\n";
        }
    }
    return toml;
}

std::string generate_markdown(std::span<const Setting> table) {
    std::string page =
        "# Settings\n\n"
        "Made from the table of settings in the source; do not edit.\n\n"
        "A value comes from the first of these that gives it: the flag `--<key>`, the variable, the TOML "
        "file, the\n"
        "default. Unknown keys and unknown `AKIDB_…` variables stop the start.\n";
    for (std::string_view section : sections_of(table)) {
        if (!has_keys(table, section)) {
            continue;
        }
        page += section.empty() ? "\n## (no section)\n\n" : "\n## [" + std::string(section) + "]\n\n";
        page +=
            "| Key | Default | Allowed | Takes effect | Variable | Meaning |\n|---|---|---|---|---|---|\n";
        for (const Setting& setting : table) {
            if (section_of(setting.key) == section) {
                page += markdown_row(setting);
            }
        }
    }
    return page;
}

}  // namespace akidb::settings
