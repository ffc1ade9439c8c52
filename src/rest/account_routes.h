// The routes of accounts: coming and going, users, keys, tenants. All may wait for the catalog's disk or for
// the hash of a password: not for an io thread. Thread-safe.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

Result<void> perform_on_accounts(Call& call, service::Service& service);

}  // namespace akidb::rest
