// What a principal's row rule makes of reads: a rule is one more condition that every filter has to meet.
// Pure, thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "model/document.h"
#include "model/filter.h"

namespace akidb::service {

using SharedFilter = std::shared_ptr<const model::Filter>;

/// Both; either may be null.
inline SharedFilter both_of(const SharedFilter& filter, const SharedFilter& rule) {
    if (rule == nullptr || filter == nullptr) {
        return rule == nullptr ? filter : rule;
    }
    auto both = std::make_shared<model::Filter>();
    // A node is no pointer to const, but nobody changes a filter that was shared.
    both->must.emplace_back(std::const_pointer_cast<model::Filter>(filter));
    both->must.emplace_back(std::const_pointer_cast<model::Filter>(rule));
    return both;
}

/// Of documents with their metadata, those that the rule covers.
inline void keep_covered(const SharedFilter& rule, std::vector<model::Document>& documents) {
    if (rule == nullptr) {
        return;
    }
    std::erase_if(documents, [&](const model::Document& document) {
        return !model::matches(*rule, model::MetadataView(document.metadata), document.id.encoded());
    });
}

}  // namespace akidb::service
