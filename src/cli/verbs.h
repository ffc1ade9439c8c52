// The verbs that are clients of a running server: import, export, collection …, search. Each prints its
// answer on standard output, faults on standard error, and returns how the process is to end.
#pragma once

#include "cli/arguments.h"

namespace akidb::cli {

ExitCode run_import(const Arguments& arguments);
ExitCode run_export(const Arguments& arguments);
ExitCode run_collection(const Arguments& arguments);
ExitCode run_search(const Arguments& arguments);

}  // namespace akidb::cli
