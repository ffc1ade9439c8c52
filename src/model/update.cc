#include "model/update.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>

#include "model/limits.h"

namespace akidb::model {
namespace {

/// Paths that begin at this level, each without the steps taken so far.
using Paths = std::vector<std::string_view>;

bool names(const Paths& paths, std::string_view key) {
    return std::find(paths.begin(), paths.end(), key) != paths.end();
}

/// As filters read paths: "a[].b" is "a.b".
std::string plain(std::string path) {
    for (size_t at = path.find("[]"); at != std::string::npos; at = path.find("[]", at)) {
        if (at + 2 == path.size() || path[at + 2] == '.') {
            path.erase(at, 2);
        } else {
            at += 2;
        }
    }
    return path;
}

Paths below(const Paths& paths, std::string_view key) {
    Paths rest;
    for (const std::string_view path : paths) {
        if (path.size() > key.size() && path.starts_with(key) && path[key.size()] == '.') {
            rest.push_back(path.substr(key.size() + 1));
        }
    }
    return rest;
}

/// As filters walk: through arrays to the objects in them. Depth is bounded by that of metadata.
// NOLINTNEXTLINE(misc-no-recursion)
void copy_without(MetadataWriter& writer, MetadataView value, const Paths& removed) {
    if (removed.empty() || (value.type() != MetadataType::kObject && value.type() != MetadataType::kArray)) {
        writer.put(value);
        return;
    }
    const bool is_object = value.type() == MetadataType::kObject;
    is_object ? writer.begin_object() : writer.begin_array();
    value.for_each([&](std::string_view key, MetadataView member) {
        if (!is_object) {
            copy_without(writer, member, removed);
        } else if (!names(removed, key)) {
            writer.key(key);
            copy_without(writer, member, below(removed, key));
        }
        return !writer.failed();
    });
    writer.end();
}

// NOLINTNEXTLINE(misc-no-recursion)
void copy_merged(MetadataWriter& writer, MetadataView before, MetadataView merge, bool is_deep) {
    writer.begin_object();
    before.for_each([&](std::string_view key, MetadataView value) {
        writer.key(key);
        const std::optional<MetadataView> given = merge.member(key);
        if (!given) {
            writer.put(value);
        } else if (is_deep && value.type() == MetadataType::kObject &&
                   given->type() == MetadataType::kObject) {
            copy_merged(writer, value, *given, is_deep);
        } else {
            writer.put(*given);
        }
        return !writer.failed();
    });
    merge.for_each([&](std::string_view key, MetadataView value) {
        if (!before.member(key)) {
            writer.key(key);
            writer.put(value);
        }
        return !writer.failed();
    });
    writer.end();
}

Result<void> validate_vector_changes(const DocumentChange& change, const CollectionSpec& spec) {
    AKIDB_TRY(change.vector.empty() ? validate_named_vectors(spec, change.vectors)
                                    : validate_kept_vectors(spec, change.vector, change.vectors));
    for (size_t i = 0; i < change.removed_vectors.size(); ++i) {
        const std::string field = "remove_vectors[" + std::to_string(i) + "]";
        const std::string& name = change.removed_vectors[i];
        if (name.empty()) {
            return invalid_argument(field, "the vector without a name stays as long as its document",
                                    names_of(spec.vectors));
        }
        AKIDB_TRY(find_vector(spec, name, field));
        if (!vector_of({.id = {}, .vector = {}, .vectors = change.vectors}, name).empty()) {
            return invalid_argument(field, "the vector is removed and replaced at once", "one of the two");
        }
    }
    return {};
}

Result<void> validate_change(const DocumentChange& change, const CollectionSpec& spec) {
    if (change.is_empty()) {
        return invalid_argument("set", "the update says no change",
                                "one or more of set, merge, remove, vector, vectors, remove_vectors, "
                                "expires_at");
    }
    if (change.set && (change.merge || !change.remove.empty())) {
        return invalid_argument(change.merge ? "merge" : "remove",
                                "set replaces all metadata, so nothing else can be said of it",
                                "set alone, or merge and remove");
    }
    if (change.remove.size() > kRemovedPathsMax) {
        return invalid_argument("remove", std::to_string(change.remove.size()) + " paths",
                                "at most " + std::to_string(kRemovedPathsMax));
    }
    for (size_t i = 0; i < change.remove.size(); ++i) {
        if (change.remove[i].empty() || change.remove[i].size() > kFilterKeyBytesMax) {
            return invalid_argument("remove[" + std::to_string(i) + "]", "not a path of metadata",
                                    "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
        }
    }
    return validate_vector_changes(change, spec);
}

Result<void> validate_count(std::string_view field, size_t count) {
    if (count >= 1 && count <= kBatchDocumentsMax) {
        return {};
    }
    return invalid_argument(std::string(field), std::to_string(count) + " " + std::string(field),
                            "1.." + std::to_string(kBatchDocumentsMax));
}

Result<void> validate_all(const UpdateAll& all, const CollectionSpec& spec) {
    if (const auto* ids = std::get_if<std::vector<DocumentId>>(&all.which)) {
        AKIDB_TRY(validate_count("ids", ids->size()));
    } else if (const auto& filter = *std::get_if<std::shared_ptr<const Filter>>(&all.which);
               filter != nullptr) {
        AKIDB_TRY(validate(*filter));
    }
    if (!all.change.vector.empty() || !all.change.vectors.empty()) {
        return invalid_argument(all.change.vectors.empty() ? "vector" : "vectors",
                                "a vector is that of one document",
                                R"({"documents":[{"id":…,"vector":[…]}]})");
    }
    return validate_change(all.change, spec);
}

template <class Item>
Result<void> refuse_repeats(const std::vector<Item>& documents) {
    std::unordered_map<std::string, bool> has_condition;
    for (size_t i = 0; i < documents.size(); ++i) {
        const bool asks = documents[i].if_version.has_value();
        const auto [known, is_new] = has_condition.try_emplace(documents[i].id.encoded(), asks);
        if (!is_new && (asks || known->second)) {
            return invalid_argument("documents[" + std::to_string(i) + "].id",
                                    "the id is there twice, and if_version is asked of it",
                                    "each id once where it has if_version");
        }
    }
    return {};
}

}  // namespace

Result<void> validate_versions(const std::vector<Document>& documents) {
    return refuse_repeats(documents);
}

Result<void> validate(const UpdateRequest& request, const CollectionSpec& spec) {
    if (const auto* all = std::get_if<UpdateAll>(&request)) {
        return validate_all(*all, spec);
    }
    const auto& documents = *std::get_if<std::vector<DocumentUpdate>>(&request);
    AKIDB_TRY(validate_count("documents", documents.size()));
    for (size_t i = 0; i < documents.size(); ++i) {
        if (Result<void> valid = validate_change(documents[i].change, spec); !valid) {
            return std::move(valid).error().with_field_prefix("documents[" + std::to_string(i) + "]");
        }
    }
    return refuse_repeats(documents);
}

void change_vectors(const DocumentChange& change, Document& document) {
    if (!change.vector.empty()) {
        document.vector = change.vector;
    }
    for (const NamedVector& given : change.vectors) {
        const auto known = std::find_if(document.vectors.begin(), document.vectors.end(),
                                        [&](const NamedVector& vector) { return vector.name == given.name; });
        if (known == document.vectors.end()) {
            document.vectors.push_back(given);
        } else {
            known->values = given.values;
        }
    }
    for (const std::string& name : change.removed_vectors) {
        std::erase_if(document.vectors, [&](const NamedVector& vector) { return vector.name == name; });
    }
}

Result<std::string> changed_metadata(const DocumentChange& change, MetadataView before) {
    if (change.set) {
        return *change.set;
    }
    std::string kept(before.bytes());
    if (!change.remove.empty()) {
        std::vector<std::string> removed;
        std::transform(change.remove.begin(), change.remove.end(), std::back_inserter(removed), &plain);
        MetadataWriter writer;
        copy_without(writer, before, Paths(removed.begin(), removed.end()));
        AKIDB_TRY(kept, std::move(writer).finish());
    }
    if (!change.merge) {
        return kept;
    }
    MetadataWriter writer;
    copy_merged(writer, MetadataView(kept), MetadataView(*change.merge), change.merges_deep);
    return std::move(writer).finish();
}

}  // namespace akidb::model
