#include "cli/backup_arguments.h"

#include <array>

#include "cli/account_arguments.h"

namespace akidb::cli {
namespace {

constexpr std::array<const char*, 3> kActs{"list", "verify", "prune"};

void add_s3_options(CLI::App& verb, Arguments& arguments) {
    S3Arguments& s3 = arguments.s3;
    verb.add_option("--endpoint", s3.endpoint, "http[s]://HOST[:PORT] of the S3 server; else Amazon's");
    verb.add_option("--region", s3.region, "Region that requests are signed for")->capture_default_str();
    verb.add_option("--addressing", s3.addressing, "path or host: where the bucket is named")
        ->check(CLI::IsMember({"path", "host"}))
        ->capture_default_str();
    verb.add_option(
        "--credentials-file", s3.credentials_file,
        "File in the form of ~/.aws/credentials; else AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "then that file");
    verb.add_flag("--instance-credentials", s3.instance_credentials,
                  "Where none of these has any: those of this machine's role at Amazon");
    verb.add_option("--ca-file", arguments.ca_file,
                    "PEM of the authorities to trust, in place of the system's");
}

void add_key_option(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--key-file", arguments.backup.key_file,
                    "File of the key that the backups are encrypted with: the server's backup.key_file");
}

void add_tenant_keys_option(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--tenant-keys", arguments.backup.tenant_keys,
                    "Place of the tenants' keys, if they have some: the server's backup.tenant_keys")
        ->needs(verb.get_option("--key-file"));
}

CLI::App* add_place(CLI::App& noun, Arguments& arguments, const char* act, const char* sentence) {
    CLI::App* verb = noun.add_subcommand(act, sentence);
    verb->add_option("place", arguments.backup.place, "A directory, or s3://BUCKET/PREFIX")->required();
    verb->add_flag("--json", arguments.json, "As JSON");
    add_key_option(*verb, arguments);
    add_s3_options(*verb, arguments);
    return verb;
}

void add_create(CLI::App& backup, Arguments& arguments) {
    CLI::App* create = backup.add_subcommand("create", "Back up a running server, and wait for the end");
    create->footer(
        "The server writes the backup itself: a directory is one of its machine, and S3 is reached by its\n"
        "settings s3.*. Only what is not there yet is sent.\n"
        "Example:\n  akidb backup create --url http://127.0.0.1:8080 --to /backups/akidb\n"
        "  akidb backup create --to s3://backups/akidb");
    add_client_options(*create, arguments, true);
    create->add_option("--to", arguments.backup.place, "A directory, or s3://BUCKET/PREFIX")->required();
    create->add_flag("--no-wait", arguments.backup.no_wait, "Return when it has begun");
}

void add_restore(CLI::App& app, Arguments& arguments) {
    BackupArguments& backup = arguments.backup;
    CLI::App* restore =
        app.add_subcommand("restore", "Make a data directory from a backup, or of a point in time");
    restore->footer(
        "Writes into a directory beside it, verifies every byte, and switches at the end: DATA is there "
        "whole or\n"
        "not at all. Needs no server.\n"
        "Example:\n  akidb restore --from /backups/akidb --data ./akidb-restored\n"
        "  akidb restore --from s3://backups/akidb --endpoint http://127.0.0.1:9000 --data ./one \\\n"
        "    --collection words --as words2\n"
        "  akidb restore --from /backups/akidb --data ./before --to-time 2026-01-31T11:59:59Z\n"
        "  akidb restore --from /backups/akidb --data ./all --to-time latest");
    restore->add_option("--from", backup.place, "A directory, or s3://BUCKET/PREFIX")->required();
    restore->add_option("--data", backup.data, "The new data directory; must not be there")->required();
    restore->add_option("--backup", backup.id,
                        "Id of the backup (to begin with); else the newest that will do");
    CLI::Option* one = restore->add_option("--collection", arguments.collection,
                                           "This one alone, by name or id, without users and keys");
    restore->add_option("--as", backup.as, "Its new name")->needs(one);
    restore->add_option(
        "--owner", backup.owner,
        "USER[:GROUP] whose the data will be, when root restores it; else whose the directory "
        "above is");
    CLI::Option* time =
        restore->add_option("--to-time", backup.to_time,
                            "The writes up to this moment (RFC 3339), or latest: all that is archived");
    restore
        ->add_option("--to-seq", backup.to_sequence,
                     "Of one collection, the writes up to this sequence number")
        ->needs(one)
        ->excludes(time);
    restore->add_option("--timeline", backup.timeline,
                        "Id of the timeline to follow to that point; else that of the backup it begins with");
    restore->add_flag("--json", arguments.json, "As JSON");
    add_key_option(*restore, arguments);
    add_tenant_keys_option(*restore, arguments);
    add_s3_options(*restore, arguments);
}

void add_upgrade(CLI::App& app, Arguments& arguments) {
    CLI::App* upgrade =
        app.add_subcommand("upgrade", "Tell what a start of this binary would change in a data directory");
    upgrade->footer(
        "The upgrade itself is made by the server's start, which keeps what is there first. Changes nothing; "
        "a "
        "server may\nbe running there. Exit code 0 when this binary may start, 74 when a newer AkiDB wrote "
        "there.\n"
        "Example:\n  akidb upgrade --check /var/lib/akidb\n"
        "  akidb upgrade --check --config /etc/akidb/akidb.toml --backups /backups/akidb");
    // The only thing that it does, and said, because the word alone promises more.
    upgrade
        ->add_flag_function(
            "--check", [](int64_t) {}, "Look, and change nothing")
        ->required();
    upgrade->add_option("data", arguments.backup.data, "The data directory; else that of the settings");
    upgrade->add_option("--config", arguments.config_file,
                        "TOML file of the server, whose faults are told, too");
    upgrade->add_option("--backups", arguments.backup.place,
                        "Backups to look at as well: a directory, or s3://BUCKET/PREFIX");
    upgrade->add_flag("--json", arguments.json, "As JSON");
    add_key_option(*upgrade, arguments);
    add_s3_options(*upgrade, arguments);
}

}  // namespace

void add_backup_verbs(CLI::App& app, Arguments& arguments) {
    BackupArguments& options = arguments.backup;
    CLI::App* backup = app.add_subcommand("backup", "Make, list, verify and prune backups");
    backup->require_subcommand(1);
    backup->footer(
        "Example:\n  akidb backup create --to /backups/akidb\n  akidb backup verify /backups/akidb");
    add_create(*backup, arguments);
    CLI::App* list = add_place(*backup, arguments, "list", "List complete backups, the oldest first");
    list->footer("Example:\n  akidb backup list /backups/akidb --json");
    CLI::App* verify = add_place(*backup, arguments, "verify", "Tell whether a backup is whole");
    verify->footer(
        "Exit code 0 when it is, 74 when something is missing or damaged, by name.\n"
        "Example:\n  akidb backup verify /backups/akidb --level 3");
    add_tenant_keys_option(*verify, arguments);
    verify->add_option("--backup", options.id, "Id of the backup; else the newest");
    verify
        ->add_option("--level", options.level,
                     "1: sizes; 2: read and hash every byte; 3: restore, open, and compare the documents")
        ->check(CLI::Range(1U, 3U))
        ->capture_default_str();
    verify
        ->add_option("--scratch", options.scratch, "Directory for what level 3 restores; it is removed again")
        ->capture_default_str();
    CLI::App* prune = add_place(*backup, arguments, "prune", "Remove old backups and what only they need");
    prune->footer(
        "Kept are the newest --keep-last and all younger than --keep-days.\n"
        "Example:\n  akidb backup prune /backups/akidb --keep-last 7 --keep-days 30");
    prune->add_option("--keep-last", options.keep_last, "At least so many")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    prune->add_option("--keep-days", options.keep_days, "And all younger than this")
        ->check(CLI::Range(0U, 36'500U))
        ->capture_default_str();
    add_restore(app, arguments);
    add_upgrade(app, arguments);
    CLI::App* s3 = app.add_subcommand("s3", "Look at an S3 server");
    s3->require_subcommand(1);
    s3->footer("Example:\n  akidb s3 check --endpoint http://127.0.0.1:9000 --bucket backups");
    CLI::App* check = s3->add_subcommand("check", "Tell whether a bucket does what backups need");
    check->footer(
        "Writes about 50 MiB under akidb-check/ and removes them. Exit code 0 when every promise is kept.\n"
        "Example:\n  akidb s3 check --endpoint http://127.0.0.1:9000 --bucket backups");
    check->add_option("--bucket", arguments.s3.bucket, "The bucket; must be there")->required();
    check->add_option("--prefix", arguments.s3.prefix, "Before all keys");
    add_s3_options(*check, arguments);
}

std::optional<Verb> find_backup_verb(const CLI::App& app) {
    if (app.got_subcommand("s3")) {
        return Verb::kS3Check;
    }
    if (app.got_subcommand("restore") || app.got_subcommand("upgrade")) {
        return Verb::kBackups;
    }
    if (!app.got_subcommand("backup")) {
        return std::nullopt;
    }
    return app.get_subcommand("backup")->got_subcommand("create") ? Verb::kBackupCreate : Verb::kBackups;
}

void take_backup_verb(const CLI::App& app, BackupArguments& backup) {
    if (app.got_subcommand("restore")) {
        backup.act = "restore";
    } else if (app.got_subcommand("upgrade")) {
        backup.act = "upgrade";
    } else if (app.got_subcommand("backup")) {
        for (const char* act : kActs) {
            if (app.get_subcommand("backup")->got_subcommand(act)) {
                backup.act = act;
            }
        }
    }
}

}  // namespace akidb::cli
