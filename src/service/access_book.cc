#include "service/access_book.h"

namespace akidb::service {

std::shared_ptr<const TenantEntry> AccessBook::find_tenant(const std::string& name) const {
    Uuid id;
    {
        MutexLock lock(mutex_);
        const auto at = tenant_names_.find(name);
        if (at == tenant_names_.end()) {
            return nullptr;
        }
        id = at->second;
    }
    return tenants.find(id);
}

std::shared_ptr<const UserEntry> AccessBook::find_user(const Uuid& tenant, const std::string& email) const {
    Uuid id;
    {
        MutexLock lock(mutex_);
        const auto at = emails_.find({tenant, email});
        if (at == emails_.end()) {
            return nullptr;
        }
        id = at->second;
    }
    return users.find(id);
}

void AccessBook::rename_tenant(const std::string& before, const catalog::TenantRow* now) {
    MutexLock lock(mutex_);
    tenant_names_.erase(before);
    if (now != nullptr) {
        tenant_names_[now->name] = now->id;
    }
}

void AccessBook::rename_user(const catalog::UserRow* before, const catalog::UserRow* now) {
    MutexLock lock(mutex_);
    if (before != nullptr) {
        emails_.erase({before->tenant, before->email});
    }
    if (now != nullptr) {
        emails_[{now->tenant, now->email}] = now->id;
    }
}

}  // namespace akidb::service
