// What each layer is given of the settings in effect: the one place where a key of settings_table.h becomes a
// field of somebody's options. Pure but for the machine's cores, memory and file descriptors, where a setting
// says "as many as there are". Settings were validated before; nothing here fails. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/collection.h"
#include "io/executor.h"
#include "rest/http_server.h"
#include "rpc/grpc_server.h"
#include "settings/settings.h"
#include "simd/kernels.h"
#include "storage/disk_space.h"

namespace akidb::server {

template <class Number>
Number number_of(const settings::Effective& effective, std::string_view key) {
    return static_cast<Number>(effective.integer(key));
}

/// An address to listen at: that of "localhost", or the text as it is.
std::string address_of(const std::string& host);
/// "HOST:PORT", an IPv6 address in brackets.
std::string endpoint(const std::string& host, uint16_t port);

/// backup.to and backup.archive_interval_s.
bool archives_log(const settings::Effective& effective);
engine::CollectionOptions collection_options(const settings::Effective& effective,
                                             const simd::Kernels& kernels);
/// Of all requests at once: a quarter of the machine's memory unless set.
uint64_t request_memory_bytes(const settings::Effective& effective);
rest::HttpServerOptions rest_options(const settings::Effective& effective);
rest::HttpServerOptions probe_options(const settings::Effective& effective);
rpc::GrpcServerOptions grpc_options(const settings::Effective& effective);
io::ThreadPoolOptions worker_options(const settings::Effective& effective);
io::ThreadPoolOptions maintenance_options(const settings::Effective& effective);
storage::DiskSpaceOptions disk_options(const settings::Effective& effective);

}  // namespace akidb::server
