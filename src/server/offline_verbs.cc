#include "server/offline_verbs.h"

#include <cstdio>

#include "io/pause.h"
#include "io/posix_file_system.h"
#include "io/random.h"
#include "objects/instance_credentials.h"
#include "offline/upgrade_check.h"
#include "server/layer_options.h"
#include "server/load_settings.h"
#include "service/practice.h"

namespace akidb::server {
namespace {

// A borrowed callable is an object; a function is none.
constexpr auto kPrint = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };

bool tell_faults(const settings::Parsed& parsed) {
    for (const settings::Finding& finding : parsed.findings) {
        std::fputs(("akidb: " + settings::describe(finding) + "\n").c_str(), stderr);
    }
    return !parsed.findings.empty();
}

backup::S3Access access_by(const cli::S3Arguments& s3, const std::string& ca_file,
                           objects::InstanceCredentials& machine) {
    return {
        .endpoint = s3.endpoint,
        .region = s3.region,
        .addressing = s3.addressing == "host" ? objects::Addressing::kHost : objects::Addressing::kPath,
        .ca_file = ca_file,
        .credentials = {s3.credentials_file, s3_environment(), s3.instance_credentials ? &machine : nullptr}};
}

}  // namespace

ExitCode run_inspect(const offline::InspectRequest& request) {
    return offline::inspect(*io::make_posix_file_system(), request, kPrint);
}

ExitCode run_repair(const SettingsSources& sources, offline::RepairRequest request) {
    const settings::Parsed parsed = load_settings(sources);
    if (tell_faults(parsed)) {
        return ExitCode::kConfiguration;
    }
    request.data = parsed.effective.text("storage.data_dir");
    request.catalog = catalog_path(parsed.effective);
    return offline::repair(*io::make_posix_file_system(), *io::make_system_clock(), request, kPrint);
}

ExitCode run_backups(const cli::S3Arguments& s3, const std::string& ca_file,
                     const offline::BackupsRequest& request) {
    const auto files = io::make_posix_file_system();
    const auto clock = io::make_system_clock();
    const auto random = io::make_system_random();
    const auto pause = io::make_system_pause();
    objects::InstanceCredentials machine(s3_environment(), *clock);
    const backup::S3Access access = access_by(s3, ca_file, machine);
    const auto open = [&](const std::string& directory, const model::CollectionSpec& spec) {
        return service::open_for_practice(*files, *clock, directory, spec);
    };
    return offline::run_backups({*files, *clock, *random, *pause}, access, request, open, kPrint);
}

ExitCode run_upgrade_check(const cli::Arguments& arguments) {
    SettingsSources sources{arguments.config_file, arguments.flags};
    if (!arguments.backup.data.empty()) {
        sources.flags["storage.data_dir"] = arguments.backup.data;
    }
    const settings::Parsed parsed = load_settings(sources);
    if (tell_faults(parsed)) {
        return ExitCode::kConfiguration;
    }
    const auto files = io::make_posix_file_system();
    const auto clock = io::make_system_clock();
    const auto random = io::make_system_random();
    const auto pause = io::make_system_pause();
    objects::InstanceCredentials machine(s3_environment(), *clock);
    return offline::check_upgrade({*files, *clock, *random, *pause},
                                  access_by(arguments.s3, arguments.ca_file, machine),
                                  {.data = parsed.effective.text("storage.data_dir"),
                                   .catalog = catalog_path(parsed.effective),
                                   .keep_days = number_of<uint64_t>(parsed.effective, "upgrade.copy_days"),
                                   .backups = arguments.backup.place,
                                   .key_file = arguments.backup.key_file,
                                   .json = arguments.json},
                                  kPrint);
}

ExitCode run_audit_verify(const offline::AuditVerifyRequest& request) {
    return offline::verify_audit(*io::make_posix_file_system(), request, kPrint);
}

}  // namespace akidb::server
