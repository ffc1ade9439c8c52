// Conditions that compare the values at a path with values of the client: match and the two ranges; parts of
// the evaluator (filter.h), which alone calls them. Thread-safe, allocate nothing.
#pragma once

#include "model/filter.h"

namespace akidb::model {

/// Lists up to this length are walked: that beats a search, and most lists are this short.
inline constexpr size_t kWalkedListMax = 16;

bool is_met(const MatchCondition& condition, MetadataView metadata);
bool is_met(const RangeCondition& range, MetadataView metadata);
bool is_met(const TimeRangeCondition& range, MetadataView metadata);

/// Part of prepare().
void sort_if_long(MatchCondition& condition);

}  // namespace akidb::model
