#include "server/offline_verbs.h"

#include <cstdio>

#include "io/posix_file_system.h"
#include "server/load_settings.h"

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

ExitCode run_audit_verify(const offline::AuditVerifyRequest& request) {
    return offline::verify_audit(*io::make_posix_file_system(), request, kPrint);
}

}  // namespace akidb::server
