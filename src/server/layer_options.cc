#include "server/layer_options.h"

#include <charconv>

#include "server/load_settings.h"
#include "server/process_facts.h"
#include "server/startup_checks.h"

namespace akidb::server {
namespace {

constexpr size_t kWorkerQueueMax = 1024;
constexpr size_t kMaintenanceQueueMax = 1 << 16;

}  // namespace

using settings::Effective;

std::string address_of(const std::string& host) {
    return host == "localhost" ? "127.0.0.1" : host;
}

std::string endpoint(const std::string& host, uint16_t port) {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool archives_log(const Effective& effective) {
    return !effective.text("backup.to").empty() && effective.integer("backup.archive_interval_s") > 0;
}

engine::CollectionOptions collection_options(const Effective& effective, const simd::Kernels& kernels) {
    engine::CollectionOptions options;
    const std::string& degree = effective.text("index.degree");
    std::from_chars(degree.data(), degree.data() + degree.size(), options.graph.degree);
    options.graph.build_ef = number_of<uint32_t>(effective, "index.build_ef");
    const std::string& layout = effective.text("index.layout");
    options.graph.layout = layout == "split"   ? index::Layout::kSplit
                           : layout == "turbo" ? index::Layout::kTurbo
                                               : index::Layout::kAuto;
    options.graph.turbo_bytes_max = number_of<uint64_t>(effective, "index.turbo_bytes_max");
    options.default_ef = number_of<uint32_t>(effective, "index.default_ef");
    options.default_recall = number_of<double>(effective, "index.default_recall_permille") / 1000;
    options.graph_rows_min = number_of<uint32_t>(effective, "index.graph_rows_min");
    options.head_rows_max = number_of<uint32_t>(effective, "index.head_rows_max");
    options.rewrite_dead_percent = number_of<uint32_t>(effective, "index.rewrite_dead_percent");
    options.log.file_bytes = number_of<uint64_t>(effective, "storage.log_file_bytes");
    if (archives_log(effective)) {
        options.held_log_bytes_max = number_of<uint64_t>(effective, "backup.archive_held_bytes");
    }
    options.checkpoint_log_bytes = number_of<uint64_t>(effective, "storage.checkpoint_log_bytes");
    options.remembered_keys_max = number_of<uint64_t>(effective, "storage.remembered_keys_max");
    options.scrub_interval_us = number_of<uint64_t>(effective, "storage.scrub_interval_s") * 1'000'000;
    options.kernels = &kernels;
    options.link_threads = static_cast<uint32_t>(maintenance_options(effective).threads);
    return options;
}

uint64_t request_memory_bytes(const Effective& effective) {
    const auto bytes = number_of<uint64_t>(effective, "limits.request_memory_bytes");
    return bytes > 0 ? bytes : memory_limit_bytes() / 4;
}

rest::HttpServerOptions rest_options(const Effective& effective) {
    rest::HttpServerOptions options;
    options.host = address_of(effective.text("server.host"));
    options.port = number_of<uint16_t>(effective, "server.rest_port");
    options.threads = number_of<size_t>(effective, "server.threads");
    if (options.threads == 0) {
        options.threads = cores();
    }
    options.spin_us = number_of<uint32_t>(effective, "server.spin_us");
    options.connections_max = connections_max(effective, file_descriptor_limit());
    options.connections_per_address_max = number_of<size_t>(effective, "limits.connections_per_address");
    return options;
}

rest::HttpServerOptions probe_options(const Effective& effective) {
    rest::HttpServerOptions options;
    options.host = address_of(effective.text("metrics.host"));
    options.port = number_of<uint16_t>(effective, "metrics.port");
    options.threads = 1;
    return options;
}

rpc::GrpcServerOptions grpc_options(const Effective& effective) {
    rpc::GrpcServerOptions options;
    options.host = address_of(effective.text("server.host"));
    options.port = number_of<uint16_t>(effective, "server.grpc_port");
    options.memory_bytes_max = request_memory_bytes(effective);
    return options;
}

io::ThreadPoolOptions worker_options(const Effective& effective) {
    return {"worker", number_of<size_t>(effective, "server.worker_threads"), kWorkerQueueMax, 0};
}

io::ThreadPoolOptions maintenance_options(const Effective& effective) {
    const auto threads = number_of<size_t>(effective, "server.maintenance_threads");
    return {"maintenance", threads > 0 ? threads : std::max(1u, cores() / 2), kMaintenanceQueueMax, 10};
}

storage::DiskSpaceOptions disk_options(const Effective& effective) {
    return {.soft_free_bytes = number_of<uint64_t>(effective, "storage.disk_soft_free_bytes"),
            .hard_free_bytes = number_of<uint64_t>(effective, "storage.disk_hard_free_bytes"),
            .ballast_bytes = number_of<uint64_t>(effective, "storage.ballast_bytes")};
}

}  // namespace akidb::server
