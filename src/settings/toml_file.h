// TOML text as a flat list of keys with their places; the only file of the room that knows toml++. A line
// that does not parse becomes a fault and is left out, and the rest is read on, so that one run shows all
// faults. Hostile text is bounded: 256 KiB, 20 faults, nesting of 200. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/check.h"

namespace akidb::settings {

struct FileEntry {
    std::string key;  // path joined by dots; a part that itself holds a dot stays in quotes
    Given given;
    bool is_table = false;  // an empty section, or a list of tables
    uint32_t line = 0;
    uint32_t column = 0;
};

struct FileFault {
    std::string message;
    std::string line_text;  // may hold a secret: for deciding what to say, not for saying it
    uint32_t line = 0;
    uint32_t column = 0;
};

struct FileContent {
    std::vector<FileEntry> entries;  // in the order of the file
    std::vector<FileFault> faults;
};

FileContent read_toml(std::string_view text);

}  // namespace akidb::settings
