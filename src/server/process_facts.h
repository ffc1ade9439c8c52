// process_facts: what the kernel says about this process; 0 when it does not say. Thread-safe.
#pragma once

#include <cstdint>

namespace akidb::server {

/// How many threads run at once; at least 1.
uint32_t cores();
uint64_t resident_memory_bytes();
uint64_t open_file_descriptors();
/// How many it may open: the hard limit, which raise_file_descriptor_limit() makes the one that counts.
uint64_t file_descriptor_limit();
void raise_file_descriptor_limit();
/// Neither a file nor, where the kernel pipes them to a program, that program gets one.
void forbid_core_dumps();
/// What this process may have at most: of the machine, or of its control groups when they allow less.
uint64_t memory_limit_bytes();

}  // namespace akidb::server
