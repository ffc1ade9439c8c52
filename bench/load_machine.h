// Where the load suite runs: what the report says of the machine, and what it needs of it. Throws
// std::runtime_error.
#pragma once

#include <string>

namespace akidb::bench {

/// Processor, cores, memory and kernel, in a line.
std::string machine_line();
/// Of the last minute, as the kernel has it.
std::string load_average();
/// A port that nobody had a moment ago: a server that was killed comes back on it.
std::string free_port();
/// Processor time of the calling thread.
double thread_seconds();

}  // namespace akidb::bench
