// The routes over documents: each decodes its body, calls one service function and answers. Those that take
// the call by a shared pointer may answer later, from the thread that commits the write; the others answer
// before they return, and wait for a disk or read much on the way as the service says. Thread-safe.
#pragma once

#include <memory>

#include "base/result.h"
#include "rest/call.h"
#include "rest/request_codec.h"
#include "rest/write_codec.h"
#include "service/service.h"

namespace akidb::rest {

Result<void> upsert_documents(const std::shared_ptr<Call>& call, service::Service& service);
Result<void> update_documents(const std::shared_ptr<Call>& call, service::Service& service);
Result<void> delete_document(const std::shared_ptr<Call>& call, service::Service& service);
/// Waits for the write when `body` is a filter.
Result<void> delete_documents(const std::shared_ptr<Call>& call, service::Service& service,
                              const DeleteBody& body);
Result<void> erase_documents(Call& call, service::Service& service);
Result<void> get_documents(Call& call, service::Service& service);
Result<void> get_document(Call& call, service::Service& service);

}  // namespace akidb::rest
