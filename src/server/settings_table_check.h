// What must hold of every row of kSettings, or nothing compiles. Included where the table is read. Constants.
#pragma once

#include "server/settings_table.h"

namespace akidb::server {

namespace table_check {

constexpr bool keys_have_section_and_name() {
    for (const Setting& row : kSettings) {
        const size_t dot = row.key.find('.');
        if (dot == std::string_view::npos || dot == 0 || dot + 1 == row.key.size() ||
            row.key.rfind('.') != dot) {
            return false;
        }
    }
    return true;
}

constexpr bool keys_are_unique() {
    for (size_t i = 0; i < kSettings.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            if (kSettings[i].key == kSettings[j].key) {
                return false;
            }
        }
    }
    return true;
}

constexpr bool integer_defaults_are_in_range() {
    for (const Setting& row : kSettings) {
        if (row.type != SettingType::kInteger) {
            continue;
        }
        int64_t value = 0;
        for (const char digit : row.fallback) {
            if (digit < '0' || digit > '9') {
                return false;
            }
            value = value * 10 + (digit - '0');
        }
        if (row.fallback.empty() || row.min > row.max || value < row.min || value > row.max) {
            return false;
        }
    }
    return true;
}

constexpr bool choice_defaults_are_choices() {
    for (const Setting& row : kSettings) {
        if ((row.type == SettingType::kChoice) != !row.choices.empty()) {
            return false;
        }
        std::string_view rest = row.choices;
        bool is_found = row.choices.empty();
        while (!rest.empty() && !is_found) {
            const size_t bar = rest.find('|');
            is_found = rest.substr(0, bar) == row.fallback;
            rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

constexpr bool sentences_end_with_a_stop() {
    for (const Setting& row : kSettings) {
        if (row.sentence.empty() || !(row.sentence.back() == '.' || row.sentence.ends_with("…)."))) {
            return false;
        }
    }
    return true;
}

static_assert(keys_have_section_and_name());
static_assert(keys_are_unique());
static_assert(integer_defaults_are_in_range());
static_assert(choice_defaults_are_choices());
static_assert(sentences_end_with_a_stop());

}  // namespace table_check

}  // namespace akidb::server
