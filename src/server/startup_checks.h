// startup_checks: what the machine must offer before the server may start: a data directory that is there or
// can be made, free ports, certificates that can be used. Looks only; makes, binds for longer than the look,
// and changes nothing. Faults are findings, all of them in one run. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "io/tls_identity.h"
#include "settings/settings.h"

namespace akidb::server {

std::vector<settings::Finding> check_environment(const settings::Effective& effective);

io::TlsFiles tls_files(const settings::Effective& effective);
/// Every fault of the files of TLS.
std::vector<settings::Finding> check_certificates(const settings::Effective& effective, uint64_t now_ms);

/// Descriptors that are wanted beside one for each connection: each thread of the listeners has four, an idle
/// server 16 more, and the rest is for logs of collections and what checkpoints write.
uint64_t descriptors_besides_connections(const settings::Effective& effective);
/// What limits.connections comes to on this machine: by default no more than there are descriptors for.
uint64_t connections_max(const settings::Effective& effective, uint64_t descriptor_limit);
/// Empty when so many descriptors are enough for the configuration.
std::vector<settings::Finding> check_descriptors(const settings::Effective& effective,
                                                 uint64_t descriptor_limit);

/// Empty when the directory is there and can be written, or can be made; else why not.
std::string why_directory_unusable(const std::string& path);
/// Empty when it can be bound; else why not. `host` as is_address() accepts it.
std::string why_port_unusable(const std::string& host, uint16_t port);

}  // namespace akidb::server
