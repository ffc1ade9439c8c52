// Bodies of all requests, of our own routes and of the Qdrant dialect: the first byte says which reader gets
// the rest.
#include <cstdint>
#include <string>

#include "rest/qdrant/collection_codec.h"
#include "rest/qdrant/point_codec.h"
#include "rest/qdrant/query_codec.h"
#include "rest/qdrant/scroll_codec.h"
#include "rest/request_codec.h"
#include "rest/search_codec.h"
#include "rest/write_codec.h"

namespace akidb::rest {
namespace {

model::DocumentId id_made() {
    return model::DocumentId(uint64_t{7});
}

template <class Read>
void read(Read what) {
    static_cast<void>(what.has_value());
}

void read_ours(unsigned which, std::string& body) {
    switch (which) {
        case 0:
            return read(read_create_body(body));
        case 1:
            return read(read_upsert_body(body, id_made));
        case 2:
            return read(read_update_body(body));
        case 3:
            return read(read_delete_body(body));
        case 4:
            return read(read_get_body(body));
        case 5:
            return read(read_count_body(body, 0));
        case 6:
            return read(read_search_body(body, 0));
        case 7:
            return read(read_search_batch_body(body, 0));
        case 8:
            return read(read_scroll_body(body, 0));
        case 9:
            return read(read_facet_body(body, 0));
        case 10:
            return read(read_aliases_body(body));
        case 11:
            return read(read_change_body(body));
        default:
            return read(read_metadata_index_body(body));
    }
}

void read_qdrant(unsigned which, std::string& body) {
    switch (which) {
        case 0:
            return read(qdrant::read_create_body(body));
        case 1:
            return read(qdrant::read_update_body(body));
        case 2:
            return read(qdrant::read_index_body(body));
        case 3:
            return read(qdrant::read_query_body(body, qdrant::QueryForm::kQuery));
        case 4:
            return read(qdrant::read_query_body(body, qdrant::QueryForm::kSearch));
        case 5:
            return read(qdrant::read_query_body(body, qdrant::QueryForm::kRecommend));
        case 6:
            return read(qdrant::read_query_batch_body(body, qdrant::QueryForm::kQuery));
        case 7:
            return read(qdrant::read_query_groups_body(body, qdrant::QueryForm::kQuery));
        case 8:
            return read(qdrant::read_scroll_body(body));
        default:
            return read(qdrant::read_count_body(body));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const unsigned which = data[0] % 32;
    std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
    which < 16 ? read_ours(which, body) : read_qdrant(which - 16, body);
    return 0;
}

}  // namespace akidb::rest
