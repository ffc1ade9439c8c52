// The routes over collections and their aliases. As document_routes.h says; all answer before they return.
#pragma once

#include "base/result.h"
#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

Result<void> create_collection(Call& call, service::Service& service);
Result<void> list_collections(Call& call, service::Service& service);
Result<void> describe_collection(Call& call, service::Service& service);
Result<void> change_collection(Call& call, service::Service& service);
Result<void> delete_collection(Call& call, service::Service& service);
Result<void> put_metadata_index(Call& call, service::Service& service);
Result<void> delete_metadata_index(Call& call, service::Service& service);
Result<void> optimize(Call& call, service::Service& service);
Result<void> list_aliases(Call& call, service::Service& service);
Result<void> change_aliases(Call& call, service::Service& service);

}  // namespace akidb::rest
