// outline_of: what holds for a document whenever a nested condition does, in conditions that the columns of
// its fields may answer: {"nested": {"key": "a", "filter": {"must": [b = 1]}}} implies a.b = 1. What holds
// for one object of several says nothing when it is turned around, so must_not and except are left out, and
// what is met by the outline is but a candidate. Pure, thread-safe.
#pragma once

#include "model/filter.h"

namespace akidb::index {

model::Filter outline_of(const model::NestedCondition& nested);

}  // namespace akidb::index
