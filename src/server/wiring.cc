#include "server/wiring.h"

#include <algorithm>

#include "catalog/catalog.h"
#include "engine/recall_probe.h"
#include "io/executor.h"
#include "io/pause.h"
#include "io/posix_file_system.h"
#include "io/random.h"
#include "rest/api.h"
#include "rest/cors.h"
#include "rest/http_server.h"
#include "rpc/grpc_server.h"
#include "server/backup_room.h"
#include "server/certificates.h"
#include "server/clock_watch.h"
#include "server/disk_watch.h"
#include "server/gate.h"
#include "server/layer_options.h"
#include "server/load_settings.h"
#include "server/process_facts.h"
#include "server/process_gauges.h"
#include "server/startup_checks.h"
#include "server/tier_room.h"
#include "server/trace_room.h"
#include "server/upgrade_copies.h"
#include "service/directory.h"
#include "service/lifecycle.h"
#include "service/service.h"
#include "telemetry/metrics.h"

namespace akidb::server {
namespace {

using settings::Effective;
using telemetry::MetricId;

constexpr std::string_view kVersion = AKIDB_VERSION;
constexpr uint64_t kGaugesEveryUs = 2'000'000;
constexpr size_t kLoaderQueueMax = 1 << 20;
constexpr size_t kBackupQueueMax = 4;
// Collections that wait for the disk at once; a thread here sleeps while it syncs.
constexpr size_t kCommitThreads = 8;
constexpr size_t kCommitQueueMax = 1 << 16;
constexpr uint32_t kGrpcStopMs = 500;

Result<void> make_directories(io::FileSystem& files, const std::string& data) {
    AKIDB_TRY(files.make_directory(data + "/collections"));
    const Result<std::vector<io::DirectoryEntry>> staged = files.list(data + "/staging");
    if (!staged || !staged->empty()) {  // on a full disk it could be removed, but not made again
        // What lies in staging was never promised to anybody.
        AKIDB_TRY(io::remove_tree(files, data, "staging"));
        AKIDB_TRY(files.make_directory(data + "/staging"));
    }
    return files.sync_directory(data);
}

// Members are destroyed from the last to the first, so each may use those above it.
class Wiring final : public Server {
  public:
    Wiring(Foundation foundation, const Effective& effective, std::unique_ptr<io::FileLock> lock)
        : foundation_(foundation),
          effective_(effective),
          data_(effective.text("storage.data_dir")),
          lock_(std::move(lock)),
          random_(io::make_system_random()),
          traces_(TraceRoom::open({foundation.clock, *random_, metrics_, foundation.logger}, effective,
                                  kVersion)),
          request_memory_(request_memory_bytes(effective), metrics_),
          disk_(foundation.files, foundation.clock, data_, disk_options(effective)),
          scrub_pace_(number_of<uint64_t>(effective, "storage.scrub_bytes_per_second")),
          lifecycle_(foundation.clock),
          workers_(worker_options(effective)),
          maintenance_(maintenance_options(effective)),
          committer_({"commit", kCommitThreads, kCommitQueueMax, 0}),
          loader_({"loader", cores(), kLoaderQueueMax, 0}),
          backup_thread_({"backup", 1, kBackupQueueMax, 10}),
          archive_thread_({"archive", 1, 1, 10}),
          probe_thread_({"probe", 1, 1, 19}),
          recall_probe_(probe_thread_, foundation.clock, metrics_, {.processors = cores()}),
          certificates_(foundation.clock, foundation.logger, metrics_),
          upgrade_copies_(foundation.files, foundation.clock, foundation.logger, effective) {
        apply(effective);
        lifecycle_.attach_disk(disk_);
        metrics_.gauge(MetricId::kBuildInfo, {kVersion}).set(1);
        metrics_.gauge(MetricId::kStartTime).set(static_cast<double>(foundation.clock.unix_ms()) / 1000);
    }

    ~Wiring() override { static_cast<void>(close(false)); }

    Result<void> open_ports() {
        AKIDB_TRY(proxies_, trusted_proxies(effective_));
        api_ = rest::make_api(
            {lifecycle_, workers_, foundation_.clock, metrics_, foundation_.logger, &proxies_, tracer()});
        probes_ = rest::make_probe_handler(lifecycle_, metrics_);
        rest::HttpServerOptions rest = rest_options(effective_);
        rest.memory = &request_memory_;
        rest.reads_trace_headers = tracer() != nullptr;
        AKIDB_TRY(certificates_.open(effective_));
        rest.tls = certificates_.source();
        rest::HttpHandler* routes = api_.get();
        AKIDB_TRY(std::vector<std::string> origins,
                  rest::parse_origins(effective_.text("server.cors_origins")));
        if (!origins.empty()) {
            cors_ = rest::make_cors_handler(std::move(origins), *api_);
            routes = cors_.get();
        }
        AKIDB_TRY(rest_server_, rest::HttpServer::listen(rest, *routes, metrics_, foundation_.logger));
        AKIDB_TRY(probe_server_, rest::HttpServer::listen(probe_options(effective_), *probes_, metrics_,
                                                          foundation_.logger));
        rpc::GrpcServerOptions grpc = grpc_options(effective_);
        grpc.tls = certificates_.source();
        AKIDB_TRY(grpc_server_,
                  rpc::GrpcServer::listen(grpc, {workers_, foundation_.clock, *random_, metrics_,
                                                 foundation_.logger, request_memory_, &proxies_, tracer()}));
        return {};
    }

    std::string endpoints() const override {
        const std::string host = address_of(effective_.text("server.host"));
        return (certificates_.source() != nullptr ? "rest=https://" : "rest=http://") +
               endpoint(host, rest_server_->port()) + " grpc=" + endpoint(host, grpc_server_->port()) +
               " metrics=" + probes_url() + " data=" + data_;
    }

    std::string probes_url() const override {
        return "http://" + endpoint(address_of(effective_.text("metrics.host")), probe_server_->port());
    }

    Result<void> load() override {
        Result<void> prepared = upgrade_copies_.prepare();
        if (!prepared && prepared.error().code() == Code::kDiskFull && disk_.release_ballast()) {
            prepared = upgrade_copies_.prepare();
        }
        AKIDB_TRY(std::move(prepared));
        Result<std::unique_ptr<catalog::Catalog>> opened = catalog::Catalog::open(catalog_path(effective_));
        if (!opened && opened.error().code() == Code::kDiskFull && disk_.release_ballast()) {
            opened = catalog::Catalog::open(catalog_path(effective_));
        }
        AKIDB_TRY(catalog_, std::move(opened));
        directory_ = std::make_unique<service::Directory>(
            engine::Dependencies{foundation_.files, foundation_.clock, maintenance_, foundation_.logger,
                                 metrics_, &disk_, &committer_, &scrub_pace_, &recall_probe_, tracer()},
            *random_, *catalog_, data_ + "/collections", collection_options(effective_, foundation_.kernels));
        auto gate = Gate::open(effective_, foundation_, *random_, metrics_);
        if (!gate && gate.error().code() == Code::kDiskFull && disk_.release_ballast()) {
            gate = Gate::open(effective_, foundation_, *random_, metrics_);
        }
        AKIDB_TRY(gate_, std::move(gate));
        const backup::TargetDoors doors{foundation_.files, foundation_.clock, *random_, *pause_};
        const backup::TargetDoors passing{*passing_files_, foundation_.clock, *random_, *pause_};
        backup_room_ = std::make_unique<BackupRoom>(
            BackupRoom::Dependencies{*directory_, *catalog_, passing, foundation_.clock, backup_thread_,
                                     archive_thread_, foundation_.logger, metrics_, disk_, tracer()},
            effective_, kVersion);
        service_ =
            std::make_unique<service::Service>(*directory_, foundation_.clock, *random_, &gate_->control(),
                                               &gate_->accounts(), &backup_room_->backups());
        backup_room_->attach_to(*service_);
        service_->attach_slow_log(slow_log_);
        AKIDB_TRY(tier_room_, TierRoom::open({*directory_, doors, foundation_.clock, foundation_.logger,
                                              metrics_, disk_, *backup_room_},
                                             effective_));
        service_->attach(tier_room_->tiers());
        backup_room_->attach(tier_room_->tiers());
        AKIDB_TRY(directory_->start_loading(loader_, tier_room_->asleep()));
        api_->attach_service(*service_);
        grpc_server_->attach_service(*service_);
        lifecycle_.attach(*directory_);  // behind them: whoever is told that it is ready is answered
        return {};
    }

    std::string setup_token() override { return gate_->setup_token(); }

    Health tick() override {
        clock_watch_.tick();
        disk_watch_.tick();
        certificates_.tick();
        if (traces_ != nullptr) {
            traces_->tick();
        }
        const service::Readiness readiness = lifecycle_.readiness();
        grpc_server_->set_serving(readiness.is_ready);
        metrics_.gauge(MetricId::kReady).set(readiness.is_ready ? 1 : 0);
        const uint64_t now = foundation_.clock.monotonic_us();
        if (now >= gauges_due_us_) {
            gauges_due_us_ = now + kGaugesEveryUs;
            engine::MemoryUse use = directory_->export_gauges(metrics_);
            use += tier_room_->memory_use();
            process_gauges_.set(use, metrics_);
            disk_watch_.export_gauges(metrics_);
            directory_->tend(loader_);
            backup_room_->tick(readiness.is_ready);
            tier_room_->tick(readiness.is_ready);
            upgrade_copies_.tick();
            gate_->tick();
            gate_->export_audit(metrics_);
        }
        if (readiness.reason == "log_poisoned") {
            directory_->export_gauges(metrics_);  // for the scrapes that still come before the end
            return Health::kLogPoisoned;
        }
        return Health::kWell;
    }

    bool is_ready() const override { return lifecycle_.readiness().is_ready; }

    void begin_draining() override {
        lifecycle_.begin_draining();
        grpc_server_->set_serving(false);
        metrics_.gauge(MetricId::kReady).set(0);
        rest_server_->begin_draining();
    }

    void stop_accepting() override {
        rest_server_->stop_accepting();
        grpc_server_->stop_accepting();
    }

    bool wait_until_idle(uint32_t timeout_ms) override {
        const uint64_t began_us = foundation_.clock.monotonic_us();
        if (!rest_server_->wait_until_idle(timeout_ms)) {
            return false;
        }
        const uint64_t passed_ms = (foundation_.clock.monotonic_us() - began_us) / 1000;
        return grpc_server_->wait_until_idle(
            passed_ms < timeout_ms ? static_cast<uint32_t>(timeout_ms - passed_ms) : 0);
    }

    void apply(const Effective& effective) override {
        slow_log_.set_limit_ms(number_of<uint64_t>(effective, "logging.slow_query_ms"));
        recall_probe_.set_share(number_of<uint32_t>(effective, "probe.share_permille"));
        if (traces_ != nullptr) {
            traces_->apply(effective);
        }
    }
    void read_certificates_again() override { certificates_.read_again(); }

    Result<void> close(bool checkpoint) override;

  private:
    tracing::Tracer* tracer() const { return traces_ == nullptr ? nullptr : &traces_->tracer(); }

    Foundation foundation_;
    Effective effective_;
    std::string data_;
    std::unique_ptr<io::FileLock> lock_;
    std::unique_ptr<io::Random> random_;
    telemetry::Metrics metrics_;
    std::unique_ptr<TraceRoom> traces_;
    service::MemoryBudget request_memory_;
    storage::DiskSpace disk_;
    engine::ScrubPace scrub_pace_;
    service::Lifecycle lifecycle_;
    io::ThreadPool workers_;
    io::ThreadPool maintenance_;
    io::ThreadPool committer_;
    io::ThreadPool loader_;
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    const std::unique_ptr<io::FileSystem> passing_files_ = io::make_posix_file_system(io::Caching::kPassing);
    io::ThreadPool backup_thread_;
    io::ThreadPool archive_thread_;
    io::ThreadPool probe_thread_;
    engine::RecallProbe recall_probe_;
    service::SlowLog slow_log_{foundation_.logger, foundation_.clock, metrics_};
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<BackupRoom> backup_room_;
    std::unique_ptr<service::Service> service_;
    std::unique_ptr<TierRoom> tier_room_;
    access::TrustedProxies proxies_;
    std::unique_ptr<rest::Api> api_;
    std::unique_ptr<rest::HttpHandler> cors_;
    std::unique_ptr<rest::HttpHandler> probes_;
    Certificates certificates_;
    UpgradeCopies upgrade_copies_;
    std::unique_ptr<rest::HttpServer> rest_server_;
    std::unique_ptr<rest::HttpServer> probe_server_;
    std::unique_ptr<rpc::GrpcServer> grpc_server_;
    ProcessGauges process_gauges_{foundation_.clock};
    ClockWatch clock_watch_{foundation_.clock, foundation_.logger, metrics_};
    DiskWatch disk_watch_{disk_, foundation_.logger};
    uint64_t gauges_due_us_ = 0;
    bool is_closed_ = false;
};

// Requests end first, so that none meets a closed collection; probes answer until the end.
Result<void> Wiring::close(bool checkpoint) {
    if (is_closed_) {
        return {};
    }
    is_closed_ = true;
    if (tier_room_ != nullptr) {
        tier_room_->tiers().stop();  // whoever waits for a collection to open is told
    }
    if (grpc_server_ != nullptr) {
        grpc_server_->stop(kGrpcStopMs);
    }
    if (rest_server_ != nullptr) {
        rest_server_->stop();
    }
    workers_.stop();
    pause_->stop();
    backup_thread_.stop();
    archive_thread_.stop();
    probe_thread_.stop();
    if (tier_room_ != nullptr) {
        tier_room_->stop();
    }
    loader_.stop();
    Result<void> outcome;
    if (directory_ != nullptr) {
        outcome = directory_->close_all(checkpoint);
    }
    maintenance_.stop();
    committer_.stop();
    if (gate_ != nullptr) {
        Result<void> closed = gate_->close();
        if (outcome) {
            outcome = std::move(closed);
        }
    }
    if (tier_room_ != nullptr) {
        Result<void> closed = tier_room_->close();
        if (outcome) {
            outcome = std::move(closed);
        }
    }
    if (catalog_ != nullptr) {
        Result<void> closed = catalog_->close();
        if (outcome) {
            outcome = std::move(closed);
        }
    }
    if (traces_ != nullptr) {
        traces_->close();  // the last checkpoints are told, too
    }
    if (probe_server_ != nullptr) {
        probe_server_->stop();
    }
    return outcome;
}

}  // namespace

Result<std::unique_ptr<io::FileLock>> lock_data_directory(io::FileSystem& files,
                                                          const std::string& data_directory,
                                                          bool only_if_present) {
    const std::string path = data_directory + "/LOCK";
    if (only_if_present && !files.open_read(path)) {
        return std::unique_ptr<io::FileLock>();
    }
    Result<std::unique_ptr<io::FileLock>> lock = files.lock(path);
    if (!lock && lock.error().code() == Code::kConflict) {
        return std::move(lock).error().with_field("storage.data_dir");
    }
    return lock;
}

Result<std::unique_ptr<Server>> Server::start(Foundation foundation, const Effective& effective,
                                              std::unique_ptr<io::FileLock> lock) {
    const std::string& data = effective.text("storage.data_dir");
    if (lock == nullptr) {
        AKIDB_TRY(foundation.files.make_directory(data));
        AKIDB_TRY(lock, lock_data_directory(foundation.files, data, false));
    }
    AKIDB_TRY(make_directories(foundation.files, data));
    auto wiring = std::make_unique<Wiring>(foundation, effective, std::move(lock));
    AKIDB_TRY(wiring->open_ports());
    return std::unique_ptr<Server>(std::move(wiring));
}

}  // namespace akidb::server
