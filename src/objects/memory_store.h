// MemoryStore: objects in memory, for tests and the simulator. Thread-safe.
#pragma once

#include <memory>

#include "objects/object_store.h"

namespace akidb::objects {

std::unique_ptr<ObjectStore> make_memory_store();

}  // namespace akidb::objects
