#include "server/startup_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/load_settings.h"

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
        return access(path.c_str(), R_OK | W_OK | X_OK) == 0
                   ? ""
                   : std::string("cannot be used: ") + std::strerror(errno);
    }
    if (errno != ENOENT) {
        return std::string("cannot be looked at: ") + std::strerror(errno);
    }
    const std::string parent = parent_of(path);
    if (access(parent.c_str(), W_OK | X_OK) == 0) {
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

std::vector<Finding> check_environment(const Effective& effective) {
    std::vector<Finding> findings;
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
