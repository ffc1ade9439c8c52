// load_settings: file, environment and flags through kSettings, then the checks between settings. Nothing on
// the machine is looked at but the configuration file; see startup_checks.h for the rest. Never stops at the
// first fault: all faults are findings. Pure but for reading the file and the process environment; not to be
// called while others set variables.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "settings/settings.h"

namespace akidb::server {

/// Names the kernels to use, for tests and to find a fault; no setting, so no flag and no line of a file.
/// For the verbs that are clients; no setting of the server.
inline constexpr const char* kApiKeyVariable = "AKIDB_API_KEY";
inline constexpr const char* kKernelsVariable = "AKIDB_SIMD";

struct SettingsSources {
    std::string config_file;                   // empty = none
    std::map<std::string, std::string> flags;  // by key of kSettings, or whatever else was written
};

/// Reads the file and the environment of this process.
settings::Parsed load_settings(const SettingsSources& sources);

/// AKIDB_* of `variables` that are settings or look like mistyped ones. Kubernetes sets AKIDB_SERVICE_HOST,
/// AKIDB_PORT_8080_TCP and the like in every pod beside a Service named akidb; those are nobody's mistake.
std::map<std::string, std::string> settings_environment(const char* const* variables);

/// Of this process, those that say who one is to S3.
std::map<std::string, std::string> s3_environment();

/// What is wrong with AKIDB_SIMD: a name of no kernels that this CPU runs. Empty means the best.
std::optional<settings::Finding> check_kernels(const std::map<std::string, std::string>& environment);

/// The checks between values that are each fine alone: ports that clash, limits the wrong way round,
/// listening beyond loopback, addresses that are none.
std::vector<settings::Finding> cross_check(const settings::Effective& effective);

/// "flag --server.host", "environment AKIDB_SERVER_HOST", "akidb.toml:3", "default".
std::string place_of(std::string_view key, const settings::Effective& effective);

/// A finding about the value that a setting has now.
settings::Finding finding_at(std::string_view key, const settings::Effective& effective, std::string message,
                             std::string allowed);

/// IPv4 or IPv6, or "localhost".
bool is_address(std::string_view host);
bool is_loopback(std::string_view host);

/// The file of the catalog: `database.path` without its scheme, inside the data directory unless absolute.
std::string catalog_path(const settings::Effective& effective);

}  // namespace akidb::server
