#include "model/access.h"

#include <algorithm>

namespace akidb::model {

std::optional<Action> action_from(std::string_view name) {
    const auto* found = std::find(kActionNames.begin(), kActionNames.end(), name);
    if (found == kActionNames.end()) {
        return std::nullopt;
    }
    return static_cast<Action>(found - kActionNames.begin());
}

std::optional<Role> role_from(std::string_view name) {
    for (const RoleRow& row : kRoles) {
        if (row.name == name) {
            return row.role;
        }
    }
    return std::nullopt;
}

std::string role_names() {
    std::string names;
    for (const RoleRow& row : kRoles) {
        names.append(names.empty() ? "" : ", ").append(row.name);
    }
    return names;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
    size_t star = std::string_view::npos;  // the last one met, and where its text ends in `name`
    size_t resume = 0;
    size_t at = 0;
    size_t in_name = 0;
    while (in_name < name.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            resume = in_name;
        } else if (at < pattern.size() && pattern[at] == name[in_name]) {
            ++at;
            ++in_name;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_name = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace akidb::model
