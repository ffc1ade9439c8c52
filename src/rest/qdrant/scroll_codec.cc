#include "rest/qdrant/scroll_codec.h"

#include <array>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/field_readers.h"
#include "rest/qdrant/reading.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 2> kOrderNames{"key", "direction"};
constexpr std::array<std::string_view, 1> kOrderRefused{"start_from"};
constexpr std::array<std::string_view, 6> kScrollNames{"limit",        "offset",      "filter",
                                                       "with_payload", "with_vector", "order_by"};
constexpr std::array<std::string_view, 1> kShardKey{"shard_key"};
constexpr std::array<std::string_view, 2> kCountNames{"filter", "exact"};
constexpr std::array<std::string_view, 3> kFacetNames{"key", "limit", "filter"};
constexpr std::array<std::string_view, 1> kFacetPassedOver{"exact"};  // always

}  // namespace

Result<model::ScrollOrder> read_order(JsonReader& reader) {
    model::ScrollOrder order;
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kString) {
        AKIDB_TRY(const std::string_view key, reader.read_string());
        order.key = key;
        return order;
    }
    AKIDB_TRY(read_object(
        reader, {.read = kOrderNames, .refused = kOrderRefused}, [&](size_t which) -> Result<void> {
            AKIDB_TRY(const std::string_view text, reader.read_string());
            if (which == 0) {
                order.key = text;
            } else if (text != "asc" && text != "desc") {
                return reader.error("unknown direction \"" + printable(text) + "\"", "asc, desc");
            } else {
                order.descending = text == "desc";
            }
            return {};
        }));
    return order;
}

Result<Page> read_scroll_body(std::string& body) {
    Page page;
    page.request.limit = 10;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kScrollNames, kShardKey}, [&](size_t which) -> Result<void> {
        switch (which) {
            case 0: {
                AKIDB_TRY(page.request.limit, read_uint32(reader, 1, model::kScrollLimitMax));
                return {};
            }
            case 1: {
                AKIDB_TRY(model::DocumentId id, read_id(reader));
                page.request.from = model::ScrollCursor{.value = {}, .id = std::move(id)};
                return {};
            }
            case 2: {
                AKIDB_TRY(page.request.filter, read_shared_filter(reader, FilterDialect::kQdrant));
                return {};
            }
            case 3:
                return read_with_payload(reader, page.parts);
            case 4:
                return read_with_vector(reader, page.parts);
            default: {
                AKIDB_TRY(page.request.order, read_order(reader));
                return {};
            }
        }
    }));
    page.request.include = page.parts.include();
    return page;
}

Result<Count> read_count_body(std::string& body) {
    Count count;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kCountNames, kShardKey}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(count.filter, read_shared_filter(reader, FilterDialect::kQdrant));
        } else {
            AKIDB_TRY(count.is_exact, reader.read_bool());
        }
        return {};
    }));
    return count;
}

Result<model::FacetRequest> read_facet_body(std::string& body) {
    model::FacetRequest request;
    request.limit = model::kFacetLimitDefault;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kFacetNames, kFacetPassedOver}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(const std::string_view key, reader.read_string());
            request.key = key;
        } else if (which == 1) {
            AKIDB_TRY(request.limit, read_uint32(reader, 1, model::kFacetLimitMax));
        } else {
            AKIDB_TRY(request.filter, read_shared_filter(reader, FilterDialect::kQdrant));
        }
        return {};
    }));
    return request;
}

}  // namespace akidb::rest::qdrant
