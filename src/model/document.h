// Document and what is asked of it: plain values that every layer above io shares.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/collection_spec.h"
#include "model/document_id.h"
#include "model/metadata.h"

namespace akidb::model {

struct NamedVector {
    std::string name;
    std::vector<float> values;
};

struct Document {
    DocumentId id;
    std::vector<float> vector;  // `dimension` floats as the client sent them; empty when not asked for
    std::string metadata{empty_metadata()};  // encoded (metadata.h); empty string when not asked for
    uint64_t version = 0;                    // the sequence number of the write that made this version
    /// Of an upsert: the version that must be there, 0 for none; else kConflict, and nothing of the batch is
    /// written.
    std::optional<uint64_t> if_version{};
    uint64_t expires_at_ms = 0;  // expiry.h; 0: never
    /// Those with names that it has.
    std::vector<NamedVector> vectors{};
};

/// Empty where the document has none of this name; that without a name for an empty one.
const std::vector<float>& vector_of(const Document& document, std::string_view name);

/// Of vectors and metadata, which is nearly all that a document takes in memory or in an answer.
size_t content_bytes(const Document& document);

/// Which parts of a document an answer carries besides its id.
struct Include {
    bool vector = false;  // all that it has, else…
    bool metadata = false;
    std::vector<std::string> vectors{};  // …those with these names; empty: the one without

    bool has_vector(std::string_view name) const;
    bool has_any_vector() const { return vector || !vectors.empty(); }
};
/// Names are of vectors of the collection; field "include".
Result<void> validate(const Include& include, const CollectionSpec& spec);

/// `dimension` finite components, and not all zero under cosine; denormal overflow counts as not finite. The
/// error's field is "vector" or "vector[i]", whichever vector of the collection it is.
Result<void> validate_vector(const VectorSpec& spec, const std::vector<float>& vector);
/// The same of a vector to be kept, which must also be one that its storage has: f16 up to 65504, and not all
/// of it zero there under cosine.
Result<void> validate_kept_vector(const VectorSpec& spec, const std::vector<float>& vector);
/// Vectors to be kept of one document; `vector` may be empty where the collection has only named ones. Each
/// name once. Fields "vector", "vectors.NAME".
Result<void> validate_kept_vectors(const CollectionSpec& spec, const std::vector<float>& vector,
                                   const std::vector<NamedVector>& named);
Result<void> validate_named_vectors(const CollectionSpec& spec, const std::vector<NamedVector>& named);

}  // namespace akidb::model
