// The routes that make backups of this server and tell how they go. Thread-safe.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

bool is_backup_route(RouteId id);
/// POST answers 202 at once; the backup goes on as a job.
Result<void> perform_on_backups(Call& call, service::Service& service);

}  // namespace akidb::rest
