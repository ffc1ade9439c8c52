// Server: every object of a running server, made in one place in the order in which each needs the others,
// and taken down the other way round. Ports are open at return of start(), before the catalog is read;
// readiness says 503 until every collection is loaded. Times are milliseconds. Errors of start: kConflict on
// field "storage.data_dir" when another process holds the data directory (nothing was touched then), on field
// "port" when a port was taken meanwhile; others as file system and catalog give them. Thread-compatible: one
// thread, the one of main.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "server/spdlog_logger.h"
#include "settings/settings.h"
#include "simd/kernels.h"

namespace akidb::server {

/// What is there before the data directory is touched.
struct Foundation {
    io::FileSystem& files;
    io::Clock& clock;
    AdjustableLogger& logger;
    const simd::Kernels& kernels;
};

/// DATA/LOCK. `only_if_present` makes nothing: null when there is no lock file yet.
Result<std::unique_ptr<io::FileLock>> lock_data_directory(io::FileSystem& files,
                                                          const std::string& data_directory,
                                                          bool only_if_present);

enum class Health : uint8_t { kWell, kLogPoisoned };

class Server {
  public:
    /// Makes the data directory and takes its lock, unless `lock` has it already; opens the ports.
    static Result<std::unique_ptr<Server>> start(Foundation foundation, const settings::Effective& effective,
                                                 std::unique_ptr<io::FileLock> lock);
    virtual ~Server() = default;

    /// "rest=http://… grpc=… metrics=http://… data=…"
    virtual std::string endpoints() const = 0;
    /// "http://…:…": where the probes are answered.
    virtual std::string probes_url() const = 0;
    /// Reads the catalog and starts loading collections in the background.
    virtual Result<void> load() = 0;
    /// Once loaded: what makes the first user; empty when there is one, or nobody is asked who he is.
    virtual std::string setup_token() = 0;

    /// To be called a few times a second: readiness to gRPC, gauges of the process.
    virtual Health tick() = 0;

    /// Whether /ready answers 200.
    virtual bool is_ready() const = 0;

    /// Takes over those settings that may change while the server runs.
    virtual void apply(const settings::Effective& effective) = 0;

    /// Takes changed certificate files into use, or says why not; also a part of tick().
    virtual void read_certificates_again() = 0;

    /// Readiness 503 at once; answers carry `Connection: close`.
    virtual void begin_draining() = 0;
    virtual void stop_accepting() = 0;
    virtual bool wait_until_idle(uint32_t timeout_ms) = 0;
    /// Ends background work and closes collections and catalog; `checkpoint` saves the next start some work.
    /// Idempotent.
    virtual Result<void> close(bool checkpoint) = 0;
};

}  // namespace akidb::server
