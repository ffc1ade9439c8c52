// Float lists: the fast reading of a JSON array of numbers, which is nearly all of a search's body. As strict
// as the JSON reader, but it only gives up on a fault: the reader then reads the array its own way, which
// knows the message. A number has the same value either way: the double nearest to its text, rounded to
// float. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <vector>

namespace akidb::rest {

/// `text` stands on the `[`, and what follows has a byte that is neither digit nor blank before its end and 8
/// readable bytes behind that. Appends the numbers to `out` and returns the place behind the `]`; null, and
/// `out` as it was, when it gives up: also for more than `items_max` numbers, and what no float can hold.
const char* read_float_list(const char* text, size_t items_max, std::vector<float>& out);

}  // namespace akidb::rest
