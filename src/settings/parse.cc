#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "settings/check.h"
#include "settings/settings.h"
#include "settings/text.h"
#include "settings/toml_file.h"

namespace akidb::settings {
namespace {

// Each unknown name is compared with the whole table; a file of nothing else must not take for ever.
constexpr size_t kMaxFindings = 100;
constexpr std::string_view kVariablePrefix = "AKIDB_";

class Parser {
  public:
    Parser(std::span<const Setting> table, const Inputs& inputs) : table_(table), inputs_(inputs) {
        for (const Setting& setting : table) {
            AKIDB_ASSERT(parsed_.effective.values.try_emplace(std::string(setting.key)).second);
            keys_.emplace_back(setting.key);
            variables_.push_back(variable_of(setting.key));
        }
    }

    Parsed run() {
        for (const Setting& setting : table_) {
            apply(setting, {Given::Kind::kText, std::string(setting.fallback)}, "default", "default");
        }
        if (!inputs_.file_name.empty()) {
            read_file();
        }
        read_environment();
        for (const auto& [key, text] : inputs_.flags) {
            if (const Setting* setting = find(key)) {
                apply(*setting, {Given::Kind::kText, text}, "flag --" + key, "flag");
            } else {
                report_unknown("flag --" + key, key, "is not a flag", nearest_of(key, keys_));
            }
        }
        return std::move(parsed_);
    }

  private:
    const Setting* find(std::string_view key) const {
        const auto found = std::find_if(table_.begin(), table_.end(),
                                        [&](const Setting& setting) { return setting.key == key; });
        return found == table_.end() ? nullptr : &*found;
    }

    bool is_section(std::string_view key) const {
        const std::string prefix = std::string(key) + ".";
        return std::any_of(keys_.begin(), keys_.end(),
                           [&](const std::string& known) { return known.starts_with(prefix); });
    }

    void report(Finding finding) {
        if (parsed_.findings.size() < kMaxFindings) {
            parsed_.findings.push_back(std::move(finding));
        } else if (parsed_.findings.size() == kMaxFindings) {
            parsed_.findings.push_back(
                {finding.place, "", "", "more findings than 100; the rest is left out", "", ""});
        }
    }

    // Never with the value: a misspelt name may be that of a secret.
    void report_unknown(std::string place, std::string name, std::string message, std::string nearest) {
        report({std::move(place), std::move(name), "", std::move(message), "", std::move(nearest)});
    }

    void apply(const Setting& setting, const Given& given, const std::string& place,
               const std::string& source) {
        Value& value = parsed_.effective.values.find(setting.key)->second;
        if (auto refusal = check(setting, given)) {
            report({place, std::string(setting.key), shown(setting, given), std::move(refusal->message),
                    std::move(refusal->allowed), ""});
            value = {std::string(setting.fallback), "default"};
            return;
        }
        value = {normalised(setting, given), source};
    }

    void read_file() {
        FileContent content = read_toml(inputs_.file_text);
        for (const FileFault& fault : content.faults) {
            report({place_of(fault.line, fault.column), "", "", words_for(fault), "", ""});
        }
        for (const FileEntry& entry : content.entries) {
            if (parsed_.findings.size() > kMaxFindings) {
                return;
            }
            read_entry(entry);
        }
    }

    void read_entry(const FileEntry& entry) {
        const std::string place = place_of(entry.line, entry.column);
        if (const Setting* setting = find(entry.key)) {
            apply(*setting, entry.given, place, inputs_.file_name + ":" + std::to_string(entry.line));
        } else if (is_section(entry.key)) {
            if (!entry.is_table || entry.given.text == "a list") {
                report_unknown(place, entry.key, "is a section, not a value: write [" + entry.key + "]", "");
            }
        } else {
            report_unknown(place, entry.key, "is not a setting", nearest_of(entry.key, keys_));
        }
    }

    // The parser's message can quote the text at fault.
    std::string words_for(const FileFault& fault) const {
        for (const Setting& setting : table_) {
            const size_t dot = setting.key.rfind('.');
            const std::string_view word =
                dot == std::string_view::npos ? setting.key : setting.key.substr(dot + 1);
            if (setting.is_secret && fault.line_text.find(word) != std::string::npos) {
                return "is not TOML (no details, as the line may hold a secret)";
            }
        }
        return fault.message;
    }

    std::string place_of(uint32_t line, uint32_t column) const {
        return inputs_.file_name + ":" + std::to_string(line) + ":" + std::to_string(column);
    }

    void read_environment() {
        const auto& foreign = inputs_.other_variables;
        for (const auto& [name, text] : inputs_.environment) {
            if (!name.starts_with(kVariablePrefix) || parsed_.findings.size() > kMaxFindings) {
                continue;
            }
            const auto known = std::find(variables_.begin(), variables_.end(), name);
            if (known != variables_.end()) {
                const Setting& setting = table_[static_cast<size_t>(known - variables_.begin())];
                apply(setting, {Given::Kind::kText, text}, "environment " + name, "environment");
            } else if (std::find(foreign.begin(), foreign.end(), name) == foreign.end()) {
                report_unknown("environment " + name, name, "is not a variable of any setting",
                               nearest_of(name, variables_));
            }
        }
    }

    std::span<const Setting> table_;
    const Inputs& inputs_;
    std::vector<std::string> keys_;
    std::vector<std::string> variables_;  // by index of table_
    Parsed parsed_;
};

}  // namespace

std::string variable_of(std::string_view key) {
    std::string name(kVariablePrefix);
    for (char c : key) {
        name += c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return name;
}

Parsed parse(std::span<const Setting> table, const Inputs& inputs) {
    return Parser(table, inputs).run();
}

const std::string& Effective::text(std::string_view key) const {
    const auto found = values.find(key);
    AKIDB_ASSERT(found != values.end());
    return found->second.text;
}

int64_t Effective::integer(std::string_view key) const {
    // Checked when it was parsed; a key of another type is a mistake of the caller.
    const std::string& digits = text(key);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    AKIDB_ASSERT(error == std::errc{} && end == digits.data() + digits.size());
    return value;
}

bool Effective::boolean(std::string_view key) const {
    const std::string& word = text(key);
    AKIDB_ASSERT(word == "true" || word == "false");
    return word == "true";
}

}  // namespace akidb::settings
