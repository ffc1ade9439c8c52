#include "service/composed_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "model/limits.h"

namespace akidb::service {
namespace {

using model::SearchMatch;
using model::SearchReply;
using model::SearchRequest;

// ---- examples --------------------------------------------------------------------------------------------

double length_of(const std::vector<float>& vector) {
    double sum = 0;
    for (const float component : vector) {
        sum += static_cast<double>(component) * static_cast<double>(component);
    }
    return std::sqrt(sum);
}

struct Resolved {
    std::vector<std::vector<float>> vectors;
    std::set<model::DocumentId> documents;
};

Result<Resolved> resolve(const engine::Collection& collection, const std::vector<model::Example>& examples,
                         const std::string& list, const model::Filter* rule) {
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
        resolved.vectors.push_back(std::move(found[0].vector));
        resolved.documents.insert(id);
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
                             const model::CollectionSpec& spec) {
    if (positive.vectors.size() == 1 && negative.vectors.empty()) {
        return positive.vectors[0];
    }
    const bool by_direction = spec.metric == model::Metric::kCosine;
    std::vector<double> sum(spec.dimension);
    add(sum, positive.vectors, negative.vectors.empty() ? 1.0 : 2.0, by_direction);
    add(sum, negative.vectors, -1.0, by_direction);
    return {sum.begin(), sum.end()};
}

// ---- diversity -------------------------------------------------------------------------------------------

/// Sums in several lanes, which the compiler makes one instruction of.
template <class Term>
double sum_of(size_t count, Term term) {
    constexpr size_t kLanes = 16;
    std::array<float, kLanes> sums{};
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
            sums[lane] += term(i + lane);
        }
    }
    for (; i < count; ++i) {
        sums[0] += term(i);
    }
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// How alike documents are: larger is more, and of the same kind as the score of a match once that is turned
/// so.
class Likeness {
  public:
    Likeness(model::Metric metric, const std::vector<SearchMatch>& documents)
        : metric_(metric), documents_(documents) {
        if (metric == model::Metric::kCosine) {
            for (const SearchMatch& match : documents) {
                lengths_.push_back(length_of(match.document.vector));
            }
        }
    }
    double of(size_t a, size_t b) const {
        const std::vector<float>& left = documents_[a].document.vector;
        const std::vector<float>& right = documents_[b].document.vector;
        if (metric_ == model::Metric::kL2) {
            return -std::sqrt(sum_of(left.size(), [&](size_t i) {
                const float difference = left[i] - right[i];
                return difference * difference;
            }));
        }
        const double dot = sum_of(left.size(), [&](size_t i) { return left[i] * right[i]; });
        return metric_ == model::Metric::kDot ? dot : dot / (lengths_[a] * lengths_[b]);
    }

  private:
    const model::Metric metric_;
    const std::vector<SearchMatch>& documents_;
    std::vector<double> lengths_;
};

std::vector<SearchMatch> most_diverse(std::vector<SearchMatch> candidates, size_t wanted, double weight,
                                      model::Metric metric) {
    const Likeness likeness(metric, candidates);
    std::vector<double> nearest_chosen(candidates.size(), -std::numeric_limits<double>::infinity());
    std::vector<bool> is_chosen(candidates.size());
    std::vector<SearchMatch> chosen;
    const auto worth = [&](size_t i) {
        const double relevance = metric == model::Metric::kL2 ? -static_cast<double>(candidates[i].score)
                                                              : static_cast<double>(candidates[i].score);
        return (1 - weight) * relevance - (chosen.empty() ? 0.0 : weight * nearest_chosen[i]);
    };
    while (chosen.size() < std::min(wanted, candidates.size())) {
        std::optional<size_t> best;
        for (size_t i = 0; i < candidates.size(); ++i) {
            if (!is_chosen[i] && (!best || worth(i) > worth(*best))) {
                best = i;
            }
        }
        is_chosen[*best] = true;
        chosen.push_back(candidates[*best]);
        for (size_t i = 0; i < candidates.size(); ++i) {
            if (!is_chosen[i]) {
                nearest_chosen[i] = std::max(nearest_chosen[i], likeness.of(i, *best));
            }
        }
    }
    return chosen;
}

void leave_out(std::vector<SearchMatch>& matches, const std::set<model::DocumentId>& excluded) {
    std::erase_if(matches, [&](const SearchMatch& match) { return excluded.contains(match.document.id); });
}

// ---- groups ----------------------------------------------------------------------------------------------

constexpr size_t kGroupsOfDocumentMax = 256;

/// Only scalars make groups; of one document the first ones.
std::vector<model::MatchValue> values_at(const model::Document& document, const std::string& key) {
    std::vector<model::MatchValue> values;
    model::for_each_at_path(model::MetadataView(document.metadata), key, [&](model::MetadataView value) {
        std::optional<model::MatchValue> found = model::match_value_of(value);
        if (found && std::find(values.begin(), values.end(), *found) == values.end()) {
            values.push_back(std::move(*found));
        }
        return values.size() < kGroupsOfDocumentMax;
    });
    return values;
}

class Grouping {
  public:
    Grouping(const engine::Collection& collection, const SearchRequest& request,
             const std::set<model::DocumentId>& excluded)
        : collection_(collection), request_(request), excluded_(excluded) {}

    Result<SearchReply> run() {
        SearchRequest plain = plain_request();
        SearchReply reply;
        bool is_exhausted = false;
        // Rounds of growing size until there are groups enough; most searches take one.
        for (plain.top_k = first_round();; plain.top_k = std::min(plain.top_k * 4, model::kTopKMax)) {
            Result<SearchReply> found = collection_.search(plain);
            if (!found && is_late(found.error())) {
                reply.partial = true;
                break;
            }
            AKIDB_TRY(reply, std::move(found));
            groups_.clear();
            gather(reply.matches);
            is_exhausted = reply.matches.size() < plain.top_k;
            if (groups_.size() >= request_.top_k || is_exhausted || plain.top_k == model::kTopKMax ||
                reply.partial) {
                break;
            }
        }
        groups_.resize(std::min<size_t>(groups_.size(), request_.top_k));
        if (!is_exhausted && !reply.partial) {
            AKIDB_TRY(fill(plain, reply));
        }
        reply.matches.clear();
        reply.is_grouped = true;
        reply.groups = std::move(groups_);
        for (model::SearchGroup& group : reply.groups) {
            group.matches.resize(std::min<size_t>(group.matches.size(), request_.group_by->size));
            for (SearchMatch& match : group.matches) {
                if (!request_.include.metadata) {
                    match.document.metadata.clear();
                }
            }
        }
        return reply;
    }

  private:
    /// An error of the first look is that of the search.
    bool is_late(const Error& error) const {
        return error.code() == Code::kDeadlineExceeded && !groups_.empty();
    }
    SearchRequest plain_request() const {
        SearchRequest plain = request_;
        plain.group_by.reset();
        plain.include.metadata = true;
        return plain;
    }
    uint32_t first_round() const {
        constexpr uint64_t kLeast = 32;
        const uint64_t wanted = uint64_t{request_.top_k} * request_.group_by->size * 2 + excluded_.size();
        return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, kLeast, model::kTopKMax));
    }
    void gather(const std::vector<SearchMatch>& matches) {
        for (const SearchMatch& match : matches) {
            if (excluded_.contains(match.document.id)) {
                continue;
            }
            for (model::MatchValue& value : values_at(match.document, request_.group_by->key)) {
                auto group = std::find_if(groups_.begin(), groups_.end(),
                                          [&](const auto& known) { return known.value == value; });
                if (group == groups_.end()) {
                    if (groups_.size() == request_.top_k) {
                        continue;
                    }
                    group = groups_.insert(group, {std::move(value), {}});
                }
                if (group->matches.size() < request_.group_by->size) {
                    group->matches.push_back(match);
                }
            }
        }
    }
    /// A search of its own for each group that is not full yet.
    Result<void> fill(const SearchRequest& plain, SearchReply& reply) {
        for (model::SearchGroup& group : groups_) {
            if (group.matches.size() >= request_.group_by->size) {
                continue;
            }
            SearchRequest own = plain;
            own.top_k = request_.group_by->size + static_cast<uint32_t>(excluded_.size());
            own.filter = filter_of(group.value);
            Result<SearchReply> searched = collection_.search(own);
            if (!searched && is_late(searched.error())) {
                reply.partial = true;
                return {};
            }
            AKIDB_TRY(SearchReply found, std::move(searched));
            leave_out(found.matches, excluded_);
            // What was found before stays where a walk under the filter comes back with less.
            if (found.matches.size() >= group.matches.size()) {
                group.matches = std::move(found.matches);
            }
            reply.partial = reply.partial || found.partial;
        }
        return {};
    }
    std::shared_ptr<const model::Filter> filter_of(const model::MatchValue& value) const {
        auto filter = request_.filter == nullptr ? std::make_shared<model::Filter>()
                                                 : std::make_shared<model::Filter>(*request_.filter);
        filter->must.emplace_back(
            model::MatchCondition{.key = request_.group_by->key, .any = {value}, .negated = false});
        return filter;
    }

    const engine::Collection& collection_;
    const SearchRequest& request_;
    const std::set<model::DocumentId>& excluded_;
    std::vector<model::SearchGroup> groups_;
};

// ---- the page of an answer -------------------------------------------------------------------------------

/// The part that was asked for.
void cut(std::vector<SearchMatch>& matches, const SearchRequest& request) {
    const size_t begin = std::min<size_t>(request.offset, matches.size());
    matches.erase(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(begin));
    matches.resize(std::min<size_t>(matches.size(), request.top_k));
}

Result<SearchReply> search_diverse(const engine::Collection& collection, const SearchRequest& request,
                                   const std::set<model::DocumentId>& excluded) {
    constexpr uint32_t kCandidatesPerResult = 4;
    constexpr uint32_t kCandidatesMin = 50;
    SearchRequest plain = request;
    plain.diversity.reset();
    const uint32_t wanted = request.top_k + request.offset;
    plain.top_k = request.diversity->candidates != 0
                      ? request.diversity->candidates
                      : std::min(std::max(wanted * kCandidatesPerResult, kCandidatesMin),
                                 model::kDiversityCandidatesMax);
    plain.top_k += static_cast<uint32_t>(excluded.size());
    plain.offset = 0;
    plain.include.vector = true;
    AKIDB_TRY(SearchReply reply, collection.search(plain));
    leave_out(reply.matches, excluded);
    reply.matches =
        most_diverse(std::move(reply.matches), wanted, request.diversity->weight, collection.spec().metric);
    cut(reply.matches, request);
    if (!request.include.vector) {
        for (SearchMatch& match : reply.matches) {
            match.document.vector.clear();
        }
    }
    return reply;
}

}  // namespace

Result<SearchReply> search_composed(const engine::Collection& collection, const SearchRequest& request,
                                    const model::Filter* rule) {
    AKIDB_TRY(model::validate(request, collection.spec()));
    SearchRequest resolved = request;
    std::set<model::DocumentId> excluded;
    if (!request.examples.is_empty()) {
        AKIDB_TRY(Resolved positive, resolve(collection, request.examples.positive,
                                             request.examples.is_one_id ? "id" : "positive", rule));
        AKIDB_TRY(const Resolved negative, resolve(collection, request.examples.negative, "negative", rule));
        resolved.examples = {};
        resolved.vector = target_of(positive, negative, collection.spec());
        if (const Result<void> valid = model::validate_vector(collection.spec(), resolved.vector); !valid) {
            return invalid_argument("negative", "the examples leave no direction to search in",
                                    "examples that do not cancel each other out");
        }
        excluded = std::move(positive.documents);
        excluded.insert(negative.documents.begin(), negative.documents.end());
    }
    if (resolved.group_by) {
        return Grouping(collection, resolved, excluded).run();
    }
    if (resolved.diversity) {
        return search_diverse(collection, resolved, excluded);
    }
    SearchRequest wider = resolved;
    wider.top_k =
        std::min(resolved.top_k + resolved.offset + static_cast<uint32_t>(excluded.size()), model::kTopKMax);
    wider.offset = 0;
    AKIDB_TRY(SearchReply reply, collection.search(wider));
    leave_out(reply.matches, excluded);
    cut(reply.matches, resolved);
    return reply;
}

}  // namespace akidb::service
