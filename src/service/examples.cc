#include "service/examples.h"

#include <cmath>
#include <string>
#include <utility>

namespace akidb::service {
namespace {

using model::SearchRequest;

struct Resolved {
    std::vector<std::vector<float>> vectors;
    std::vector<model::DocumentId> documents;
};

/// Of the documents, the vector of that name.
Result<Resolved> resolve(const engine::Collection& collection, const std::vector<model::Example>& examples,
                         const std::string& list, const std::string& vector_name, const model::Filter* rule) {
    Resolved resolved;
    for (size_t i = 0; i < examples.size(); ++i) {
        if (const auto* vector = std::get_if<std::vector<float>>(&examples[i])) {
            resolved.vectors.push_back(*vector);
            continue;
        }
        const auto& id = *std::get_if<model::DocumentId>(&examples[i]);
        AKIDB_TRY(auto found, collection.get({id}, {.vector = true, .metadata = rule != nullptr}));
        if (found.empty() || (rule != nullptr &&
                              !model::matches(*rule, model::MetadataView(found[0].metadata), id.encoded()))) {
            return Error(Code::kNotFound, "there is no document \"" + id.to_string() + "\"")
                .with_field(list == "id" ? list : list + "[" + std::to_string(i) + "]");
        }
        const std::vector<float>& vector = model::vector_of(found[0], vector_name);
        if (vector.empty()) {
            return invalid_argument(list == "id" ? list : list + "[" + std::to_string(i) + "]",
                                    "document \"" + id.to_string() + "\" has no vector " + vector_name,
                                    "documents that have it");
        }
        resolved.vectors.push_back(vector);
        resolved.documents.push_back(id);
    }
    return resolved;
}

void add(std::vector<double>& sum, const std::vector<std::vector<float>>& vectors, double weight,
         bool by_direction) {
    for (const std::vector<float>& vector : vectors) {
        const double scale =
            weight / static_cast<double>(vectors.size()) / (by_direction ? length_of(vector) : 1.0);
        for (size_t i = 0; i < sum.size(); ++i) {
            sum[i] += scale * static_cast<double>(vector[i]);
        }
    }
}

/// Of one example, the example itself, bit by bit.
std::vector<float> target_of(const Resolved& positive, const Resolved& negative,
                             const model::VectorSpec& spec) {
    if (positive.vectors.size() == 1 && negative.vectors.empty()) {
        return positive.vectors[0];
    }
    const bool by_direction = spec.metric == model::Metric::kCosine;
    std::vector<double> sum(spec.dimension);
    add(sum, positive.vectors, negative.vectors.empty() ? 1.0 : 2.0, by_direction);
    add(sum, negative.vectors, -1.0, by_direction);
    return {sum.begin(), sum.end()};
}

}  // namespace

double length_of(const std::vector<float>& vector) {
    double sum = 0;
    for (const float component : vector) {
        sum += static_cast<double>(component) * static_cast<double>(component);
    }
    return std::sqrt(sum);
}

Result<SearchRequest> resolve_examples(const engine::Collection& collection, const SearchRequest& request,
                                       const model::Filter* rule) {
    SearchRequest resolved = request;
    if (request.examples.is_empty()) {
        return resolved;
    }
    AKIDB_TRY(const model::VectorSpec spec,
              model::find_vector(collection.spec(), request.vector_name, "using"));
    AKIDB_TRY(Resolved positive,
              resolve(collection, request.examples.positive, request.examples.is_one_id ? "id" : "positive",
                      request.vector_name, rule));
    AKIDB_TRY(const Resolved negative,
              resolve(collection, request.examples.negative, "negative", request.vector_name, rule));
    resolved.examples = {};
    resolved.vector = target_of(positive, negative, spec);
    if (const Result<void> valid = model::validate_vector(spec, resolved.vector); !valid) {
        return invalid_argument("negative", "the examples leave no direction to search in",
                                "examples that do not cancel each other out");
    }
    resolved.excluded = std::move(positive.documents);
    resolved.excluded.insert(resolved.excluded.end(), negative.documents.begin(), negative.documents.end());
    return resolved;
}

}  // namespace akidb::service
