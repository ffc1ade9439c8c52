#include "server/load_settings.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "server/backup_access.h"
#include "server/gate.h"
#include "server/settings_table.h"
#include "server/settings_table_check.h"
#include "server/tier_room.h"
#include "server/trace_room.h"
#include "simd/kernels.h"

namespace akidb::server {
namespace {

using settings::Effective;
using settings::Finding;

// A body of kBodyBytesMax fits: 4 MiB four times, and the eighth that is for small ones.
constexpr int64_t kRequestMemoryBytesMin = 20 << 20;
constexpr std::string_view kScheme = "sqlite://";
constexpr size_t kConfigBytesMax = 1 << 20;

std::optional<Finding> read_config(const std::string& path, std::string& text) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (file) {
        text.resize(kConfigBytesMax + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<size_t>(file.gcount()));
        if (text.size() <= kConfigBytesMax && !file.bad() && (file.eof() || !file.fail())) {
            return std::nullopt;
        }
    }
    const std::string why = text.size() > kConfigBytesMax ? "is larger than 1 MiB"
                            : errno != 0 ? std::string("cannot be read: ") + std::strerror(errno)
                                         : "cannot be read";
    text.clear();
    return Finding{.place = path,
                   .key = "--config",
                   .given = path,
                   .message = "the configuration file " + why,
                   .allowed = "a readable TOML file"};
}

/// Who asks is known, and nobody listens.
bool is_protected(const Effective& effective) {
    return effective.text("auth.enabled") == "true" && !effective.text("tls.certificate_file").empty();
}

void check_tls_settings(const Effective& effective, std::vector<Finding>& findings) {
    const bool has_certificate = !effective.text("tls.certificate_file").empty();
    const bool has_key = !effective.text("tls.key_file").empty();
    if (has_certificate != has_key) {
        findings.push_back(finding_at(has_key ? "tls.certificate_file" : "tls.key_file", effective,
                                      "is missing", "both tls.certificate_file and tls.key_file, or none"));
    }
    if (!has_certificate && !effective.text("tls.client_ca_file").empty()) {
        findings.push_back(finding_at("tls.client_ca_file", effective, "asks for certificates without TLS",
                                      "together with tls.certificate_file and tls.key_file"));
    }
}

void check_hosts(const Effective& effective, std::vector<Finding>& findings) {
    for (const std::string_view key : {"server.host", "metrics.host"}) {
        const std::string& host = effective.text(key);
        if (!is_address(host)) {
            findings.push_back(
                finding_at(key, effective, "is no address", "an IPv4 or IPv6 address, or localhost"));
        } else if (!is_loopback(host) && !is_protected(effective) &&
                   !effective.boolean("server.insecure_i_understand")) {
            findings.push_back(
                finding_at(key, effective,
                           "would let anyone who reaches this address read, change and delete "
                           "everything, or listen to who may: beyond loopback there must be both "
                           "authentication and TLS",
                           "127.0.0.1, ::1 or localhost; any address with auth.enabled true, "
                           "tls.certificate_file and tls.key_file; or with "
                           "--insecure-i-understand"));
        }
    }
}

void check_ports(const Effective& effective, std::vector<Finding>& findings) {
    constexpr std::array<std::string_view, 3> kPorts{"server.rest_port", "server.grpc_port", "metrics.port"};
    for (size_t i = 0; i < kPorts.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            const int64_t port = effective.integer(kPorts[i]);
            if (port != 0 && port == effective.integer(kPorts[j])) {
                findings.push_back(finding_at(kPorts[i], effective,
                                              "is the same port as " + std::string(kPorts[j]),
                                              "three different ports, or 0 for any free one"));
            }
        }
    }
}

bool is_plain_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

void check_database_path(const Effective& effective, std::vector<Finding>& findings) {
    const std::string& path = effective.text("database.path");
    const std::string_view file =
        path.starts_with(kScheme) ? std::string_view(path).substr(kScheme.size()) : "";
    if (!file.starts_with('/') && !is_plain_file_name(file)) {
        findings.push_back(finding_at("database.path", effective, "names no catalog file",
                                      "sqlite://NAME inside the data directory, or sqlite:///ABSOLUTE/PATH"));
    }
}

bool is_set_by_kubernetes(std::string_view name) {
    return name == "AKIDB_PORT" || name.starts_with("AKIDB_PORT_") || name == "AKIDB_SERVICE_HOST" ||
           name == "AKIDB_SERVICE_PORT" || name.starts_with("AKIDB_SERVICE_PORT_");
}

}  // namespace

std::map<std::string, std::string> settings_environment(const char* const* variables) {
    std::map<std::string, std::string> found;
    for (; variables != nullptr && *variables != nullptr; ++variables) {
        const std::string_view variable = *variables;
        const size_t equals = variable.find('=');
        if (equals == std::string_view::npos || !variable.starts_with("AKIDB_")) {
            continue;
        }
        const std::string_view name = variable.substr(0, equals);
        if (!is_set_by_kubernetes(name) && name != kApiKeyVariable) {
            found.emplace(name, variable.substr(equals + 1));
        }
    }
    return found;
}

settings::Parsed load_settings(const SettingsSources& sources) {
    settings::Inputs inputs;
    inputs.environment = settings_environment(environ);
    inputs.flags = sources.flags;
    std::optional<Finding> unreadable;
    if (!sources.config_file.empty()) {
        inputs.file_name = sources.config_file;
        unreadable = read_config(sources.config_file, inputs.file_text);
    }
    settings::Parsed parsed = settings::parse(kSettings, inputs);
    if (unreadable) {
        parsed.findings.insert(parsed.findings.begin(), std::move(*unreadable));
    }
    if (std::optional<Finding> finding = check_kernels(inputs.environment)) {
        parsed.findings.push_back(std::move(*finding));
    }
    for (Finding& finding : cross_check(parsed.effective)) {
        parsed.findings.push_back(std::move(finding));
    }
    return parsed;
}

std::map<std::string, std::string> s3_environment() {
    std::map<std::string, std::string> found;
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                             "AWS_SHARED_CREDENTIALS_FILE", "HOME", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}) {
        if (const char* value = std::getenv(name)) {
            found[name] = value;
        }
    }
    return found;
}

std::optional<Finding> check_kernels(const std::map<std::string, std::string>& environment) {
    const auto forced = environment.find(kKernelsVariable);
    if (forced == environment.end() || forced->second.empty()) {
        return std::nullopt;
    }
    const simd::Kernels* const* sets = nullptr;
    const size_t count = simd::runnable_kernels(&sets);
    std::string names;
    for (size_t i = 0; i < count; ++i) {
        if (forced->second == sets[i]->name) {
            return std::nullopt;
        }
        names.append(i == 0 ? "" : "|").append(sets[i]->name);
    }
    return Finding{.place = std::string("environment ") + kKernelsVariable,
                   .key = kKernelsVariable,
                   .given = forced->second,
                   .message = "names no kernels that this CPU runs",
                   .allowed = names};
}

std::vector<Finding> cross_check(const Effective& effective) {
    std::vector<Finding> findings;
    check_hosts(effective, findings);
    check_ports(effective, findings);
    check_tls_settings(effective, findings);
    check_database_path(effective, findings);
    check_backup_settings(effective, findings);
    check_tier_settings(effective, findings);
    check_trace_settings(effective, findings);
    if (const auto proxies = trusted_proxies(effective); !proxies) {
        findings.push_back(finding_at("auth.trusted_proxies", effective, proxies.error().message(),
                                      "networks with commas, as 10.0.0.0/8, 2001:db8::7"));
    }
    const int64_t soft = effective.integer("storage.disk_soft_free_bytes");
    const int64_t hard = effective.integer("storage.disk_hard_free_bytes");
    if (soft != 0 && soft < hard) {
        findings.push_back(finding_at("storage.disk_soft_free_bytes", effective,
                                      "is less than storage.disk_hard_free_bytes",
                                      "0, or " + std::to_string(hard) + " and more"));
    }
    const int64_t memory = effective.integer("limits.request_memory_bytes");
    if (memory != 0 && memory < kRequestMemoryBytesMin) {
        findings.push_back(finding_at("limits.request_memory_bytes", effective,
                                      "is too little for a single request of the usual size",
                                      "0, or " + std::to_string(kRequestMemoryBytesMin) + " and more"));
    }
    if (effective.integer("drain.min_ms") > effective.integer("drain.max_ms")) {
        findings.push_back(finding_at("drain.min_ms", effective, "is more than drain.max_ms",
                                      "0.." + effective.text("drain.max_ms")));
    }
    return findings;
}

std::string place_of(std::string_view key, const Effective& effective) {
    const auto value = effective.values.find(key);
    const std::string source = value == effective.values.end() ? "default" : value->second.source;
    if (source == "flag") {
        return "flag --" + std::string(key);
    }
    return source == "environment" ? "environment " + settings::variable_of(key) : source;
}

bool is_address(std::string_view host) {
    const std::string text(host);
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return host == "localhost" || inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
           inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

bool is_loopback(std::string_view host) {
    in_addr address{};
    if (inet_pton(AF_INET, std::string(host).c_str(), &address) == 1) {
        return (ntohl(address.s_addr) >> 24) == 127;
    }
    return host == "localhost" || host == "::1";
}

std::string catalog_path(const Effective& effective) {
    const std::string file = effective.text("database.path").substr(kScheme.size());
    return file.starts_with('/') ? file : effective.text("storage.data_dir") + "/" + file;
}

settings::Finding finding_at(std::string_view key, const settings::Effective& effective, std::string message,
                             std::string allowed) {
    return settings::Finding{.place = place_of(key, effective),
                             .key = std::string(key),
                             .given = effective.text(key),
                             .message = std::move(message),
                             .allowed = std::move(allowed)};
}

}  // namespace akidb::server
