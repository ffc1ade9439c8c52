// Request bodies of /api/v1 as values, but for writes (write_codec.h) and searches (search_codec.h): one
// function a body. Strict (json_reader.h); what a collection decides (dimension, ranges of top_k and ef) is
// left to the service. `body` may grow by spare capacity. Errors: kInvalidArgument with the path as field.
// Pure, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/document.h"
#include "model/filter.h"
#include "rest/json_reader.h"
#include "service/service.h"

namespace akidb::rest {

struct GetBody {
    std::vector<model::DocumentId> ids;
    model::Include include{.vector = true, .metadata = true};
};
struct CountBody {
    std::shared_ptr<const model::Filter> filter;  // null when there is none
    bool is_exact = true;
    std::optional<uint64_t> deadline_us{};
};

Result<service::CreateCollection> read_create_body(std::string& body);
/// {"settings":{…},"metadata_indexes":{"field":"keyword","other":null}}; null takes away.
Result<model::CollectionChange> read_change_body(std::string& body);
/// {"type":"keyword"}.
Result<model::MetadataIndexType> read_metadata_index_body(std::string& body);
/// {"actions":[{"create":{"alias","collection"}}, {"rename":{"alias","to"}}, {"delete":{"alias"}}]}.
Result<std::vector<service::AliasAction>> read_aliases_body(std::string& body);
Result<GetBody> read_get_body(std::string& body);
/// `received_us` as in search_codec.h.
Result<CountBody> read_count_body(std::string& body, uint64_t received_us);

}  // namespace akidb::rest
