#include <iterator>

#include "base/assert.h"
#include "telemetry/metrics.h"

namespace akidb::telemetry {
namespace {

using enum MetricId;
using enum MetricType;

// In the order of MetricId: row_of() indexes by it.
constexpr MetricRow kMetrics[] = {
    {kBuildInfo, kGauge, "akidb_build_info", "version",
     "Always 1; the version of the running binary is its label."},
    {kStartTime, kGauge, "akidb_start_time_seconds", "", "When the process started, in seconds since 1970."},
    {kClockJumps, kCounter, "akidb_clock_jumps_total", "direction=forward/back",
     "Times that the wall clock jumped by ten seconds or more beside the clock that only runs."},
    {kHttpRequestDuration, kHistogram, "akidb_http_request_duration_seconds", "method,route,code",
     "Time from the first byte of a request to the last byte of its answer, by method, route template and "
     "status."},
    {kHttpConnections, kGauge, "akidb_http_connections", "", "HTTP connections open now."},
    {kHttpRefused, kCounter, "akidb_http_refused_total",
     "reason=connections/connections_per_address/memory/timeout/tls_handshake",
     "Connections and requests turned away before any work was done for them."},
    {kRequestMemory, kGauge, "akidb_http_request_memory_bytes", "",
     "Memory reserved for the bodies and parsed forms of requests in flight, those of gRPC included; what "
     "does not fit is refused "
     "with "
     "429 and counts in akidb_http_refused_total with reason memory."},
    {kRpcDuration, kHistogram, "akidb_rpc_duration_seconds", "method,code",
     "Time from the first message of a gRPC call to its status, by service and method, and status."},
    {kTlsCertificateExpiry, kGauge, "akidb_tls_certificate_expiry_timestamp_seconds", "",
     "When the certificate in use expires, in seconds since 1970; 0 without TLS."},
    {kTlsReloads, kCounter, "akidb_tls_reloads_total", "outcome=ok/failed",
     "Changes of the certificate files that were taken over (ok) or were not usable and left the old ones in "
     "use (failed)."},
    {kSearchDuration, kHistogram, "akidb_search_duration_seconds", "kind",
     "Time inside one search, without HTTP, by plan: graph, flat or exact; under a filter also brute, codes, "
     "inline or two_hop."},
    {kSearchDistances, kCounter, "akidb_search_distances_total", "", "Distances computed by searches."},
    {kSlowSearches, kCounter, "akidb_slow_searches_total", "",
     "Searches that took longer than logging.slow_query_ms, those that the log left out among them; none "
     "while that is 0."},
    {kSearchRecall, kGauge, "akidb_search_recall_ratio", "collection,filter",
     "Of what the last searches by a graph should have found, the share that they found: of up to 100 that "
     "were answered again exactly (probe.share_permille) within an hour, by filter: none, broad (a tenth of "
     "the documents match, or more) or narrow; absent below ten of them."},
    {kRecallProbes, kCounter, "akidb_recall_probes_total", "outcome=done/skipped",
     "Searches chosen to be answered again exactly: done, or skipped because the last one's share of the "
     "processor is not used up."},
    {kDocumentsWritten, kCounter, "akidb_documents_written_total", "",
     "Documents upserted and acknowledged."},
    {kDocumentsDeleted, kCounter, "akidb_documents_deleted_total", "", "Documents deleted and acknowledged."},
    {kDocumentsExpired, kCounter, "akidb_documents_expired_total", "",
     "Documents that the sweep deleted because their expires_at had passed."},
    {kCommitRecords, kHistogram, "akidb_commit_batch_records", "",
     "Log records made durable together by one sync of the write-ahead log."},
    {kLogSyncDuration, kHistogram, "akidb_wal_sync_duration_seconds", "",
     "Time of one sync of a write-ahead log; a rise here is a slow disk."},
    {kLogBytes, kGauge, "akidb_wal_bytes", "collection",
     "Bytes of write-ahead log that a start would have to replay."},
    {kLogsBytes, kGauge, "akidb_wal_all_bytes", "",
     "Bytes of the write-ahead logs of all collections together, also of those beyond the 200 that have "
     "series of their own."},
    {kLogTornBytes, kCounter, "akidb_wal_torn_bytes_total", "",
     "Bytes cut off the end of logs at start: writes that a crash interrupted and nobody was told had "
     "succeeded."},
    {kWritesReplayed, kCounter, "akidb_writes_replayed_total", "",
     "Writes whose Idempotency-Key was seen in the last 24 hours: answered as the first time, and not "
     "applied "
     "again."},
    {kHeadRows, kGauge, "akidb_head_rows", "collection",
     "Rows not yet linked into the graph; searched one by one."},
    {kLinkedRows, kGauge, "akidb_linked_rows", "collection", "Rows linked into the graph."},
    {kCheckpointDuration, kHistogram, "akidb_checkpoint_duration_seconds", "",
     "Time of one checkpoint: segments and manifest written and synced."},
    {kCheckpoints, kCounter, "akidb_checkpoints_total", "outcome=ok/failed",
     "Checkpoints ended: ok or failed."},
    {kRewriteDuration, kHistogram, "akidb_rewrite_duration_seconds", "",
     "Time of one rewrite of a collection without its deleted documents, from its first slice to its "
     "checkpoint."},
    {kRewrites, kCounter, "akidb_rewrites_total", "outcome=ok/failed", "Rewrites ended: ok or failed."},
    {kDeadRows, kGauge, "akidb_dead_rows", "collection",
     "Rows deleted or overwritten that still take their place until the next rewrite."},
    {kScrubs, kCounter, "akidb_scrubs_total", "outcome=ok/failed",
     "Scrubs ended: ok, or failed: damage was found, or the disk could not be read."},
    {kScrubBytes, kCounter, "akidb_scrub_bytes_total", "",
     "Bytes of segment files that scrubs read from the disk and found right."},
    {kScrubFaults, kCounter, "akidb_scrub_faults_total", "where=file/read/memory",
     "What scrubs found wrong: in a file, in what the disk would not read, or in memory (what the audit "
     "compares); above 0 a person has to look at the log."},
    {kScrubLastSuccess, kGauge, "akidb_scrub_last_success_timestamp_seconds", "collection",
     "When all files of the collection were last read and found right, by a scrub or a start, in seconds "
     "since "
     "1970; absent before."},
    {kCollectionDeleteDuration, kHistogram, "akidb_collection_delete_duration_seconds", "",
     "Time until the deletion of a collection was durable and it was gone for everybody, without the removal "
     "of its files."},
    {kCollections, kGauge, "akidb_collections", "", "Collections in service."},
    {kCollectionsQuarantined, kGauge, "akidb_collections_quarantined", "",
     "Collections out of service because a file of theirs is damaged; above 0 a person has to act."},
    {kCollectionsPoisoned, kGauge, "akidb_collections_poisoned", "",
     "Collections that refuse writes until a restart because a sync failed; above 0 a person has to act."},
    {kProcessResidentMemory, kGauge, "process_resident_memory_bytes", "", "Resident memory of the process."},
    {kMemoryLimit, kGauge, "akidb_memory_limit_bytes", "",
     "What the process may have at most: the machine's memory, or its control groups' limit when that is "
     "less."},
    {kMemory, kGauge, "akidb_memory_bytes", "component",
     "Resident memory by what it is for; what the components are docs/monitoring.md says."},
    {kProcessOpenFds, kGauge, "process_open_fds", "", "File descriptors open now."},
    {kProcessMaxFds, kGauge, "process_max_fds", "", "File descriptors that the process may open."},
    {kDiskFree, kGauge, "akidb_disk_free_bytes", "",
     "Bytes free for us on the file system of the data directory."},
    {kDiskSoftFree, kGauge, "akidb_disk_soft_free_bytes", "",
     "The soft mark: with less free than this, readiness tells disk_low."},
    {kDiskHardFree, kGauge, "akidb_disk_hard_free_bytes", "",
     "The hard mark: with less free than this, upserts are answered 507."},
    {kDiskFullRefused, kCounter, "akidb_disk_full_refused_total", "",
     "Writes answered 507 because the disk is full."},
    {kBallastBytes, kGauge, "akidb_ballast_bytes", "",
     "Bytes of the ballast file in place; 0 while it is given up for deletes on a full disk, or there is "
     "none."},
    {kAuthAttempts, kCounter, "akidb_auth_attempts_total", "kind=key/session/password/setup/none",
     "Requests that had to say who asks, by what they showed: key, session, password, setup or none."},
    {kAuthFailures, kCounter, "akidb_auth_failures_total",
     "reason=none/malformed/unknown/expired/revoked/inactive/suspended/password/setup",
     "Those answered 401: none, malformed, unknown, expired, revoked, inactive, suspended, password or "
     "setup."},
    {kAuthDenied, kCounter, "akidb_auth_denied_total", "action",
     "Requests answered 403, by the action that was missing; scope: a collection, tenant or row rule stood "
     "against it; csrf: a cookie without its page's token."},
    {kQuotaRefused, kCounter, "akidb_quota_refused_total", "quota=tenant/key",
     "Requests answered 429 by a quota of requests a second: of the tenant or of the key."},
    {kPasswordsWaiting, kGauge, "akidb_passwords_waiting", "",
     "Passwords that wait for a thread to hash them: at most 12, and 16 with those of known devices."},
    {kPasswordHashDuration, kHistogram, "akidb_password_hash_duration_seconds", "",
     "Time of one Argon2id hash of a password, without the wait for it."},
    {kPasswordsRefused, kCounter, "akidb_passwords_refused_total", "",
     "Logins, set-ups and changes of a password answered 503 because too many passwords waited."},
    {kLoginChallenges, kCounter, "akidb_login_challenges_total", "outcome=issued/solved/refused",
     "Proofs of work for logins: issued, and of those that came back solved, or refused: wrong, late, used "
     "or another's."},
    {kApiKeys, kGauge, "akidb_api_keys", "state=active/expired/revoked",
     "API keys by whether they still open something: active, expired or revoked; counted each minute."},
    {kApiKeysUsed, kGauge, "akidb_api_keys_used", "",
     "API keys that somebody showed within the last 24 hours; counted each minute."},
    {kSessions, kGauge, "akidb_sessions", "", "Sessions of users who are logged in; counted each minute."},
    {kAuditEntries, kGauge, "akidb_audit_entries", "", "Entries that the audit log has had, ever."},
    {kAuditFailures, kCounter, "akidb_audit_failures_total", "",
     "Failures to write the audit log; while it cannot be written, administrative actions are refused."},
    {kAuditOmitted, kCounter, "akidb_audit_omitted_total", "",
     "Denials counted in the audit log but not written one by one, as there were more than ten a second."},
    {kAuditCheckpoint, kGauge, "akidb_audit_checkpoint_timestamp_seconds", "",
     "When the audit log was last signed, in seconds since 1970; 0 before."},
    {kBackups, kCounter, "akidb_backups_total", "outcome=ok/failed",
     "Backups that ended: ok or failed; not those that the end of the server cut short."},
    {kBackupLastSuccess, kGauge, "akidb_backup_last_success_timestamp_seconds", "",
     "When the last backup that this server made was complete, in seconds since 1970; with backup.to also "
     "one that an earlier process made there; 0 before."},
    {kBackupLastDuration, kGauge, "akidb_backup_last_duration_seconds", "",
     "How long the last complete backup of this process took; 0 before."},
    {kBackupLastVerifiedRestore, kGauge, "akidb_backup_last_verified_restore_timestamp_seconds", "",
     "When a backup where this server last made one was last restored for practice (by the server itself, or "
     "akidb backup verify --level 3), in seconds since 1970, as known at the end of that backup; 0 before."},
    {kBackupBytes, kCounter, "akidb_backup_bytes_total", "",
     "Bytes that backups sent: of what was not there yet."},
    {kBackupDrills, kCounter, "akidb_backup_drills_total", "outcome=ok/failed",
     "Restores for practice that this server made by itself: ok, or failed: the backup is not whole, or it "
     "could not be found out."},
    {kBackupDrillLastDuration, kGauge, "akidb_backup_drill_last_duration_seconds", "",
     "How long the last restore for practice took that ended ok: about what a restore of everything takes; 0 "
     "before."},
    {kLogArchiveLag, kGauge, "akidb_log_archive_lag_seconds", "",
     "Age of the writes that the loss of the data directory would cost now: since when not all of the log is "
     "archived in backup.to. 0 when it is not archived at all."},
    {kLogArchiveRounds, kCounter, "akidb_log_archive_rounds_total", "outcome=ok/failed",
     "Times that what the log had new was archived: ok, or failed: not all of it was, and it is tried "
     "again."},
    {kLogArchiveBytes, kCounter, "akidb_log_archive_bytes_total", "",
     "Bytes of the log, and of copies of the catalog, that were archived."},
    {kLogArchiveGaps, kCounter, "akidb_log_archive_gaps_total", "",
     "Times that writes of a collection left the log before they were archived: no point between them and "
     "the "
     "next backup can be restored."},
    {kS3Requests, kCounter, "akidb_s3_requests_total", "operation,outcome",
     "Requests to S3, each try counted, by operation (put, put_file, get, get_range, head, list, remove) and "
     "outcome: ok; refused: the server said no; failed: no answer, one of 500 and above, or wrong bytes."},
    {kS3RequestDuration, kHistogram, "akidb_s3_request_duration_seconds", "",
     "Time of one request to S3; of a large file, of all its parts together."},
    {kS3Retries, kCounter, "akidb_s3_retries_total", "", "Requests to S3 that were tried again."},
    {kS3Bytes, kCounter, "akidb_s3_bytes_total", "direction=sent/received",
     "Bytes of objects that requests to S3 sent and received."},
    {kS3BreakerState, kGauge, "akidb_s3_breaker_state", "",
     "0: S3 is asked. 2: it failed too often and is left alone for a while. 1: it is being tried again."},
    {kTierCollections, kGauge, "akidb_tier_collections", "tier=hot/warm/cold",
     "Collections by tier: hot (open), warm (closed, on the local disk), cold (in the object store alone)."},
    {kTierCachedBytes, kGauge, "akidb_tier_cached_bytes", "",
     "Bytes on the local disk of collections of the policy s3_only."},
    {kTierCacheLimit, kGauge, "akidb_tier_cache_limit_bytes", "",
     "What nothing is fetched beyond, and no write taken: the setting tiers.cache_bytes."},
    {kTierOpenings, kCounter, "akidb_tier_openings_total", "outcome=ok/failed",
     "Openings of collections that were warm or cold: ok or failed."},
    {kTierOpeningDuration, kHistogram, "akidb_tier_opening_duration_seconds", "",
     "Time from the beginning of such an opening until the collection served."},
    {kColdSearches, kCounter, "akidb_cold_searches_total", "outcome=ok/opened/failed",
     "Searches of cold collections: answered by ranges of the object store (ok), by opening the collection, "
     "as "
     "that gave no answer (opened), or too late (failed). What must open it, as filters, is not among them."},
    {kColdSearchDuration, kHistogram, "akidb_cold_search_duration_seconds", "",
     "Time of searches that ranges of the object store answered."},
    {kColdRoundTrips, kCounter, "akidb_cold_round_trips_total", "",
     "Round trips to the object store of such searches; the ranges of one are asked for at once."},
    {kColdReadBytes, kCounter, "akidb_cold_read_bytes_total", "", "Bytes that such searches read there."},
    {kColdMemoryLimit, kGauge, "akidb_cold_memory_limit_bytes", "",
     "What codes of cold collections may take in memory: the setting tiers.cold_memory_bytes. What they take "
     "is akidb_memory_bytes of the component cold_codes."},
    {kUploads, kCounter, "akidb_uploads_total", "outcome=ok/failed",
     "Tries to bring what is queued to the object store, or to remove it there: ok or failed."},
    {kUploadedBytes, kCounter, "akidb_uploaded_bytes_total", "",
     "Bytes of collections sent to the object store, and verified there."},
    {kUploadsPending, kGauge, "akidb_uploads_pending", "",
     "Uploads and removals that the object store still owes, without dead letters."},
    {kUploadsPendingBytes, kGauge, "akidb_uploads_pending_bytes", "",
     "About so many bytes the collections have that wait to be uploaded."},
    {kUploadsOldest, kGauge, "akidb_uploads_oldest_seconds", "",
     "Since when the oldest of those waits; 0 when none does."},
    {kDeadLetters, kGauge, "akidb_dead_letters", "",
     "Uploads and removals that failed too often and wait for somebody to retry or drop them."},
    {kTraceSpans, kCounter, "akidb_trace_spans_total", "result=exported/dropped/failed",
     "Spans of recorded traces: exported; dropped, as more waited than traces.queue_spans, or the server "
     "stopped; failed: the collector refused them, or could not be reached five times."},
    {kReady, kGauge, "akidb_ready", "", "1 while the server answers requests, 0 while it loads or drains."},
};

constexpr bool is_in_order_of_ids() {
    for (size_t i = 0; i < std::size(kMetrics); ++i) {
        if (static_cast<size_t>(kMetrics[i].id) != i) {
            return false;
        }
    }
    return static_cast<size_t>(kReady) + 1 == std::size(kMetrics);
}
static_assert(is_in_order_of_ids());

std::string_view name_of(MetricType type) {
    switch (type) {
        case kCounter:
            return "counter";
        case kGauge:
            return "gauge";
        case kHistogram:
            return "histogram";
    }
    AKIDB_ASSERT(false);
}

}  // namespace

std::span<const MetricRow> metric_table() {
    return kMetrics;
}

std::string generate_metrics_markdown() {
    std::string page =
        "# Metrics\n\n"
        "Made from the table in `src/telemetry/metric_table.cc`; change that, then run "
        "`AKIDB_UPDATE_DOCS=1 telemetry_test`.\n\n"
        "`GET /metrics` answers in the Prometheus text format 0.0.4. A metric holds at most 200 combinations "
        "of label\n"
        "values (gauges of a collection and one more label: 600); counters and histograms sum what is beyond "
        "them under the value `other`, gauges leave it "
        "out.\n\n"
        "| Name | Type | Labels | Meaning |\n|---|---|---|---|\n";
    for (const MetricRow& row : kMetrics) {
        page.append("| `").append(row.name).append("` | ").append(name_of(row.type)).append(" | ");
        page.append(row.labels.empty() ? "–" : row.labels.substr(0, row.labels.find('=')))
            .append(" | ")
            .append(row.help)
            .append(" |\n");
    }
    return page;
}

}  // namespace akidb::telemetry
