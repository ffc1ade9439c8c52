#include "server/certificates.h"

#include <utility>

#include "server/startup_checks.h"

namespace akidb::server {
namespace {

using telemetry::MetricId;

constexpr uint64_t kEveryUs = 10'000'000;

}  // namespace

/// The files were checked before the start, but may have changed since.
Result<void> Certificates::open(const settings::Effective& effective) {
    metrics_.gauge(MetricId::kTlsCertificateExpiry).set(0);
    if (effective.text("tls.certificate_file").empty()) {
        return {};
    }
    const io::TlsFiles files = tls_files(effective);
    io::TlsCheck check = io::check_tls_files(files, clock_.unix_ms());
    if (check.identity == nullptr) {
        return invalid_argument("tls.certificate_file", "TLS cannot be set up: " + check.faults.front().why);
    }
    source_ = std::make_unique<io::TlsSource>(files, std::move(check.identity));
    due_us_ = clock_.monotonic_us() + kEveryUs;
    tell_expiry();
    return {};
}

void Certificates::tick() {
    if (source_ != nullptr && clock_.monotonic_us() >= due_us_) {
        read_again();
    }
}

void Certificates::read_again() {
    if (source_ == nullptr) {
        return;
    }
    due_us_ = clock_.monotonic_us() + kEveryUs;
    const io::TlsSource::Outcome outcome = source_->reload(clock_.unix_ms());
    if (outcome.reload == io::TlsSource::Reload::kTaken) {
        metrics_.counter(MetricId::kTlsReloads, {"ok"}).add();
        tell_expiry();
        logger_.log(LogLevel::kInfo, "new certificate in use",
                    {{"expires_unix_s", std::to_string(source_->current()->not_after_s)}});
    } else if (outcome.reload == io::TlsSource::Reload::kRefused) {
        metrics_.counter(MetricId::kTlsReloads, {"failed"}).add();
        logger_.log(LogLevel::kError, "the certificate files changed and cannot be used; the old go on",
                    {{"why", outcome.why}});
    }
}

void Certificates::tell_expiry() {
    metrics_.gauge(MetricId::kTlsCertificateExpiry).set(static_cast<double>(source_->current()->not_after_s));
}

}  // namespace akidb::server
