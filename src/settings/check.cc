#include "settings/check.h"

#include <charconv>

#include "base/assert.h"
#include "base/utf8.h"
#include "settings/text.h"

namespace akidb::settings {
namespace {

using Kind = Given::Kind;

std::optional<int64_t> integer_of(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool is_choice(std::string_view choices, std::string_view text) {
    while (!choices.empty()) {
        const size_t bar = choices.find('|');
        if (choices.substr(0, bar) == text) {
            return true;
        }
        choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
    }
    return false;
}

std::string_view type_in_words(SettingType type) {
    switch (type) {
        case SettingType::kString:
            return "a string";
        case SettingType::kInteger:
            return "an integer";
        case SettingType::kBool:
            return "true or false";
        case SettingType::kChoice:
            return "one of the choices, as a string";
        case SettingType::kPath:
            return "a path, as a string";
    }
    AKIDB_ASSERT(false);
}

bool is_kind_of(SettingType type, Kind kind) {
    switch (type) {
        case SettingType::kInteger:
            return kind == Kind::kInteger;
        case SettingType::kBool:
            return kind == Kind::kBool;
        default:
            return kind == Kind::kString;
    }
}

// Why the text is not a value of the row, or nothing.
std::string fault_of(const Setting& setting, std::string_view text) {
    switch (setting.type) {
        case SettingType::kInteger: {
            const auto value = integer_of(text);
            if (!value) {
                return "is not an integer of 64 bits";
            }
            return *value < setting.min || *value > setting.max ? "is out of range" : "";
        }
        case SettingType::kBool:
            return text == "true" || text == "false" ? "" : "is neither true nor false";
        case SettingType::kChoice:
            return is_choice(setting.choices, text) ? "" : "is not one of the choices";
        case SettingType::kString:
        case SettingType::kPath:
            if (text.find('\0') != std::string_view::npos) {
                return "holds a NUL byte";
            }
            return is_utf8(text) ? "" : "is not UTF-8";
    }
    AKIDB_ASSERT(false);
}

}  // namespace

std::string allowed_of(const Setting& setting) {
    switch (setting.type) {
        case SettingType::kInteger: {
            std::string range = std::to_string(setting.min) + ".." + std::to_string(setting.max);
            return setting.unit.empty() ? range : range.append(" ").append(setting.unit);
        }
        case SettingType::kBool:
            return "true|false";
        case SettingType::kChoice:
            return std::string(setting.choices);
        case SettingType::kString:
        case SettingType::kPath:
            return std::string(type_in_words(setting.type));
    }
    AKIDB_ASSERT(false);
}

std::optional<Refusal> check(const Setting& setting, const Given& given) {
    if (given.kind != Kind::kText && !is_kind_of(setting.type, given.kind)) {
        return Refusal{"must be " + std::string(type_in_words(setting.type)), allowed_of(setting)};
    }
    if (std::string fault = fault_of(setting, given.text); !fault.empty()) {
        return Refusal{std::move(fault), allowed_of(setting)};
    }
    return std::nullopt;
}

std::string normalised(const Setting& setting, const Given& given) {
    if (setting.type == SettingType::kInteger) {
        return std::to_string(integer_of(given.text).value_or(0));
    }
    return given.text;
}

std::string shown(const Setting& setting, const Given& given) {
    if (setting.is_secret) {
        return "***";
    }
    const bool is_quoted = given.kind == Kind::kText || given.kind == Kind::kString;
    return is_quoted ? quoted_short(given.text) : given.text;
}

}  // namespace akidb::settings
