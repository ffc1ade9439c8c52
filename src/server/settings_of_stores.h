// kStoreSettings: the rows of settings_table.h about object stores: how S3 is reached, backups, tiers.
// Constants: thread-safe.
#pragma once

#include <array>

#include "settings/settings.h"

namespace akidb::server {

using settings::Setting;
using settings::SettingType;

inline constexpr std::array kStoreSettings{
    Setting{
        .key = "s3.endpoint",
        .type = SettingType::kString,
        .fallback = "",
        .sentence =
            "Where the S3 server of s3:// places is: http[s]://HOST[:PORT]; empty: Amazon's in s3.region. "
            "Link-local addresses, where clouds keep a machine's secrets, are refused (docs/backup.md)."},
    Setting{.key = "s3.region",
            .type = SettingType::kString,
            .fallback = "us-east-1",
            .sentence = "Region that requests to S3 are signed for."},
    Setting{.key = "s3.addressing",
            .type = SettingType::kChoice,
            .fallback = "path",
            .choices = "path|host",
            .sentence = "Whether a bucket is named in the path of a URL or in the name of its host."},
    Setting{.key = "s3.credentials_file",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "File with aws_access_key_id and aws_secret_access_key, in the form of ~/.aws/credentials; "
                "others than owner and group must not be able to read it. Empty: the variables "
                "AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, then ~/.aws/credentials."},
    Setting{
        .key = "s3.instance_credentials",
        .type = SettingType::kBool,
        .fallback = "false",
        .sentence =
            "Whether, where nothing else gives credentials, those that Amazon's machines and containers "
            "have of their role are used: asked of the metadata service (IMDSv2) or the container's agent, "
            "and renewed by themselves (docs/backup.md)."},
    Setting{.key = "s3.ca_file",
            .type = SettingType::kString,
            .fallback = "",
            .sentence = "PEM file of the authorities to trust for s3.endpoint, in place of the system's."},
    Setting{
        .key = "s3.bandwidth_bytes_per_s",
        .type = SettingType::kInteger,
        .unit = "bytes/s",
        .fallback = "0",
        .min = 0,
        .max = int64_t{1} << 40,
        .sentence =
            "What this server sends to S3 and reads from there together, at most, over time. Searches and "
            "openings of cold collections count, but do not wait behind uploads. At least 65536; 0: no "
            "bound."},
    Setting{
        .key = "s3.requests_per_second",
        .type = SettingType::kInteger,
        .unit = "requests/s",
        .fallback = "0",
        .min = 0,
        .max = 1'000'000,
        .sentence =
            "Requests that this server sends to S3 at most, over time, for whatever; each part of a file is "
            "one, and so is each try. 0: no bound."},
    Setting{.key = "s3.breaker_cool_down_s",
            .type = SettingType::kInteger,
            .unit = "s",
            .fallback = "300",
            .min = 1,
            .max = 86'400,
            .sentence =
                "When more than half of at least ten requests to S3 within a minute failed, none is sent for "
                "so long; then one at a time, until ten went well."},
    Setting{.key = "backup.to",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "Where backups go that this server makes by itself: an absolute path outside the data "
                "directory, best on another machine, or s3://BUCKET/PREFIX (docs/backup.md). Empty: none."},
    Setting{
        .key = "backup.key_file",
        .type = SettingType::kPath,
        .fallback = "",
        .sentence =
            "File with the key that all backups of this server are encrypted with, 64 hex digits (openssl "
            "rand -hex 32); others than owner and group must not be able to read it. Keep a copy where "
            "neither this machine nor the backups are: without it they are lost. Empty: not encrypted."},
    Setting{.key = "backup.tenant_keys",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "Where a key of each tenant lies, which backups and the archived log encrypt its collections "
                "with, "
                "so that destroying it makes all of them unreadable (docs/backup.md): an absolute path or "
                "s3://BUCKET/PREFIX, apart from backup.to and copied nowhere. Needs backup.key_file. Empty: "
                "none."},
    Setting{.key = "backup.schedule",
            .type = SettingType::kString,
            .fallback = "1d",
            .sentence =
                "When: an interval from the beginning of one to that of the next (30m, 6h, 1d), or each day "
                "at a time in UTC (03:30). One that was missed is made up for, one that failed tried again "
                "after ten minutes."},
    Setting{
        .key = "backup.busy_bytes_per_second",
        .type = SettingType::kInteger,
        .unit = "bytes/s",
        .fallback = "33554432",
        .min = 0,
        .max = int64_t{1} << 40,
        .sentence =
            "What a backup reads at most while searches run, and half of it at least, in slices that make "
            "way for them; what is new to the place is read twice. While none runs it is as fast as it "
            "goes. At least 1048576; 0: always as fast as it goes."},
    Setting{.key = "backup.keep_last",
            .type = SettingType::kInteger,
            .unit = "backups",
            .fallback = "7",
            .min = 0,
            .max = 1'000'000,
            .sentence =
                "After each of these, backups there are removed but for the newest so many and those of the "
                "last backup.keep_days; 0: none is removed."},
    Setting{.key = "backup.keep_days",
            .type = SettingType::kInteger,
            .unit = "d",
            .fallback = "30",
            .min = 0,
            .max = 36'500,
            .sentence = "Backups younger than this are kept, however many there are."},
    Setting{
        .key = "backup.drill_interval_s",
        .type = SettingType::kInteger,
        .unit = "s",
        .fallback = "604800",
        .min = 0,
        .max = 31'536'000,
        .sentence =
            "How long after one restore for practice the next begins: the newest backup in backup.to is "
            "restored in the data directory, opened, compared and removed, which takes its size in disk and "
            "that of its largest collection in memory. 0: never."},
    Setting{
        .key = "backup.archive_interval_s",
        .type = SettingType::kInteger,
        .unit = "s",
        .fallback = "20",
        .min = 0,
        .max = 120,
        .sentence =
            "How often what the log has new is copied to backup.to, so that a restore can go to any point in "
            "time and the loss of the disk costs the writes of about so long. 0: only backups are there."},
    Setting{.key = "backup.archive_held_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "1073741824",
            .min = 16 << 20,
            .max = int64_t{1} << 40,
            .sentence =
                "Of each collection's log, what could not be copied yet is kept up to so much, and while the "
                "disk "
                "has storage.disk_soft_free_bytes free; beyond, points up to the next backup are lost."},
    Setting{
        .key = "tiers.to",
        .type = SettingType::kString,
        .fallback = "",
        .sentence =
            "The object store of collections with the policy memory_s3 or s3_only: s3://BUCKET/PREFIX, or "
            "an absolute path outside the data directory (docs/tiers.md). One server alone to a prefix. "
            "Empty: none, and every collection has the policy memory."},
    Setting{.key = "tiers.key_file",
            .type = SettingType::kPath,
            .fallback = "",
            .sentence =
                "File with the key that everything in tiers.to is encrypted with, as of backup.key_file; "
                "without it cold collections are lost. Empty: not encrypted."},
    Setting{.key = "tiers.cache_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "10737418240",
            .min = 1 << 20,
            .max = int64_t{1} << 50,
            .sentence =
                "What collections of the policy s3_only may take on the local disk: none is fetched beyond "
                "it, writes beyond it are refused for now (503), and those that were not asked for the "
                "longest make "
                "room."},
    Setting{
        .key = "tiers.warm_after_s",
        .type = SettingType::kInteger,
        .unit = "s",
        .fallback = "21600",
        .min = 1,
        .max = 31'536'000,
        .sentence =
            "A collection of the policy s3_only is closed when nobody asked for it for so long; its files "
            "stay here."},
    Setting{.key = "tiers.cold_after_s",
            .type = SettingType::kInteger,
            .unit = "s",
            .fallback = "604800",
            .min = 1,
            .max = 31'536'000,
            .sentence =
                "Its files are removed here when nobody asked for it for so long, and all of it is verified "
                "in tiers.to."},
    Setting{.key = "tiers.copy_interval_s",
            .type = SettingType::kInteger,
            .unit = "s",
            .fallback = "300",
            .min = 1,
            .max = 86'400,
            .sentence =
                "How far a copy in tiers.to may be behind what is written here, while the store is reached."},
    Setting{.key = "tiers.tries",
            .type = SettingType::kInteger,
            .unit = "tries",
            .fallback = "8",
            .min = 1,
            .max = 1'000,
            .sentence =
                "An upload or removal that failed so often is a dead letter: it waits for somebody to retry "
                "or drop it. While the breaker keeps requests from S3, none counts."},
    Setting{.key = "tiers.wait_ms",
            .type = SettingType::kInteger,
            .unit = "ms",
            .fallback = "30000",
            .min = 0,
            .max = 600'000,
            .sentence =
                "How long a request waits for its collection to be opened, unless it has a deadline before; "
                "then it is answered 503, and the opening goes on. At most half of server.worker_threads "
                "requests wait at once."},
    Setting{.key = "tiers.promote_after",
            .type = SettingType::kInteger,
            .unit = "searches",
            .fallback = "10",
            .min = 0,
            .max = 1'000'000,
            .sentence =
                "Searches within an hour that a cold collection answers by ranges of the store; so many open "
                "it, too. 0: the first one opens it, and what such searches need is not sent to the store."},
    Setting{.key = "tiers.cold_memory_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "268435456",
            .min = 1 << 20,
            .max = int64_t{1} << 40,
            .sentence =
                "What codes of cold collections may take in memory, once read: those that were not asked for "
                "the longest make room, and a collection with more of them is opened."},
};

}  // namespace akidb::server
