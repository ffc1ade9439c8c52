// Changes of documents, pages and facets between protobuf and their values. What the collection decides is
// left to the service. Errors: kInvalidArgument with the path as in REST. Pure, thread-safe.
#pragma once

#include <akidb/v1/documents.pb.h>

#include "model/scroll.h"
#include "model/update.h"
#include "rpc/deadline.h"

namespace akidb::rpc {

Result<model::UpdateRequest> read_update(const v1::UpdateRequest& request);

Result<model::ScrollRequest> read_scroll(const v1::ScrollRequest& request, const RequestTimes& times);
void write_page(const model::ScrollReply& reply, const model::Include& include, v1::ScrollResponse& to);

Result<model::FacetRequest> read_facet(const v1::FacetRequest& request, const RequestTimes& times);
void write_facets(const model::FacetReply& reply, v1::FacetResponse& to);

}  // namespace akidb::rpc
