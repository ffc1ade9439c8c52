#include "service/access_book.h"

#include <algorithm>

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

void AccessBook::put_session(SessionEntry session) {
    {
        MutexLock lock(mutex_);
        sessions_of_users_[session.row.user].push_back(session.row.id);
    }
    sessions.put(std::move(session));
}

void AccessBook::remove_session(const catalog::SessionRow& row) {
    sessions.remove(row.id);
    MutexLock lock(mutex_);
    const auto at = sessions_of_users_.find(row.user);
    if (at == sessions_of_users_.end()) {
        return;
    }
    std::erase(at->second, row.id);
    if (at->second.empty()) {
        sessions_of_users_.erase(at);
    }
}

std::vector<std::shared_ptr<const SessionEntry>> AccessBook::sessions_of(const Uuid& user) const {
    std::vector<Uuid> ids;
    {
        MutexLock lock(mutex_);
        if (const auto at = sessions_of_users_.find(user); at != sessions_of_users_.end()) {
            ids = at->second;
        }
    }
    std::vector<std::shared_ptr<const SessionEntry>> found;
    for (const Uuid& id : ids) {
        if (auto session = sessions.find(id)) {
            found.push_back(std::move(session));
        }
    }
    // Of those of one millisecond the one put first is the older one.
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return a->row.created_at_ms < b->row.created_at_ms;
    });
    return found;
}

}  // namespace akidb::service
