// The routes that find documents: by likeness, by page, by value. As document_routes.h says; all answer
// before they return.
#pragma once

#include "base/result.h"
#include "model/search.h"
#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

Result<void> search(Call& call, service::Service& service, const model::SearchRequest& request);
Result<void> search_batch(Call& call, service::Service& service);
Result<void> count_documents(Call& call, service::Service& service);
Result<void> scroll(Call& call, service::Service& service);
Result<void> facet(Call& call, service::Service& service);

}  // namespace akidb::rest
