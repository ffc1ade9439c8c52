// Check of one value against its row of the table: type, range, choice. The same for all three sources, so
// that a value is valid in the file exactly when it is valid in the environment. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "settings/settings.h"

namespace akidb::settings {

/// A value as a source gave it. Environment and flags give text only, for any type.
struct Given {
    enum class Kind : uint8_t { kText, kString, kInteger, kBool, kOther };
    Kind kind = Kind::kText;
    std::string text;  // kOther: what it is, in words ("a list")
};

struct Refusal {
    std::string message;
    std::string allowed;
};

/// What the row accepts, in words: "1..65535 bytes", "text|json".
std::string allowed_of(const Setting& setting);
/// Nothing when the value is fine.
std::optional<Refusal> check(const Setting& setting, const Given& given);
/// The text of a value that passed `check`, one form per value: "0080" → "80".
std::string normalised(const Setting& setting, const Given& given);
/// The value as shown in messages: quoted and cut; "***" for secrets.
std::string shown(const Setting& setting, const Given& given);

}  // namespace akidb::settings
