// The routes of the Qdrant dialect over collections, indexes and aliases. Thread-safe.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest::qdrant {

Result<void> perform_on_collections(Call& call, service::Service& service);

}  // namespace akidb::rest::qdrant
