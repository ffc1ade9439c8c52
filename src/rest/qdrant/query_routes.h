// The routes of the Qdrant dialect that find points. Thread-safe.
#pragma once

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest::qdrant {

Result<void> perform_read(Call& call, service::Service& service);

}  // namespace akidb::rest::qdrant
