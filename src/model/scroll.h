// Scroll and facet: documents page by page, and how often each value of a metadata field occurs among them.
// Plain values; the checks are pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/document.h"
#include "model/filter.h"

namespace akidb::model {

/// By the least value of a field (descending: the greatest), then by id. The field must have a metadata
/// index, which says what its values are: numbers, moments, texts; documents without such a value are left
/// out.
struct ScrollOrder {
    std::string key;
    bool descending = false;
    bool operator==(const ScrollOrder&) const = default;
};

/// Where a page begins: that document is on it. Not there any more, the next one is the first.
struct ScrollCursor {
    std::optional<MatchValue> value;  // of the field ordered by; a moment as int64_t
    DocumentId id;
    std::optional<ScrollOrder> order{};  // of the scroll that it goes on with
};

struct ScrollRequest {
    uint32_t limit = 0;
    std::optional<ScrollCursor> from;
    std::shared_ptr<const Filter> filter;  // null = all
    std::optional<ScrollOrder> order;      // none = by id
    Include include;
    std::optional<uint64_t>
        deadline_us{};  // as in search.h, but a page is whole: kDeadlineExceeded behind it
};

/// A page of documents that are very large ends before `limit`. Each page sees the collection as it is then:
/// a document that is there from the first page to the last, and whose order does not change, is returned
/// exactly once.
struct ScrollReply {
    std::vector<Document> documents;
    std::vector<MatchValue> order_values;  // one for each, when ordered by a field
    std::optional<ScrollCursor> next;      // none: that was the last page
};

struct FacetRequest {
    std::string key;
    uint32_t limit = 0;
    std::shared_ptr<const Filter> filter;
    std::optional<uint64_t> deadline_us{};  // as of a scroll
};

struct FacetCount {
    MatchValue value;
    uint64_t count = 0;  // documents, each once however often it holds the value
};

/// Often ones first, then by value. Exact.
struct FacetReply {
    std::vector<FacetCount> counts;
    uint64_t distinct = 0;  // values in all
};

/// `indexed`: what the collection has indexes on now.
Result<void> validate(const ScrollRequest& request, const std::vector<MetadataField>& indexed);
Result<void> validate(const FacetRequest& request);

/// A cursor as the text that clients send back: it means nothing to them. kInvalidArgument on field "cursor"
/// when it is none of ours.
std::string encode_cursor(const ScrollCursor& cursor);
Result<ScrollCursor> decode_cursor(std::string_view text);

}  // namespace akidb::model
