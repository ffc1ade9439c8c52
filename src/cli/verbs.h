// The verbs that are clients of a running server: import, export, collection …, search, health, login, user
// …, key …, tenant …. Each prints its answer on standard output, faults on standard error, and returns how
// the process is to end.
#pragma once

#include "base/result.h"
#include "cli/arguments.h"

namespace akidb::cli {

ExitCode run_import(const Arguments& arguments);
ExitCode run_export(const Arguments& arguments);
ExitCode run_collection(const Arguments& arguments);
ExitCode run_search(const Arguments& arguments);
/// Asks a probe; for what watches a container, where there is no shell and no curl.
ExitCode run_health(const Arguments& arguments);
ExitCode run_account(const Arguments& arguments);
ExitCode run_tiers(const Arguments& arguments);
/// Asks the server for a backup and waits for its end.
ExitCode run_backup_create(const Arguments& arguments);
/// Whether a bucket does what backups need; no client of AkiDB's, but of an S3 server.
ExitCode run_s3_check(const Arguments& arguments);

/// The token in a file: all of it but the white space around.
Result<std::string> read_token_file(const std::string& path);

}  // namespace akidb::cli
