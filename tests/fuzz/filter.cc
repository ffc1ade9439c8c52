// A filter as JSON: read, and when it is one, evaluated on documents, prepared and not, which must agree.
#include "model/filter.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "rest/metadata_codec.h"
#include "rest/request_codec.h"

namespace akidb {
namespace {

constexpr const char* kDocuments[] = {
    "{}", R"({"a":1,"b":"x","c":true,"d":null,"at":"2026-01-01T00:00:00Z"})",
    R"({"a":[1,2.5,"x",[true]],"p":{"lat":52.5,"lon":13.4},"t":"The quick brown Fox"})",
    R"({"rooms":[{"name":"hall","seats":40},{"name":"bar","seats":[8,9]}],"p":[{"lat":0,"lon":179.9}]})"};

std::string metadata_of(const char* document) {
    std::string json = R"({"m":)" + std::string(document) + "}";
    rest::JsonReader reader(json);
    std::string metadata;
    static_cast<void>(reader
                          .read_body_map([&](std::string_view) -> Result<void> {
                              AKIDB_TRY(metadata, rest::read_metadata(reader));
                              return {};
                          })
                          .has_value());
    return metadata;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string body = R"({"filter":)" + std::string(reinterpret_cast<const char*>(data), size) + "}";
    const auto count = rest::read_count_body(body, 0);
    if (!count || count->filter == nullptr) {
        return 0;
    }
    model::Filter prepared = *count->filter;
    model::prepare(prepared);
    const std::string id = model::DocumentId(uint64_t{1}).encoded();
    for (const char* document : kDocuments) {
        const std::string metadata = metadata_of(document);
        const model::MetadataView view(metadata);
        if (model::matches(*count->filter, view, id) != model::matches(prepared, view, id)) {
            std::abort();
        }
    }
    return 0;
}

}  // namespace akidb
