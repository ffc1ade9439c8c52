#!/usr/bin/env python3
"""Writes deploy/grafana/*.json, the dashboards, from the table below; with --check tells which are not as it would write them.

Each query is run against a live server in tests/drills/dashboards.sh, and has to return data.
"""
import json
import pathlib
import sys

OF = '{job="akidb",instance=~"$instance"}'


def rate(name, by, *labels):
    """Of a counter, a second, summed over everything but `by`."""
    of = OF[:-1] + "".join("," + label for label in labels) + "}"
    return f"sum by ({by}) (rate({name}{of}[$__rate_interval]))"


def quantile(q, name, by="instance", *labels):
    return f"histogram_quantile({q}, {rate(name + '_bucket', by + ', le', *labels)})"


def mean(name, by="instance"):
    return f"{rate(name + '_sum', by)} / ({rate(name + '_count', by)} > 0)"


def now(name, *labels):
    return name + OF[:-1] + "".join("," + label for label in labels) + "}"


HTTP, RPC, SEARCH = "akidb_http_request_duration_seconds", "akidb_rpc_duration_seconds", "akidb_search_duration_seconds"
FAULTS = 'code=~"5.."'
RPC_FAULTS = 'code=~"INTERNAL|UNAVAILABLE|DATA_LOSS|UNKNOWN"'

# dashboard: [(title, unit, [(query, legend)])]
DASHBOARDS = {
    "overview": [
        ("Ready", "none", [(now("akidb_ready"), "{{instance}}")]),
        ("Collections", "none", [(now("akidb_collections"), "in service"), (now("akidb_collections_quarantined"), "quarantined"),
                                 (now("akidb_collections_poisoned"), "poisoned")]),
        ("Rows", "short", [(f"sum(akidb_linked_rows{OF}) + sum(akidb_head_rows{OF})", "rows"),
                           (f"sum(akidb_dead_rows{OF})", "of them dead")]),
        ("Requests a second", "reqps", [(rate(HTTP + "_count", "instance"), "REST"), (rate(RPC + "_count", "instance"), "gRPC")]),
        ("Share of requests that end in a fault", "percentunit", [("akidb:faults:ratio_rate5m" + OF, "{{instance}}")]),
        ("Searches, without network", "s", [(quantile(q, SEARCH), f"P{int(q * 100)}") for q in (0.5, 0.95, 0.99)]),
        ("Documents written and deleted", "wps", [(rate("akidb_documents_written_total", "instance"), "written"),
                                                  (rate("akidb_documents_deleted_total", "instance"), "deleted")]),
        ("Memory", "bytes", [(now("process_resident_memory_bytes"), "resident"), (now("akidb_memory_limit_bytes"), "limit")]),
        ("Memory, by what it is for", "bytes", [(now("akidb_memory_bytes"), "{{component}}")]),
        ("Disk", "bytes", [(now("akidb_disk_free_bytes"), "free"), (now("akidb_disk_soft_free_bytes"), "soft mark"),
                           (now("akidb_disk_hard_free_bytes"), "hard mark")]),
        ("Files and connections", "none", [(now("process_open_fds"), "open"), (now("akidb_http_connections"), "connections")]),
        ("Running since", "dateTimeFromNow", [(f"akidb_start_time_seconds{OF} * 1000", "{{instance}}")]),
        ("Jumps of the clock", "none", [(now("akidb_clock_jumps_total"), "{{direction}}")]),
        ("Version", "none", [(now("akidb_build_info"), "{{version}}")]),
    ],
    "performance": [
        ("Searches a second, by plan", "reqps", [(rate(SEARCH + "_count", "kind"), "{{kind}}")]),
        ("P95 of searches, by plan", "s", [(quantile(0.95, SEARCH, "kind"), "{{kind}}")]),
        ("Distances a search", "short", [(f"{rate('akidb_search_distances_total', 'instance')} / ({rate(SEARCH + '_count', 'instance')} > 0)",
                                          "mean")]),
        ("Recall of searches by a graph", "percentunit", [(now("akidb_search_recall_ratio"), "{{collection}}, filter {{filter}}")]),
        ("Searches answered again, to measure recall", "reqps", [(rate("akidb_recall_probes_total", "outcome"), "{{outcome}}")]),
        ("Slow searches", "reqps", [(rate("akidb_slow_searches_total", "instance"), "{{instance}}")]),
        ("P95 of REST, by route", "s", [(quantile(0.95, HTTP, "method, route"), "{{method}} {{route}}")]),
        ("P95 of gRPC, by method", "s", [(quantile(0.95, RPC, "method"), "{{method}}")]),
        ("Requests by route", "reqps", [(rate(HTTP + "_count", "method, route"), "{{method}} {{route}}")]),
        ("Waiting for the graph", "short", [(now("akidb_head_rows"), "{{collection}}")]),
        ("Writes that share a sync", "short", [(mean("akidb_commit_batch_records"), "mean")]),
        ("Sync of the log", "s", [(quantile(q, "akidb_wal_sync_duration_seconds"), f"P{int(q * 100)}") for q in (0.5, 0.99)]),
        ("Memory of requests in flight", "bytes", [(now("akidb_http_request_memory_bytes"), "reserved")]),
    ],
    "storage": [
        ("Write-ahead logs", "bytes", [(now("akidb_wal_bytes"), "{{collection}}"), (now("akidb_wal_all_bytes"), "all")]),
        ("Rows in graphs", "short", [(now("akidb_linked_rows"), "{{collection}}")]),
        ("Dead rows", "short", [(now("akidb_dead_rows"), "{{collection}}")]),
        ("Checkpoints", "short", [(f"increase(akidb_checkpoints_total{OF}[$__rate_interval])", "{{outcome}}")]),
        ("Time of a checkpoint", "s", [(mean("akidb_checkpoint_duration_seconds"), "mean")]),
        ("Rewrites", "short", [(f"increase(akidb_rewrites_total{OF}[$__rate_interval])", "{{outcome}}")]),
        ("Time of a rewrite", "s", [(mean("akidb_rewrite_duration_seconds"), "mean")]),
        ("Scrubs", "short", [(f"increase(akidb_scrubs_total{OF}[$__rate_interval])", "{{outcome}}")]),
        ("Read by scrubs", "Bps", [(rate("akidb_scrub_bytes_total", "instance"), "{{instance}}")]),
        ("Damage found", "none", [(now("akidb_scrub_faults_total"), "{{where}}")]),
        ("Since the last good scrub", "s", [(f"time() - akidb_scrub_last_success_timestamp_seconds{OF}", "{{collection}}")]),
        ("Disk", "bytes", [(now("akidb_disk_free_bytes"), "free"), (now("akidb_disk_soft_free_bytes"), "soft mark"),
                           (now("akidb_disk_hard_free_bytes"), "hard mark"), (now("akidb_ballast_bytes"), "ballast")]),
        ("Out of service, or without writes", "none", [(now("akidb_collections_quarantined"), "quarantined"),
                                                       (now("akidb_collections_poisoned"), "poisoned")]),
        ("Time to delete a collection", "s", [(quantile(0.95, "akidb_collection_delete_duration_seconds"), "P95")]),
        ("Expired documents swept", "wps", [(rate("akidb_documents_expired_total", "instance"), "{{instance}}")]),
        ("Since the last backup", "s", [(f"time() - (akidb_backup_last_success_timestamp_seconds{OF} > 0)", "{{instance}}")]),
        ("Since a backup was restored for practice", "s", [(f"time() - (akidb_backup_last_verified_restore_timestamp_seconds{OF} > 0)", "{{instance}}")]),
        ("Backups", "none", [(now("akidb_backups_total"), "{{outcome}}")]),
        ("Sent by backups", "bytes", [(now("akidb_backup_bytes_total"), "{{instance}}")]),
        ("Restores for practice", "none", [(now("akidb_backup_drills_total"), "{{outcome}}")]),
        ("Time of the last", "s", [(now("akidb_backup_last_duration_seconds"), "backup"),
                                   (now("akidb_backup_drill_last_duration_seconds"), "restore for practice")]),
        ("Writes that are not archived yet", "s", [(now("akidb_log_archive_lag_seconds"), "{{instance}}")]),
        ("Archived of the log", "none", [(now("akidb_log_archive_rounds_total"), "{{outcome}}"),
                                         (now("akidb_log_archive_gaps_total"), "gaps")]),
        ("Sent to the archive", "bytes", [(now("akidb_log_archive_bytes_total"), "{{instance}}")]),
        ("Requests to S3", "reqps", [(rate("akidb_s3_requests_total", "operation, outcome"), "{{operation}} {{outcome}}")]),
        ("Sent to S3 and received", "Bps", [(rate("akidb_s3_bytes_total", "direction"), "{{direction}}")]),
        ("S3 was asked again", "reqps", [(rate("akidb_s3_retries_total", "instance"), "{{instance}}")]),
        ("Breaker of S3: 2 is open", "none", [(now("akidb_s3_breaker_state"), "{{instance}}")]),
        ("Collections by tier", "none", [(now("akidb_tier_collections"), "{{tier}}")]),
        ("Of s3_only on the local disk", "bytes", [(now("akidb_tier_cached_bytes"), "here"), (now("akidb_tier_cache_limit_bytes"), "limit")]),
        ("Openings of what was warm or cold", "none", [(now("akidb_tier_openings_total"), "{{outcome}}")]),
        ("Searches of what is cold", "reqps", [(rate("akidb_cold_searches_total", "outcome"), "{{outcome}}")]),
        ("Time spent on them, a second", "s", [(rate("akidb_cold_search_duration_seconds_sum", "instance"), "{{instance}}")]),
        ("Read for them", "Bps", [(rate("akidb_cold_read_bytes_total", "instance"), "{{instance}}")]),
        ("Round trips for them", "reqps", [(rate("akidb_cold_round_trips_total", "instance"), "{{instance}}")]),
        ("Codes of what is cold, in memory", "bytes", [(now('akidb_memory_bytes', 'component="cold_codes"'), "here"), (now("akidb_cold_memory_limit_bytes"), "limit")]),
        ("Owed to the object store", "none", [(now("akidb_uploads_pending"), "pending"), (now("akidb_dead_letters"), "dead letters")]),
        ("Of it, bytes to send", "bytes", [(now("akidb_uploads_pending_bytes"), "{{instance}}")]),
        ("Since the oldest of it waits", "s", [(now("akidb_uploads_oldest_seconds"), "{{instance}}")]),
        ("Tries", "none", [(now("akidb_uploads_total"), "{{outcome}}")]),
        ("Sent to the object store", "bytes", [(now("akidb_uploaded_bytes_total"), "{{instance}}")]),
        ("Cut off at starts", "bytes", [(now("akidb_wal_torn_bytes_total"), "{{instance}}")]),
        ("Writes answered from memory of their key", "wps", [(rate("akidb_writes_replayed_total", "instance"), "{{instance}}")]),
    ],
    "access": [
        ("Requests that said who asks", "reqps", [(rate("akidb_auth_attempts_total", "kind"), "{{kind}}")]),
        ("Answered 401, by reason", "reqps", [(rate("akidb_auth_failures_total", "reason"), "{{reason}}")]),
        ("Answered 403, by action", "reqps", [(rate("akidb_auth_denied_total", "action"), "{{action}}")]),
        ("Refused by quotas", "reqps", [(rate("akidb_quota_refused_total", "quota"), "{{quota}}")]),
        ("Logins", "s", [(quantile(q, HTTP, "instance", 'route="/api/v1/auth/login"'), f"P{int(q * 100)}") for q in (0.5, 0.95)]),
        ("Passwords waiting for their hash", "none", [(now("akidb_passwords_waiting"), "{{instance}}")]),
        ("Time of a hash", "s", [(mean("akidb_password_hash_duration_seconds"), "mean")]),
        ("Refused, as too many waited", "reqps", [(rate("akidb_passwords_refused_total", "instance"), "{{instance}}")]),
        ("Proofs of work", "reqps", [(rate("akidb_login_challenges_total", "outcome"), "{{outcome}}")]),
        ("Keys", "none", [(now("akidb_api_keys"), "{{state}}"), (now("akidb_api_keys_used"), "used within a day")]),
        ("Sessions", "none", [(now("akidb_sessions"), "{{instance}}")]),
        ("Audit log", "none", [(now("akidb_audit_entries"), "entries"), (now("akidb_audit_failures_total"), "failures"),
                               (now("akidb_audit_omitted_total"), "counted, not written")]),
        ("Since the audit log was signed", "s", [(f"time() - akidb_audit_checkpoint_timestamp_seconds{OF}", "{{instance}}")]),
        ("The certificate lasts", "s", [(f"akidb_tls_certificate_expiry_timestamp_seconds{OF} - time()", "{{instance}}")]),
        ("Certificates read again", "none", [(now("akidb_tls_reloads_total"), "{{outcome}}")]),
    ],
    "errors": [
        ("REST by status", "reqps", [(rate(HTTP + "_count", "code"), "{{code}}")]),
        ("gRPC by status", "reqps", [(rate(RPC + "_count", "code"), "{{code}}")]),
        ("Clients' mistakes, by route", "reqps", [(rate(HTTP + "_count", "method, route, code", 'code=~"4.."'), "{{code}} {{method}} {{route}}")]),
        ("Faults of the server, by route", "reqps", [(f"{rate(HTTP + '_count', 'method, route, code', FAULTS)} or 0 * sum(akidb_ready{OF})",
                                                      "{{code}} {{method}} {{route}}")]),
        ("Faults of the server, by method", "reqps", [(f"{rate(RPC + '_count', 'method, code', RPC_FAULTS)} or 0 * sum(akidb_ready{OF})",
                                                       "{{code}} {{method}}")]),
        ("Share of requests that end in a fault", "percentunit", [("akidb:faults:ratio_rate5m" + OF, "5 minutes"),
                                                                  ("akidb:faults:ratio_rate1h" + OF, "1 hour")]),
        ("Turned away unread", "reqps", [(rate("akidb_http_refused_total", "reason"), "{{reason}}")]),
        ("Refused for a full disk", "reqps", [(rate("akidb_disk_full_refused_total", "instance"), "{{instance}}")]),
        ("Spans of traces", "short", [(rate("akidb_trace_spans_total", "result"), "{{result}}")]),
        ("Starts within 15 minutes", "none", [(f"changes(akidb_start_time_seconds{OF}[15m])", "{{instance}}")]),
    ],
}


def dashboard(name, panels):
    made = []
    for number, (title, unit, targets) in enumerate(panels):
        made.append({
            "id": number + 1,
            "type": "timeseries",
            "title": title,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "gridPos": {"x": number % 2 * 12, "y": number // 2 * 8, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [{"refId": chr(ord("A") + i), "expr": query, "legendFormat": legend}
                        for i, (query, legend) in enumerate(targets)],
        })
    return {
        "uid": f"akidb-{name}",
        "title": f"AkiDB: {name}",
        "tags": ["akidb"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "instance", "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
             "query": 'label_values(akidb_build_info{job="akidb"}, instance)', "multi": True, "includeAll": True, "allValue": ".*",
             "current": {"text": "All", "value": "$__all"}, "refresh": 2},
        ]},
        "panels": made,
    }


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "grafana"
    differ = []
    for name, panels in DASHBOARDS.items():
        text = json.dumps(dashboard(name, panels), indent=1, ensure_ascii=False) + "\n"
        path = folder / f"{name}.json"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            differ.append(str(path))
    known = {f"{name}.json" for name in DASHBOARDS}
    differ += [str(path) for path in folder.glob("*.json") if path.name not in known]
    for path in differ:
        print(f"{path}: not as tools/dashboards.py writes it")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
