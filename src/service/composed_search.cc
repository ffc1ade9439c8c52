#include "service/composed_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "model/limits.h"
#include "service/examples.h"
#include "service/fused_search.h"

namespace akidb::service {
namespace {

using model::SearchMatch;
using model::SearchReply;
using model::SearchRequest;

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
    /// By the vector of that name, which all of them have.
    Likeness(const model::VectorSpec& vector, const std::vector<SearchMatch>& documents)
        : metric_(vector.metric) {
        for (const SearchMatch& match : documents) {
            vectors_.push_back(&model::vector_of(match.document, vector.name));
        }
        if (metric_ == model::Metric::kCosine) {
            for (const std::vector<float>* one : vectors_) {
                lengths_.push_back(length_of(*one));
            }
        }
    }
    double of(size_t a, size_t b) const {
        const std::vector<float>& left = *vectors_[a];
        const std::vector<float>& right = *vectors_[b];
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
    std::vector<const std::vector<float>*> vectors_;
    std::vector<double> lengths_;
};

std::vector<SearchMatch> most_diverse(std::vector<SearchMatch> candidates, size_t wanted, double weight,
                                      const model::VectorSpec& vector) {
    const model::Metric metric = vector.metric;
    const Likeness likeness(vector, candidates);
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
    Grouping(const engine::Collection& collection, const SearchRequest& request)
        : collection_(collection), request_(request) {}

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
        const uint64_t wanted = uint64_t{request_.top_k} * request_.group_by->size * 2;
        return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, kLeast, model::kTopKMax));
    }
    void gather(const std::vector<SearchMatch>& matches) {
        for (const SearchMatch& match : matches) {
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
            own.top_k = request_.group_by->size;
            own.filter = filter_of(group.value);
            own.is_filter_checked = true;  // the group's condition comes on top of what a filter may hold
            Result<SearchReply> searched = collection_.search(own);
            if (!searched && is_late(searched.error())) {
                reply.partial = true;
                return {};
            }
            AKIDB_TRY(SearchReply found, std::move(searched));
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
    std::vector<model::SearchGroup> groups_;
};

// ---- the page of an answer -------------------------------------------------------------------------------

/// The part that was asked for.
void cut(std::vector<SearchMatch>& matches, const SearchRequest& request) {
    const size_t begin = std::min<size_t>(request.offset, matches.size());
    matches.erase(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(begin));
    matches.resize(std::min<size_t>(matches.size(), request.top_k));
}

Result<SearchReply> search_diverse(const engine::Collection& collection, const SearchRequest& request) {
    constexpr uint32_t kCandidatesPerResult = 4;
    constexpr uint32_t kCandidatesMin = 50;
    SearchRequest plain = request;
    plain.diversity.reset();
    const uint32_t wanted = request.top_k + request.offset;
    plain.top_k = request.diversity->candidates != 0
                      ? request.diversity->candidates
                      : std::min(std::max(wanted * kCandidatesPerResult, kCandidatesMin),
                                 model::kDiversityCandidatesMax);
    plain.offset = 0;
    plain.include.vector = true;
    AKIDB_TRY(const model::VectorSpec vector,
              model::find_vector(collection.spec(), request.vector_name, "using"));
    AKIDB_TRY(SearchReply reply, collection.search(plain));
    reply.matches = most_diverse(std::move(reply.matches), wanted, request.diversity->weight, vector);
    cut(reply.matches, request);
    for (SearchMatch& match : reply.matches) {
        if (!request.include.has_vector("")) {
            match.document.vector.clear();
        }
        std::erase_if(match.document.vectors,
                      [&](const model::NamedVector& one) { return !request.include.has_vector(one.name); });
    }
    return reply;
}

}  // namespace

Result<SearchReply> search_composed(const engine::Collection& collection, const SearchRequest& request,
                                    const model::Filter* rule) {
    AKIDB_TRY(model::validate(request, collection.spec()));
    if (request.fusion) {
        return search_fused(collection, request, rule);
    }
    AKIDB_TRY(const SearchRequest resolved, resolve_examples(collection, request, rule));
    if (resolved.group_by) {
        return Grouping(collection, resolved).run();
    }
    if (resolved.diversity) {
        return search_diverse(collection, resolved);
    }
    return collection.search(resolved);
}

}  // namespace akidb::service
