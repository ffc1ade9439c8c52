#include "server/offline_verbs.h"

#include <cstdio>

#include "io/pause.h"
#include "io/posix_file_system.h"
#include "io/random.h"
#include "server/load_settings.h"
#include "service/practice.h"

namespace akidb::server {
namespace {

// A borrowed callable is an object; a function is none.
constexpr auto kPrint = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };

}  // namespace

ExitCode run_inspect(const offline::InspectRequest& request) {
    return offline::inspect(*io::make_posix_file_system(), request, kPrint);
}

ExitCode run_repair(const SettingsSources& sources, offline::RepairRequest request) {
    const settings::Parsed parsed = load_settings(sources);
    if (!parsed.findings.empty()) {
        for (const settings::Finding& finding : parsed.findings) {
            std::fputs(("akidb: " + settings::describe(finding) + "\n").c_str(), stderr);
        }
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
    const backup::S3Access access{
        .endpoint = s3.endpoint,
        .region = s3.region,
        .addressing = s3.addressing == "host" ? objects::Addressing::kHost : objects::Addressing::kPath,
        .ca_file = ca_file,
        .credentials = {s3.credentials_file, s3_environment()}};
    const auto open = [&](const std::string& directory, const model::CollectionSpec& spec) {
        return service::open_for_practice(*files, *clock, directory, spec);
    };
    return offline::run_backups({*files, *clock, *random, *pause}, access, request, open, kPrint);
}

ExitCode run_audit_verify(const offline::AuditVerifyRequest& request) {
    return offline::verify_audit(*io::make_posix_file_system(), request, kPrint);
}

}  // namespace akidb::server
