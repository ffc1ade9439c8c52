// Certificates: the files of TLS while the server runs: read at the start, looked at again every ten seconds
// and when told to, taken over when they are whole. What happens is in the log and two metrics.
// Thread-compatible, but for source(), which connections of any thread ask.
#pragma once

#include <memory>

#include "base/logger.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/tls_identity.h"
#include "settings/settings.h"
#include "telemetry/metrics.h"

namespace akidb::server {

class Certificates {
  public:
    Certificates(const io::Clock& clock, Logger& logger, telemetry::Metrics& metrics)
        : clock_(clock), logger_(logger), metrics_(metrics) {}

    /// Without tls.certificate_file there is no TLS, and source() stays null.
    Result<void> open(const settings::Effective& effective);
    const io::TlsSource* source() const { return source_.get(); }
    /// To be called a few times a second.
    void tick();
    void read_again();

  private:
    void tell_expiry();

    const io::Clock& clock_;
    Logger& logger_;
    telemetry::Metrics& metrics_;
    std::unique_ptr<io::TlsSource> source_;
    uint64_t due_us_ = 0;
};

}  // namespace akidb::server
