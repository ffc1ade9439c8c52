// The routes of accounts: coming and going, users, keys, tenants. All may wait for the catalog's disk: not
// for an io thread. None waits for the hash of a password: it is answered from where that is made.
// Thread-safe.
#pragma once

#include <memory>

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

Result<void> perform_on_accounts(const std::shared_ptr<Call>& call, service::Service& service);

}  // namespace akidb::rest
