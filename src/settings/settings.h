// Settings: the mechanism only. A table of Setting rows (the server's is server/settings_table.h) gives
// parsing of TOML file, environment and flags (in that order, later wins), validation with all findings in
// one run, `print-config` and the generated reference. Pure but for reading the file's text, which the caller
// does. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace akidb::settings {

enum class SettingType : uint8_t { kString, kInteger, kBool, kChoice, kPath };
enum class Reload : uint8_t { kRestart, kLive };

struct Setting {
    std::string_view
        key;  // "server.rest_port"; its variable is AKIDB_SERVER_REST_PORT, its flag --server.rest_port
    SettingType type;
    std::string_view unit;      // "ms", "bytes", "" …
    std::string_view fallback;  // the default, as text
    int64_t min = 0;            // integers only
    int64_t max = 0;
    std::string_view choices;  // kChoice: "a|b|c"
    Reload reload = Reload::kRestart;
    bool is_secret = false;
    std::string_view sentence;  // for docs and --help
};

struct Finding {
    std::string place;  // "akidb.toml:12:3", "environment AKIDB_…", "flag --…"
    std::string key;
    std::string given;  // redacted for secrets
    std::string message;
    std::string allowed;  // "1..65535", "text|json", …
    std::string nearest;  // nearest known key for an unknown one, or empty
};

struct Value {
    std::string text;    // normalised
    std::string source;  // "default", "akidb.toml:12", "environment", "flag"
};

struct Effective {
    std::map<std::string, Value, std::less<>> values;  // every key of the table
    const std::string& text(std::string_view key) const;
    int64_t integer(std::string_view key) const;
    bool boolean(std::string_view key) const;
};

struct Inputs {
    std::string file_name;  // for messages; empty = no file
    std::string file_text;
    std::map<std::string, std::string> environment;          // all variables; only AKIDB_* are looked at
    std::map<std::string, std::string> flags;                // by key
    std::vector<std::string> other_variables{"AKIDB_SIMD"};  // AKIDB_* variables that are not settings
};

struct Parsed {
    Effective effective;            // defaults where a value was refused
    std::vector<Finding> findings;  // empty = valid
};

/// Never stops at the first fault. Unknown keys and unknown AKIDB_* variables are findings with the nearest
/// known key (Damerau–Levenshtein ≤ 2, or ≤ a third of the length).
Parsed parse(std::span<const Setting> table, const Inputs& inputs);
/// One line per finding: place, key, given, why, allowed, nearest.
std::string describe(const Finding& finding);
std::string findings_as_json(const std::vector<Finding>& findings);
/// TOML with a comment per key naming its source; secrets as "***".
std::string print_effective(std::span<const Setting> table, const Effective& effective);
/// The reference page: a table per section.
std::string generate_markdown(std::span<const Setting> table);
std::string variable_of(std::string_view key);

}  // namespace akidb::settings
