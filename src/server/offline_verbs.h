// The offline verbs given the machine: the real disk, standard output, and for repair the places that the
// server's settings name, so that it finds the data of a server by the server's own configuration file.
#pragma once

#include "cli/arguments.h"
#include "offline/verbs.h"
#include "server/serve.h"

namespace akidb::server {

ExitCode run_inspect(const offline::InspectRequest& request);
/// Fills in `data` and `catalog`.
ExitCode run_repair(const SettingsSources& sources, offline::RepairRequest request);

/// Fills in how S3 is reached.
ExitCode run_backups(const cli::S3Arguments& s3, const std::string& ca_file,
                     const offline::BackupsRequest& request);

/// By the settings, but for a data directory and backups that are named. Faults of the settings are told
/// first.
ExitCode run_upgrade_check(const cli::Arguments& arguments);

ExitCode run_audit_verify(const offline::AuditVerifyRequest& request);

}  // namespace akidb::server
