// Actions, roles and patterns, and that a row of a table without an Access does not compile.
#include "model/access.h"

#include <gtest/gtest.h>

#include <concepts>
#include <set>

namespace akidb::model {
namespace {

TEST(Access, NamesAreThereAndBack) {
    std::set<std::string_view> names;
    for (size_t i = 0; i < kActionCount; ++i) {
        const auto action = static_cast<Action>(i);
        EXPECT_TRUE(names.insert(name_of(action)).second) << name_of(action);
        EXPECT_EQ(action_from(name_of(action)), action);
    }
    EXPECT_FALSE(action_from("collection::burn"));
    for (const RoleRow& row : kRoles) {
        EXPECT_EQ(role_from(row.name), row.role);
        EXPECT_EQ(&row_of(row.role), &row);
    }
    EXPECT_FALSE(role_from("Admin"));
}

TEST(Access, RolesMayWhatTheyShouldAndNothingElse) {
    const auto count = [](Role role) {
        size_t may = 0;
        for (size_t i = 0; i < kActionCount; ++i) {
            may += row_of(role).actions.contains(static_cast<Action>(i)) ? 1 : 0;
        }
        return may;
    };
    EXPECT_EQ(count(Role::kAdmin), kActionCount);
    EXPECT_EQ(count(Role::kDeveloper), 9U);
    EXPECT_EQ(count(Role::kViewer), 3U);
    EXPECT_EQ(count(Role::kAuditor), 3U);
    EXPECT_EQ(row_of(Role::kViewer)
                  .actions.find_missing(ActionSet(Action::kDocumentSearch, Action::kDocumentInsert)),
              Action::kDocumentInsert);
    EXPECT_EQ(row_of(Role::kDeveloper).actions.find_missing(ActionSet(Action::kDocumentInsert)),
              std::nullopt);
}

struct Row {
    int id;
    Access access;
};
template <class R>
concept CompilesWithoutAccess = requires {
    R{1};
};
template <class R>
concept CompilesWithAccess = requires {
    R{1, Access::everyone()};
};
template <class R>
concept CompilesWithEmptyAccess = requires {
    R{1, {}};
};
static_assert(CompilesWithAccess<Row> && !CompilesWithoutAccess<Row> && !CompilesWithEmptyAccess<Row>);
static_assert(!std::default_initializable<Access>);

TEST(Access, PatternsMatchAsShellsDo) {
    for (const auto& [pattern, name] : {std::pair{"*", "words"},
                                        {"*", ""},
                                        {"words", "words"},
                                        {"w*s", "words"},
                                        {"w*", "words"},
                                        {"*ds", "words"},
                                        {"*o*d*", "words"},
                                        {"a*b*c", "aXbXbXc"},
                                        {"**", "x"},
                                        {"words*", "words"}}) {
        EXPECT_TRUE(matches_pattern(pattern, name)) << pattern << " " << name;
    }
    for (const auto& [pattern, name] : {std::pair{"words", "word"},
                                        {"words", "words2"},
                                        {"w*x", "words"},
                                        {"", "words"},
                                        {"*ords", "swordsman"},
                                        {"Words", "words"}}) {
        EXPECT_FALSE(matches_pattern(pattern, name)) << pattern << " " << name;
    }
}

}  // namespace
}  // namespace akidb::model
