// WriteKey: what an Idempotency-Key is to everything behind the protocols: a write with a key that was seen
// before is not applied again, but answered as the first time. Digests only, so that no file keeps what a
// client sent for longer than the documents themselves. A value.
#pragma once

#include "base/digest.h"
#include "base/uuid.h"

namespace akidb::model {

struct WriteKey {
    Digest128 key;  // of the text that the client chose
    Digest128
        fingerprint;     // of operation and body: another one under the same key is a mistake of the client
    Uuid first_made_id;  // documents sent without an id get this one and those that follow it (next_id)
};

/// The id of the `index`th document without one. A UUID v7 keeps its time and version: the 62 random bits
/// behind the variant count up.
inline Uuid next_id(const Uuid& first, uint64_t index) {
    Uuid made = first;
    uint64_t carry = index;
    for (size_t i = made.bytes.size(); i-- > 8 && carry > 0;) {
        carry += made.bytes[i];
        const uint64_t kept = i == 8 ? made.bytes[i] & 0xc0U : 0;
        const uint64_t moved = i == 8 ? carry & 0x3fU : carry & 0xffU;
        made.bytes[i] = static_cast<uint8_t>(kept | moved);
        carry >>= 8;
    }
    return made;
}

}  // namespace akidb::model
