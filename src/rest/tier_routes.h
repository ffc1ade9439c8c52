// The routes of tiers: where a collection is kept, and what the object store still owes.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

bool is_tier_route(RouteId id);
Result<void> perform_on_tiers(Call& call, service::Service& service);

}  // namespace akidb::rest
