// Update: documents changed in place. What a change says is applied to the version that is there when the
// write takes its turn, so two changes of one document never undo each other. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/document.h"
#include "model/filter.h"

namespace akidb::model {

/// `set` alone, or `remove` and then `merge`; and vectors. Encoded objects (metadata.h).
struct DocumentChange {
    std::optional<std::string> set;              // takes the place of all metadata
    std::optional<std::string> merge;            // its members take the place of those with the same key…
    bool merges_deep = true;                     // …or are merged into them where both are objects
    std::vector<std::string> remove;             // dotted paths; what is not there is no fault
    std::vector<float> vector;                   // empty: it stays
    std::optional<uint64_t> expires_at_ms{};     // 0: never any more
    std::vector<NamedVector> vectors{};          // take the place of those with these names; others stay
    std::vector<std::string> removed_vectors{};  // names; one that the document lacks is no fault

    bool is_empty() const {
        return !set && !merge && remove.empty() && vector.empty() && !expires_at_ms && vectors.empty() &&
               removed_vectors.empty();
    }
};

struct DocumentUpdate {
    DocumentId id;
    DocumentChange change;
    /// The version that must be there: else kConflict, and nothing of the request is done. Without it a
    /// document that is not there is passed over.
    std::optional<uint64_t> if_version;
};

/// One change for many documents. An id that is not there is passed over.
struct UpdateAll {
    std::variant<std::vector<DocumentId>, std::shared_ptr<const Filter>> which;
    DocumentChange change;
};

using UpdateRequest = std::variant<std::vector<DocumentUpdate>, UpdateAll>;

/// Sizes, vectors, and that each change says something; fields as in the REST request ("documents[3].vector",
/// "ids", "filter").
Result<void> validate(const UpdateRequest& request, const CollectionSpec& spec);

/// kInvalidArgument for an id that is there twice where a version is asked of it: what the earlier one makes
/// is nobody's to ask for.
Result<void> validate_versions(const std::vector<Document>& documents);

/// What the change says of vectors, done to those of the document.
void change_vectors(const DocumentChange& change, Document& document);

/// The metadata after the change. kInvalidArgument on field "metadata" when the result is larger or deeper
/// than metadata may be.
Result<std::string> changed_metadata(const DocumentChange& change, MetadataView before);

}  // namespace akidb::model
