#include "engine/scroll.h"

#include <algorithm>
#include <compare>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/filter_matches.h"
#include "engine/query.h"
#include "index/metadata_column.h"
#include "model/limits.h"
#include "model/moment.h"

namespace akidb::engine {
namespace {

using index::NumberKey;
using model::MetadataType;
using model::MetadataView;
using model::ScrollCursor;
using model::ScrollReply;
using model::ScrollRequest;

// Below this share of the rows it is quicker to gather what matches than to walk past what does not.
constexpr double kFewMatches = 1.0 / 32;
// So often the deadline is looked at: about a millisecond of work.
constexpr uint32_t kScrolledBetweenLooks = 4'096;

// ---- by id -----------------------------------------------------------------------------------------------

class IdScroll {
  public:
    IdScroll(const Snapshot& snapshot, const ScrollRequest& request, Effort& effort)
        : snapshot_(snapshot),
          request_(request),
          effort_(effort),
          from_(request.from ? request.from->id.encoded() : "") {}

    ScrollReply run() {
        if (request_.filter == nullptr || request_.filter->is_empty()) {
            walk([](uint32_t) { return true; });
            return std::move(reply_);
        }
        FilterMatches matches(snapshot_, *request_.filter);
        if (matches.candidate_count() < kFewMatches * snapshot_.rows) {
            gather(matches);
        } else {
            matches.find();
            walk([&](uint32_t row) { return matches.has(row); });
        }
        effort_.evaluated += matches.evaluated();
        return std::move(reply_);
    }

  private:
    bool is_before_page(uint32_t row) const {
        return !from_.empty() && is_id_before(snapshot_.generation->rows.id(row), from_);
    }
    /// False when the page is full.
    bool take(uint32_t row) {
        model::Document document = document_at(snapshot_, row, request_.include);
        bytes_ += model::content_bytes(document);
        if (reply_.documents.size() == request_.limit ||
            (bytes_ > model::kPageBytesMax && !reply_.documents.empty())) {
            reply_.next = ScrollCursor{.value = {}, .id = std::move(document.id)};
            return false;
        }
        reply_.documents.push_back(std::move(document));
        return true;
    }

    void gather(FilterMatches& matches) {
        std::vector<uint32_t> rows;
        matches.for_each_batch(snapshot_.rows, FilterMatches::Order::kEvaluateFirst,
                               [&](std::span<const uint32_t> batch) {
                                   for (const uint32_t row : batch) {
                                       if (!is_before_page(row)) {
                                           rows.push_back(row);
                                       }
                                   }
                                   return effort_.has_time();
                               });
        snapshot_.generation->order.sort(rows);
        for (const uint32_t row : rows) {
            if (!take(row)) {
                return;
            }
        }
    }

    template <class Matches>
    void walk(Matches is_match) {
        const RowStore& rows = snapshot_.generation->rows;
        const auto sorted = snapshot_.generation->order.sorted(snapshot_.rows);
        std::vector<uint32_t> rest;
        for (auto row = static_cast<uint32_t>(sorted->size()); row < snapshot_.rows; ++row) {
            if (snapshot_.sees(row) && !is_before_page(row)) {
                rest.push_back(row);
            }
        }
        snapshot_.generation->order.sort(rest);
        auto next = std::partition_point(sorted->begin(), sorted->end(),
                                         [&](uint32_t row) { return is_before_page(row); });
        auto next_rest = rest.begin();
        uint32_t passed = 0;
        while (next != sorted->end() || next_rest != rest.end()) {
            const bool is_rest = next == sorted->end() || (next_rest != rest.end() &&
                                                           is_id_before(rows.id(*next_rest), rows.id(*next)));
            const uint32_t row = is_rest ? *next_rest++ : *next++;
            // The order may know rows that this snapshot does not.
            if (snapshot_.sees(row) && is_match(row) && !take(row)) {
                return;
            }
            if (++passed % kScrolledBetweenLooks == 0 && !effort_.has_time()) {
                return;
            }
        }
    }

    const Snapshot& snapshot_;
    const ScrollRequest& request_;
    Effort& effort_;
    const std::string from_;
    size_t bytes_ = 0;
    ScrollReply reply_;
};

// ---- by a field ------------------------------------------------------------------------------------------

/// A value as its field's index orders it; only one of the two is used by one field.
struct SortKey {
    NumberKey number;
    std::string_view text;
    auto operator<=>(const SortKey&) const = default;
};

class FieldScroll {
  public:
    FieldScroll(const Snapshot& snapshot, const ScrollRequest& request, index::ValueClass wanted,
                Effort& effort)
        : snapshot_(snapshot), request_(request), class_(wanted), effort_(effort), from_(from_of(request)) {}

    ScrollReply run() {
        std::vector<Found> found;
        for (const uint32_t row : matching_rows(snapshot_, request_.filter.get(), &effort_)) {
            Found next{.row = row};
            if (read(row, next) && !(request_.from && is_before(next, from_, from_id_))) {
                found.push_back(next);
            }
        }
        const size_t shown = std::min<size_t>(found.size(), request_.limit);
        const size_t sorted = std::min<size_t>(found.size(), shown + 1);
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(sorted), found.end(),
                          [&](const Found& a, const Found& b) {
                              return is_before(a, b.key, snapshot_.generation->rows.id(b.row));
                          });
        ScrollReply reply;
        size_t bytes = 0;
        size_t taken = 0;
        for (; taken < shown && (taken == 0 || bytes <= model::kPageBytesMax); ++taken) {
            reply.documents.push_back(document_at(snapshot_, found[taken].row, request_.include));
            reply.order_values.push_back(value_of(found[taken]));
            bytes += model::content_bytes(reply.documents.back());
        }
        if (sorted > taken) {
            reply.next = ScrollCursor{.value = value_of(found[taken]),
                                      .id = document_at(snapshot_, found[taken].row, {}).id,
                                      .order = request_.order};
        }
        return reply;
    }

  private:
    struct Found {
        SortKey key{};
        uint32_t row = 0;
        MetadataView value{std::string_view()};
    };

    SortKey from_of(const ScrollRequest& request) {
        if (!request.from) {
            return {};
        }
        from_id_ = request.from->id.encoded();
        return std::visit([](const auto& value) { return key_of(value); }, *request.from->value);
    }
    static SortKey key_of(const std::string& text) { return {{}, text}; }
    static SortKey key_of(bool truth) { return {NumberKey::of(int64_t{truth ? 1 : 0}), {}}; }
    template <class Number>
    static SortKey key_of(Number number) {
        return {NumberKey::of(number), {}};
    }

    bool is_before(const Found& found, const SortKey& key, std::string_view id) const {
        if (found.key != key) {
            return (found.key < key) != request_.order->descending;
        }
        return is_id_before(snapshot_.generation->rows.id(found.row), id);
    }

    std::optional<SortKey> sort_key_of(MetadataView value) const {
        if (class_ == index::ValueClass::kText) {
            return value.type() == MetadataType::kString ? std::optional(SortKey{{}, value.as_string()})
                                                         : std::nullopt;
        }
        const auto number = index::number_key_of(value, class_);
        return number ? std::optional(SortKey{*number, {}}) : std::nullopt;
    }

    /// The first of the row's values in the order asked for; false when it has none.
    bool read(uint32_t row, Found& found) const {
        bool has_value = false;
        model::for_each_at_path(
            MetadataView(snapshot_.generation->rows.metadata(row)), request_.order->key,
            [&](MetadataView value) {
                const auto key = sort_key_of(value);
                if (key &&
                    (!has_value || (*key != found.key && (*key < found.key) != request_.order->descending))) {
                    has_value = true;
                    found.key = *key;
                    found.value = value;
                }
                return true;
            });
        return has_value;
    }

    model::MatchValue value_of(const Found& found) const {
        if (class_ == index::ValueClass::kMoment) {
            return *model::parse_moment(found.value.as_string());
        }
        return *model::match_value_of(found.value);
    }

    const Snapshot& snapshot_;
    const ScrollRequest& request_;
    const index::ValueClass class_;
    Effort& effort_;
    std::string from_id_;  // before from_: its maker sets it
    const SortKey from_;
};

// ---- facet -----------------------------------------------------------------------------------------------

/// Values by their encoding, which is that of the metadata itself: nothing is copied for a value that was met
/// before. A whole double is the integer that it equals.
class FacetCounter {
  public:
    void add(MetadataView metadata, const std::string& key) {
        seen_.clear();
        model::for_each_at_path(metadata, key, [&](MetadataView value) {
            const std::string_view bytes = encoding_of(value);
            if (!bytes.empty() && seen_.insert(bytes).second) {
                ++counts_[bytes];
            }
            return true;
        });
    }

    model::FacetReply most(uint32_t limit) const {
        std::vector<std::pair<uint64_t, std::string_view>> ranked;
        ranked.reserve(counts_.size());
        for (const auto& [bytes, count] : counts_) {
            ranked.emplace_back(count, bytes);
        }
        const size_t shown = std::min<size_t>(limit, ranked.size());
        std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end(),
                          [](const auto& a, const auto& b) {
                              return a.first != b.first ? a.first > b.first : is_before(a.second, b.second);
                          });
        model::FacetReply reply;
        reply.distinct = counts_.size();
        for (size_t i = 0; i < shown; ++i) {
            reply.counts.push_back({*model::match_value_of(MetadataView(ranked[i].second)), ranked[i].first});
        }
        return reply;
    }

  private:
    std::string_view encoding_of(MetadataView value) {
        switch (value.type()) {
            case MetadataType::kNull:
            case MetadataType::kArray:
            case MetadataType::kObject:
                return {};
            case MetadataType::kDouble:
                break;
            default:
                return value.bytes();
        }
        const auto whole_number = model::match_value_of(value);
        const auto* integer = std::get_if<int64_t>(&*whole_number);
        if (integer == nullptr) {
            return value.bytes();
        }
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("");
        writer.put_int(*integer);
        writer.end();
        const std::string object = std::move(writer).finish().value();
        const std::string whole(MetadataView(object).member("")->bytes());
        const auto known = counts_.find(whole);
        return known != counts_.end() ? known->first : std::string_view(made_.emplace_back(whole));
    }

    static bool is_before(std::string_view a, std::string_view b) {
        const MetadataView left(a);
        const MetadataView right(b);
        if (left.is_number() && right.is_number()) {
            constexpr auto kNumber = index::ValueClass::kNumber;
            return *index::number_key_of(left, kNumber) < *index::number_key_of(right, kNumber);
        }
        if (left.type() != right.type()) {
            return left.type() < right.type();
        }
        return left.as_string() < right.as_string();
    }

    std::unordered_map<std::string_view, uint64_t> counts_;
    std::deque<std::string> made_;
    std::unordered_set<std::string_view> seen_;  // of one document
};

}  // namespace

ScrollReply run_scroll(const Snapshot& snapshot, const ScrollRequest& request, Effort& effort) {
    if (!request.order) {
        return IdScroll(snapshot, request, effort).run();
    }
    const auto view = snapshot.generation->metadata.view();
    const index::IndexedField* field = view->find(request.order->key);
    // Dropped since it was checked: as if no document had a value.
    return field == nullptr
               ? ScrollReply{}
               : FieldScroll(snapshot, request, index::class_of(field->declared.type), effort).run();
}

model::FacetReply run_facet(const Snapshot& snapshot, const model::FacetRequest& request, Effort& effort) {
    FacetCounter counter;
    const RowStore& rows = snapshot.generation->rows;
    uint32_t counted = 0;
    for (const uint32_t row : matching_rows(snapshot, request.filter.get(), &effort)) {
        if (++counted % kScrolledBetweenLooks == 0 && !effort.has_time()) {
            break;
        }
        counter.add(MetadataView(rows.metadata(row)), request.key);
    }
    return counter.most(request.limit);
}

}  // namespace akidb::engine
