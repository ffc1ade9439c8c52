// The akidb binary: the command line picks a verb, the verb does the rest.
#include <cstdio>
#include <cstdlib>
#include <span>

#include "cli/arguments.h"
#include "cli/verbs.h"
#include "server/load_settings.h"
#include "server/offline_verbs.h"
#include "server/serve.h"
#include "server/settings_table.h"

namespace akidb {
namespace {

ExitCode run(const cli::Arguments& arguments) {
    switch (arguments.verb) {
        case cli::Verb::kServe:
            return server::serve({arguments.config_file, arguments.flags});
        case cli::Verb::kCheckConfig:
            return server::check_config({arguments.config_file, arguments.flags}, arguments.json);
        case cli::Verb::kPrintConfig:
            return server::print_config({arguments.config_file, arguments.flags});
        case cli::Verb::kVersion:
            std::puts("akidb " AKIDB_VERSION);
            return ExitCode::kClean;
        case cli::Verb::kImport:
            return cli::run_import(arguments);
        case cli::Verb::kExport:
            return cli::run_export(arguments);
        case cli::Verb::kSearch:
            return cli::run_search(arguments);
        case cli::Verb::kHealth:
            return cli::run_health(arguments);
        case cli::Verb::kAccount:
            return cli::run_account(arguments);
        case cli::Verb::kCollectionCreate:
        case cli::Verb::kCollectionList:
        case cli::Verb::kCollectionGet:
        case cli::Verb::kCollectionDelete:
        case cli::Verb::kCollectionOptimize:
            return cli::run_collection(arguments);
        case cli::Verb::kInspect:
            return server::run_inspect({arguments.inspect.kind, arguments.inspect.path, arguments.json});
        case cli::Verb::kRepair:
            return server::run_repair({arguments.config_file, arguments.flags},
                                      {.collection = arguments.collection,
                                       .accept_loss = arguments.accept_loss,
                                       .json = arguments.json});
        case cli::Verb::kS3Check:
            return cli::run_s3_check(arguments);
        case cli::Verb::kTiers:
            return cli::run_tiers(arguments);
        case cli::Verb::kBackupCreate:
            return cli::run_backup_create(arguments);
        case cli::Verb::kBackups:
            if (arguments.backup.act == "upgrade") {
                return server::run_upgrade_check(arguments);
            }
            return server::run_backups(arguments.s3, arguments.ca_file,
                                       {.act = arguments.backup.act,
                                        .place = arguments.backup.place,
                                        .id = arguments.backup.id,
                                        .level = arguments.backup.level,
                                        .retention = {arguments.backup.keep_last, arguments.backup.keep_days},
                                        .data = arguments.backup.data,
                                        .collection = arguments.collection,
                                        .as = arguments.backup.as,
                                        .owner = arguments.backup.owner,
                                        .to_sequence = arguments.backup.to_sequence,
                                        .to_time = arguments.backup.to_time,
                                        .timeline = arguments.backup.timeline,
                                        .scratch = arguments.backup.scratch,
                                        .key_file = arguments.backup.key_file,
                                        .tenant_keys = arguments.backup.tenant_keys,
                                        .json = arguments.json});
        case cli::Verb::kAuditVerify:
            return server::run_audit_verify({.directory = arguments.audit.directory,
                                             .public_key_file = arguments.audit.public_key,
                                             .checkpoint_file = arguments.audit.checkpoints,
                                             .json = arguments.json});
    }
    return ExitCode::kInternal;
}

}  // namespace
}  // namespace akidb

int main(int count, char** words) {
    akidb::cli::ParsedArguments parsed = akidb::cli::parse_arguments(
        std::span<const char* const>(words, static_cast<size_t>(count)), akidb::server::kSettings);
    if (!parsed.arguments.has_value()) {
        std::fputs(parsed.text.c_str(), parsed.exit_code == akidb::ExitCode::kClean ? stdout : stderr);
        return static_cast<int>(parsed.exit_code);
    }
    akidb::cli::Arguments& arguments = *parsed.arguments;
    arguments.s3.environment = akidb::server::s3_environment();
    if (!arguments.api_key_file.empty()) {
        akidb::Result<std::string> token = akidb::cli::read_token_file(arguments.api_key_file);
        if (!token) {
            std::fputs(("akidb: " + token.error().message() + "\n").c_str(), stderr);
            return static_cast<int>(akidb::ExitCode::kUsage);
        }
        arguments.token = std::move(token).value();
    } else if (const char* token = std::getenv(akidb::server::kApiKeyVariable)) {
        arguments.token = token;
    }
    return static_cast<int>(akidb::run(arguments));
}
