// Rot: a bit flips at rest, in a segment file or the manifest of a running collection, and then a scrub
// passes. Whatever it says must be true: when it says that all is well, or that it made the damage good, a
// restart opens the collection with every document as it was; when it says that the collection is damaged,
// nothing is answered from it any more. Single-threaded.
#pragma once

#include "sim/campaign.h"

namespace akidb::sim {

/// One flipped bit a history, until there were this many.
CampaignReport rot_campaign(uint64_t first_seed, uint64_t flips);

}  // namespace akidb::sim
