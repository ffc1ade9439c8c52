// Principal: who asks, and what he may reach: made once for a user or key and shared by its requests.
// Immutable, thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "model/access.h"
#include "model/filter.h"

namespace akidb::service {

/// kOperator: whoever reaches a server without authentication.
enum class PrincipalKind : uint8_t { kOperator, kUser, kKey };

struct Principal {
    PrincipalKind kind = PrincipalKind::kOperator;
    std::string name = "operator";  // the e-mail of a user, the name of a key
    Uuid id{};                      // of the user or key
    Uuid tenant{};
    std::string role{};  // empty: the actions were listed one by one
    model::ActionSet actions{};
    std::vector<std::string> collections{};           // patterns; empty: all
    std::shared_ptr<const model::Filter> row_rule{};  // null: none

    bool allows_collection(std::string_view collection) const {
        return collections.empty() ||
               std::any_of(collections.begin(), collections.end(), [&](const std::string& pattern) {
                   return model::matches_pattern(pattern, collection);
               });
    }
    /// Of the tenant whose administrators run the server.
    bool is_of_default_tenant() const { return tenant == Uuid{}; }
};

/// The one of a server without authentication. Copies of the pointer count nothing.
inline std::shared_ptr<const Principal> operator_principal() {
    static const Principal kOperator{.role = "admin", .actions = model::ActionSet::all()};
    return {std::shared_ptr<const Principal>(), &kOperator};
}

}  // namespace akidb::service
