// AKIDB_ASSERT: a broken invariant ends the process, in release too: going on with a state that we no longer
// understand is how databases lose data. AKIDB_DEBUG_ASSERT is for checks too dear for release.
#pragma once

namespace akidb {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}  // namespace akidb

#define AKIDB_ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::akidb::assertion_failed(#expression, __FILE__, __LINE__))
#ifdef NDEBUG
#define AKIDB_DEBUG_ASSERT(expression) static_cast<void>(0)
#else
#define AKIDB_DEBUG_ASSERT(expression) AKIDB_ASSERT(expression)
#endif
