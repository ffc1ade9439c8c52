#include "bench/upsert_bodies.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "bench/wire_load.h"

namespace akidb::bench {

std::string upsert_request(const support::Endpoint& endpoint, const std::string& collection,
                           const VectorFile& vectors, std::span<const uint32_t> rows) {
    std::string body = R"({"documents":[)";
    body.reserve(rows.size() * (vectors.dimension() * 13 + 48));
    char text[32];
    for (size_t index = 0; index < rows.size(); ++index) {
        const uint32_t row = rows[index];
        const std::string number = std::to_string(row);
        body.append(index > 0 ? "," : "").append(R"({"id":)").append(number).append(R"(,"vector":[)");
        bool is_first = true;
        for (const float component : vectors.row(row)) {
            const auto [end, error] = std::to_chars(text, text + sizeof(text), component);
            body.append(is_first ? "" : ",").append(text, end);
            is_first = false;
        }
        body.append(R"(],"metadata":{"row":)").append(number).append("}}");
    }
    body.append("]}");
    return json_request("PUT", endpoint, "/api/v1/collections/" + collection + "/documents", body);
}

std::vector<std::string> upsert_requests(const support::Endpoint& endpoint, const std::string& collection,
                                         const VectorFile& vectors, RowRange rows, size_t batch) {
    std::vector<std::string> requests;
    std::vector<uint32_t> numbers;
    for (size_t row = rows.begin; row < rows.end; row += batch) {
        numbers.resize(std::min(rows.end, row + batch) - row);
        std::iota(numbers.begin(), numbers.end(), static_cast<uint32_t>(row));
        requests.push_back(upsert_request(endpoint, collection, vectors, numbers));
    }
    return requests;
}

double user_bytes(size_t documents, size_t dimension) {
    constexpr size_t kIdAndMetadata = 8 + 13;
    return static_cast<double>(documents) * static_cast<double>(dimension * sizeof(float) + kIdAndMetadata);
}

}  // namespace akidb::bench
