// The route that reads the audit log, page by page, the newest entries first. Reads files: not for an io
// thread. Thread-safe.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

/// Query: tenant, actor, action, outcome, from, to, before, limit. Who is not of the tenant default sees his
/// own tenant's entries alone.
Result<void> read_audit(Call& call, service::Service& service);

}  // namespace akidb::rest
