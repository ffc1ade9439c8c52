#include "server/startup_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/clock.h"
#include "io/tls_identity.h"
#include "objects/encrypted_store.h"
#include "rest/cors.h"
#include "server/load_settings.h"
#include "server/process_facts.h"
#include "server/trace_room.h"

namespace akidb::server {
namespace {

using settings::Effective;
using settings::Finding;

std::string parent_of(const std::string& path) {
    const size_t end = path.find_last_not_of('/');
    const size_t slash = end == std::string::npos ? std::string::npos : path.find_last_of('/', end);
    if (slash == std::string::npos) {
        return end == std::string::npos ? "/" : ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_ipv6(const std::string& host) {
    in6_addr ignored{};
    return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

std::string why_directory_unusable(const std::string& path) {
    struct stat found {};
    if (stat(path.c_str(), &found) == 0) {
        if (!S_ISDIR(found.st_mode)) {
            return "is not a directory";
        }
        return ::access(path.c_str(), R_OK | W_OK | X_OK) == 0
                   ? ""
                   : std::string("cannot be used: ") + std::strerror(errno);
    }
    if (errno != ENOENT) {
        return std::string("cannot be looked at: ") + std::strerror(errno);
    }
    const std::string parent = parent_of(path);
    if (::access(parent.c_str(), W_OK | X_OK) == 0) {
        return "";
    }
    return "cannot be made in " + parent + ": " + std::strerror(errno);
}

std::string why_port_unusable(const std::string& host, uint16_t port) {
    const std::string address = host == "localhost" ? "127.0.0.1" : host;
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (is_ipv6(address)) {
        sockaddr_in6 ipv6{};
        ipv6.sin6_family = AF_INET6;
        ipv6.sin6_port = htons(port);
        inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr);
        size = sizeof ipv6;
        std::memcpy(&storage, &ipv6, sizeof ipv6);
    } else {
        sockaddr_in ipv4{};
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr);
        size = sizeof ipv4;
        std::memcpy(&storage, &ipv4, sizeof ipv4);
    }
    const int probe = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return std::string("cannot be tried: ") + std::strerror(errno);
    }
    const int on = 1;
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Linux lets a second socket with SO_REUSEADDR bind as long as none listens, so only listening is proof.
    const bool is_free =
        bind(probe, reinterpret_cast<const sockaddr*>(&storage), size) == 0 && listen(probe, 1) == 0;
    const std::string why =
        is_free ? "" : std::string("cannot be opened on ") + host + ": " + std::strerror(errno);
    close(probe);
    return why;
}

uint64_t descriptors_besides_connections(const Effective& effective) {
    constexpr uint64_t kFiles = 64;
    constexpr uint64_t kPerThread = 4;
    const auto given = static_cast<uint64_t>(effective.integer("server.threads"));
    const uint64_t threads = given != 0 ? given : cores();
    return kFiles + threads * kPerThread;
}

uint64_t connections_max(const Effective& effective, uint64_t descriptor_limit) {
    const auto wanted = static_cast<uint64_t>(effective.integer("limits.connections"));
    const auto value = effective.values.find("limits.connections");
    const bool is_default = value == effective.values.end() || value->second.source == "default";
    const uint64_t besides = descriptors_besides_connections(effective);
    return is_default ? std::min(wanted, descriptor_limit - std::min(besides, descriptor_limit)) : wanted;
}

std::vector<Finding> check_descriptors(const Effective& effective, uint64_t descriptor_limit) {
    constexpr uint64_t kConnectionsMin =
        32;  // fewer by default are no service: probes and a client with a pool
    const uint64_t besides = descriptors_besides_connections(effective);
    const uint64_t connections = connections_max(effective, descriptor_limit);
    const auto wanted = static_cast<uint64_t>(effective.integer("limits.connections"));
    const uint64_t least = std::max(connections, std::min(wanted, kConnectionsMin));
    if (descriptor_limit >= besides + least) {
        return {};
    }
    const std::string allowed =
        "a limit of at least " + std::to_string(besides + least) + " (ulimit -n)" +
        (descriptor_limit > besides ? ", or 1.." + std::to_string(descriptor_limit - besides) + " connections"
                                    : "");
    return {finding_at("limits.connections", effective,
                       "wants more file descriptors than the " + std::to_string(descriptor_limit) +
                           " that this process may open: one for each connection, and " +
                           std::to_string(besides) + " besides",
                       allowed)};
}

io::TlsFiles tls_files(const Effective& effective) {
    return {.certificate = effective.text("tls.certificate_file"),
            .key = effective.text("tls.key_file"),
            .client_ca = effective.text("tls.client_ca_file")};
}

std::vector<Finding> check_certificates(const Effective& effective, uint64_t now_ms) {
    const io::TlsFiles files = tls_files(effective);
    std::vector<Finding> findings;
    if (files.certificate.empty() || files.key.empty()) {
        return findings;
    }
    for (const io::TlsFault& fault : io::check_tls_files(files, now_ms).faults) {
        const bool is_key = fault.file == io::TlsFile::kKey;
        findings.push_back(finding_at(is_key                                    ? "tls.key_file"
                                      : fault.file == io::TlsFile::kCertificate ? "tls.certificate_file"
                                                                                : "tls.client_ca_file",
                                      effective, fault.why,
                                      is_key
                                          ? "a PEM file of the certificate's key that only its owner can read"
                                          : "a PEM file of certificates that are valid now"));
    }
    return findings;
}

std::vector<Finding> check_environment(const Effective& effective) {
    std::vector<Finding> findings = check_descriptors(effective, file_descriptor_limit());
    const uint64_t now_ms = io::make_system_clock()->unix_ms();
    for (Finding& finding : check_certificates(effective, now_ms)) {
        findings.push_back(std::move(finding));
    }
    for (const std::string_view setting : {"backup.key_file", "tiers.key_file"}) {
        const std::string& key_file = effective.text(setting);
        if (const auto key = objects::read_encryption_key(key_file); !key_file.empty() && !key) {
            findings.push_back(finding_at(setting, effective, key.error().message(),
                                          "a file of 64 hex digits that only its owner can read"));
        }
    }
    check_trace_files(effective, findings);
    if (const auto origins = rest::parse_origins(effective.text("server.cors_origins")); !origins) {
        findings.push_back(finding_at("server.cors_origins", effective, origins.error().message(),
                                      origins.error().allowed()));
    }
    if (const std::string why = why_directory_unusable(effective.text("storage.data_dir")); !why.empty()) {
        findings.push_back(finding_at("storage.data_dir", effective, why,
                                      "a directory that this user may write, or a name in one"));
    }
    if (effective.text("database.path").starts_with("sqlite:///")) {
        const std::string why = why_directory_unusable(parent_of(catalog_path(effective)));
        if (!why.empty()) {
            findings.push_back(finding_at("database.path", effective, "its directory " + why,
                                          "a file in a directory that this user may write"));
        }
    }
    constexpr std::pair<std::string_view, std::string_view> kPorts[] = {{"server.host", "server.rest_port"},
                                                                        {"server.host", "server.grpc_port"},
                                                                        {"metrics.host", "metrics.port"}};
    for (const auto& [host_key, port_key] : kPorts) {
        const std::string& host = effective.text(host_key);
        if (!is_address(host)) {
            continue;  // a finding already
        }
        const auto port = static_cast<uint16_t>(effective.integer(port_key));
        if (const std::string why = why_port_unusable(host, port); !why.empty()) {
            findings.push_back(finding_at(port_key, effective, why, "a free port, or 0 for any free one"));
        }
    }
    return findings;
}

}  // namespace akidb::server
