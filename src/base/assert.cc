#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace akidb {

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "akidb: broken invariant at %s:%d: %s\n", file, line, expression);
    std::abort();
}

}  // namespace akidb
