#include "service/alias_map.h"

#include "model/limits.h"

namespace akidb::service {

Result<void> AliasMap::plan(const Uuid& tenant, const AliasAction& action, const EntryMap& entries, Map& next,
                            std::vector<catalog::AliasChange>& changes) const {
    const auto name_checked = [](const std::string& name, std::string field) -> Result<void> {
        if (Result<void> valid = model::validate_collection_name(name); !valid) {
            return std::move(valid).error().with_field(std::move(field));
        }
        return {};
    };
    if (action.collection) {
        AKIDB_TRY(name_checked(action.alias, "create.alias"));
        auto entry = entries.lookup({tenant, *action.collection});
        if (entry == nullptr) {
            entry = find({tenant, *action.collection}, entries);
        }
        if (entry == nullptr) {
            return no_collection(*action.collection, "create.collection");
        }
        if (entries.lookup({tenant, action.alias}) != nullptr) {
            return Error(Code::kAlreadyExists, "a collection has this name").with_field("create.alias");
        }
        next.insert_or_assign(action.alias, Target{entry->spec.id, entry->spec.name});
        changes.push_back({action.alias, entry->spec.id});
        return {};
    }
    const auto known = next.find(action.alias);
    if (known == next.end()) {
        return Error(Code::kNotFound, "there is no such alias")
            .with_field(action.rename_to ? "rename.alias" : "delete.alias");
    }
    const Target target = known->second;
    next.erase(known);
    changes.push_back({action.alias, std::nullopt});
    if (!action.rename_to) {
        return {};
    }
    AKIDB_TRY(name_checked(*action.rename_to, "rename.to"));
    if (entries.lookup({tenant, *action.rename_to}) != nullptr || next.contains(*action.rename_to)) {
        return Error(Code::kAlreadyExists, "the name is taken").with_field("rename.to");
    }
    next.insert_or_assign(*action.rename_to, target);
    changes.push_back({*action.rename_to, target.id});
    return {};
}

Result<void> AliasMap::change(const Uuid& tenant, const std::vector<AliasAction>& actions,
                              const EntryMap& entries, catalog::Catalog& catalog) {
    if (actions.empty() || actions.size() > model::kAliasActionsMax) {
        return invalid_argument("actions", std::to_string(actions.size()) + " actions",
                                "1.." + std::to_string(model::kAliasActionsMax));
    }
    Tenants tenants = *published_.load();
    Map& next = tenants[tenant];
    std::vector<catalog::AliasChange> changes;
    for (size_t i = 0; i < actions.size(); ++i) {
        if (Result<void> planned = plan(tenant, actions[i], entries, next, changes); !planned) {
            return std::move(planned).error().with_field_prefix("actions[" + std::to_string(i) + "]");
        }
    }
    if (next.size() > model::kAliasesMax) {
        return Error(Code::kRateLimited, "there are too many aliases")
            .with_field("actions")
            .with_allowed("at most " + std::to_string(model::kAliasesMax));
    }
    AKIDB_TRY(catalog.change_aliases(changes, tenant));
    published_.store(std::make_shared<const Tenants>(std::move(tenants)));
    return {};
}

void AliasMap::forget(const Uuid& collection) {
    Tenants next = *published_.load();
    size_t forgotten = 0;
    for (auto& [tenant, map] : next) {
        forgotten += std::erase_if(map, [&](const auto& one) { return one.second.id == collection; });
    }
    if (forgotten > 0) {
        published_.store(std::make_shared<const Tenants>(std::move(next)));
    }
}

std::vector<Alias> AliasMap::list(const Uuid& tenant, const EntryMap& entries) const {
    const auto tenants = published_.load();
    const auto map = tenants->find(tenant);
    std::vector<Alias> aliases;
    if (map == tenants->end()) {
        return aliases;
    }
    for (const auto& [alias, target] : map->second) {
        if (find({tenant, alias}, entries) != nullptr) {
            aliases.push_back({alias, target.name});
        }
    }
    return aliases;
}

}  // namespace akidb::service
