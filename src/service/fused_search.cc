#include "service/fused_search.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/limits.h"
#include "service/examples.h"
#include "service/row_rules.h"

namespace akidb::service {
namespace {

using model::SearchMatch;
using model::SearchReply;
using model::SearchRequest;

class FusedSearch {
  public:
    FusedSearch(const engine::Collection& collection, const SearchRequest& request, const model::Filter* rule)
        : collection_(collection), request_(request), rule_(rule) {}

    Result<SearchReply> run() {
        SearchReply reply;
        const std::vector<model::FusedQuery>& queries = request_.fusion->queries;
        for (size_t i = 0; i < queries.size() && !reply.partial; ++i) {
            Result<SearchReply> found = search_one(queries[i]);
            if (!found && found.error().code() == Code::kDeadlineExceeded && i > 0) {
                reply.partial = true;
                break;
            }
            if (!found) {
                return std::move(found).error().with_field_prefix("fusion.queries[" + std::to_string(i) +
                                                                  "]");
            }
            reply.partial = found->partial;
            add(std::move(found->matches));
        }
        std::sort(matches_.begin(), matches_.end(), [](const SearchMatch& a, const SearchMatch& b) {
            return a.score != b.score ? a.score > b.score : a.document.id < b.document.id;
        });
        const auto begin = static_cast<std::ptrdiff_t>(std::min<size_t>(request_.offset, matches_.size()));
        matches_.erase(matches_.begin(), matches_.begin() + begin);
        matches_.resize(std::min<size_t>(matches_.size(), request_.top_k));
        reply.matches = std::move(matches_);
        return reply;
    }

  private:
    Result<SearchReply> search_one(const model::FusedQuery& query) const {
        SearchRequest one;
        one.vector_name = query.vector_name;
        one.vector = query.vector;
        one.examples = query.examples;
        one.top_k = query.top_k > 0 ? query.top_k : default_top_k();
        one.filter = both_of(request_.filter, query.filter);
        one.is_filter_checked = true;
        one.score_threshold = query.score_threshold;
        one.include = request_.include;
        one.params = query.params;
        one.deadline_us = request_.deadline_us;
        AKIDB_TRY(const SearchRequest resolved, resolve_examples(collection_, one, rule_));
        return collection_.search(resolved);
    }
    /// What stands far behind in one ranking may stand in front in another.
    uint32_t default_top_k() const {
        constexpr uint32_t kPerResult = 4;
        constexpr uint32_t kLeast = 50;
        const auto most = model::kTopKMax / static_cast<uint32_t>(request_.fusion->queries.size());
        return std::clamp(kPerResult * (request_.top_k + request_.offset), kLeast, most);
    }
    void add(std::vector<SearchMatch> found) {
        for (size_t rank = 1; rank <= found.size(); ++rank) {
            SearchMatch& match = found[rank - 1];
            const float worth = 1.0f / static_cast<float>(request_.fusion->k + rank);
            const auto [known, is_new] = places_.try_emplace(match.document.id.encoded(), matches_.size());
            if (is_new) {
                matches_.push_back(std::move(match));
                matches_.back().score = worth;
            } else {
                matches_[known->second].score += worth;
            }
        }
    }

    const engine::Collection& collection_;
    const SearchRequest& request_;
    const model::Filter* const rule_;
    std::unordered_map<std::string, size_t> places_;  // by encoded id
    std::vector<SearchMatch> matches_;
};

}  // namespace

Result<SearchReply> search_fused(const engine::Collection& collection, const SearchRequest& request,
                                 const model::Filter* rule) {
    return FusedSearch(collection, request, rule).run();
}

}  // namespace akidb::service
