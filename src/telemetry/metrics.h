// Metrics: every metric of the process, declared once in kMetrics (name, type, unit, labels, sentence); code
// asks for a series by MetricId, and docs/generated/metrics.md and later dashboards come from the same table.
// A metric that nothing sets fails a test. Series references stay valid for the life of Metrics. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace akidb::telemetry {

enum class MetricId : uint8_t {
    kBuildInfo,
    kStartTime,
    kClockJumps,
    kHttpRequestDuration,
    kHttpConnections,
    kHttpRefused,
    kRequestMemory,
    kRpcDuration,
    kTlsCertificateExpiry,
    kTlsReloads,
    kSearchDuration,
    kSearchDistances,
    kSlowSearches,
    kSearchRecall,
    kRecallProbes,
    kDocumentsWritten,
    kDocumentsDeleted,
    kDocumentsExpired,
    kCommitRecords,
    kLogSyncDuration,
    kLogBytes,
    kLogsBytes,
    kLogTornBytes,
    kWritesReplayed,
    kHeadRows,
    kLinkedRows,
    kCheckpointDuration,
    kCheckpoints,
    kRewriteDuration,
    kRewrites,
    kDeadRows,
    kScrubs,
    kScrubBytes,
    kScrubFaults,
    kScrubLastSuccess,
    kCollectionDeleteDuration,
    kCollections,
    kCollectionsQuarantined,
    kCollectionsPoisoned,
    kProcessResidentMemory,
    kMemoryLimit,
    kMemory,
    kProcessOpenFds,
    kProcessMaxFds,
    kDiskFree,
    kDiskSoftFree,
    kDiskHardFree,
    kDiskFullRefused,
    kBallastBytes,
    kAuthAttempts,
    kAuthFailures,
    kAuthDenied,
    kQuotaRefused,
    kPasswordsWaiting,
    kPasswordHashDuration,
    kPasswordsRefused,
    kLoginChallenges,
    kApiKeys,
    kApiKeysUsed,
    kSessions,
    kAuditEntries,
    kAuditFailures,
    kAuditOmitted,
    kAuditCheckpoint,
    kBackups,
    kBackupLastSuccess,
    kBackupLastDuration,
    kBackupLastVerifiedRestore,
    kBackupBytes,
    kBackupDrills,
    kBackupDrillLastDuration,
    kLogArchiveLag,
    kLogArchiveRounds,
    kLogArchiveBytes,
    kLogArchiveGaps,
    kS3Requests,
    kS3RequestDuration,
    kS3Retries,
    kS3Bytes,
    kS3BreakerState,
    kTierCollections,
    kTierCachedBytes,
    kTierCacheLimit,
    kTierOpenings,
    kTierOpeningDuration,
    kColdSearches,
    kColdSearchDuration,
    kColdRoundTrips,
    kColdReadBytes,
    kColdMemoryLimit,
    kUploads,
    kUploadedBytes,
    kUploadsPending,
    kUploadsPendingBytes,
    kUploadsOldest,
    kDeadLetters,
    kTraceSpans,
    kReady,
};

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

struct MetricRow {
    MetricId id;
    MetricType type;
    std::string_view name;    // akidb_…, base units
    std::string_view labels;  // by commas, values bounded; "a=x/y": x and y from the start
    std::string_view help;
};

std::span<const MetricRow> metric_table();
/// docs/generated/metrics.md.
std::string generate_metrics_markdown();

class Counter {
  public:
    virtual ~Counter() = default;
    virtual void add(double amount = 1) = 0;
};
class Gauge {
  public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
    virtual void add(double amount) = 0;
};
class Histogram {
  public:
    virtual ~Histogram() = default;
    virtual void observe(double value) = 0;
};

class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// The series with these label values, made on first use; as many values as the row has labels.
    Counter& counter(MetricId id, std::initializer_list<std::string_view> label_values = {});
    Gauge& gauge(MetricId id, std::initializer_list<std::string_view> label_values = {});
    Histogram& histogram(MetricId id, std::initializer_list<std::string_view> label_values = {});
    /// Drops the series with these label values (a deleted collection); references to it must be gone.
    void remove(MetricId id, std::initializer_list<std::string_view> label_values);
    /// Prometheus text format 0.0.4.
    std::string expose() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::telemetry
