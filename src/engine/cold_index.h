// ColdIndex: searches of a collection whose files are in an object store alone. Head and blocks of its cold
// index (cold_format.h) are read once and kept here; a search scans the codes, reads the records of those
// rows that may be among the nearest as far as the codes tell, all at once, and compares these exactly. So
// the first search takes two round trips, and each further one takes one; one more where the metadata of all
// candidates would be much more than that of the answer.
//
// An answer has every wanted row but for those that the codes misplace (one in a thousand) and what is beyond
// kColdCandidatesMax. Every byte is checked before it is used, by checksums that hold its place: what does
// not fit is kDataLoss, never an answer. Immutable, thread-safe; blocks as the reading does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "engine/cold_format.h"
#include "index/code_space.h"
#include "model/search.h"

namespace akidb::engine {

/// Offset and documents of a search together.
inline constexpr uint32_t kColdTopKMax = 256;
inline constexpr size_t kColdCandidatesMax = 1'024;

struct ColdRange {
    uint64_t offset = 0;
    uint64_t count = 0;
};
/// One round trip: these ranges of the object at once, in this order.
using ReadRanges = FunctionRef<Result<std::vector<std::string>>(const std::vector<ColdRange>&)>;

/// Whether a search is one that a cold index answers: by the vector without a name, without a filter,
/// not of all documents.
bool is_cold_search(const model::SearchRequest& request);

class ColdIndex {
  public:
    /// What head and blocks take, which is what stays in memory.
    static uint64_t bytes_of(const ColdIdentity& identity) { return ColdLayout(identity).codes_end(); }
    /// One round trip. Errors of the reading; kDataLoss; kConflict for a format of another version.
    static Result<std::shared_ptr<const ColdIndex>> read(const ColdIdentity& identity, ReadRanges read);

    ColdIndex(ColdHead head, std::vector<std::string> parts);
    uint64_t bytes() const { return layout_.codes_end(); }
    /// A valid is_cold_search. The explanation lacks what only the caller can tell: times and round trips.
    /// kConflict when it has no answer to this one, kDataLoss, errors of the reading.
    Result<model::SearchReply> search(const model::SearchRequest& request, uint64_t now_ms,
                                      ReadRanges read) const;

  private:
    class Search;

    std::string_view block(uint64_t number) const;

    const ColdHead head_;
    const ColdLayout layout_;
    const std::vector<std::string> parts_;  // of blocks
    const index::Rows form_;                // without rows: their shape, for the space
    const index::CodeSpace space_;
};

}  // namespace akidb::engine
