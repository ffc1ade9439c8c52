// The verbs that concern a server on this machine: serve, check-config and print-config. Each prints what is
// wrong in full on standard error and returns how the process is to end. serve blocks SIGTERM, SIGINT and
// SIGHUP in the calling thread, which must be the only one, and returns after the drain that the first of
// them starts:
//   readiness 503 → drain.min with open ports → ports closed → requests in flight end by drain.max → close.
// A second signal jumps to the end. kill -9 at any moment loses nothing acknowledged.
#pragma once

#include "base/exit_code.h"
#include "server/load_settings.h"

namespace akidb::server {

ExitCode serve(const SettingsSources& sources);
ExitCode check_config(const SettingsSources& sources, bool json);
ExitCode print_config(const SettingsSources& sources);

}  // namespace akidb::server
