#include <string>
#include <vector>

#include "access/audit_survey.h"
#include "offline/report.h"
#include "offline/verbs.h"

namespace akidb::offline {
namespace {

constexpr uint64_t kKeyFileBytesMax = 4096;
constexpr uint64_t kCheckpointFileBytesMax = 256 << 20;

Result<access::AuditPublicKey> read_key(io::FileSystem& files, const std::string& path) {
    AKIDB_TRY(std::string text, io::read_whole_file(files, path, kKeyFileBytesMax));
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    const auto key = access::parse_audit_public_key(text);
    if (!key) {
        return invalid_argument("--public-key", path + " holds no public key",
                                "64 hex digits, as the server writes them to audit/public.key");
    }
    return *key;
}

Result<std::vector<std::string>> read_lines(io::FileSystem& files, const std::string& path) {
    std::vector<std::string> lines;
    if (path.empty()) {
        return lines;
    }
    AKIDB_TRY(const std::string text, io::read_whole_file(files, path, kCheckpointFileBytesMax));
    size_t begin = 0;
    while (begin < text.size()) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

Json json_of(const std::vector<access::AuditFinding>& findings) {
    Json list = Json::array();
    for (const access::AuditFinding& finding : findings) {
        list.push_back({{"file", finding.file}, {"what", finding.what}});
    }
    return list;
}

std::string text_of(const access::AuditSurvey& survey, bool has_outside) {
    std::string text = "log " + survey.log + ": " + counted(survey.files, "file") + ", ";
    text += survey.first == 0
                ? "no entries\n"
                : "entries " + std::to_string(survey.first) + " to " + std::to_string(survey.last) +
                      ", signed up to " + std::to_string(survey.signed_through) + "\n";
    for (const auto& [findings, word] :
         {std::pair(&survey.faults, "FAULT"), std::pair(&survey.remarks, "remark")}) {
        for (const access::AuditFinding& finding : *findings) {
            text.append(word).append("  ").append(finding.file.empty() ? "" : finding.file + ": ");
            text.append(finding.what).append("\n");
        }
    }
    if (!has_outside) {
        text += "remark  without --checkpoints nothing can tell whether the end was cut off\n";
    }
    return text + (survey.faults.empty() ? "whole\n" : counted(survey.faults.size(), "fault") + "\n");
}

Result<access::AuditSurvey> survey_of(io::FileSystem& files, const AuditVerifyRequest& request) {
    AKIDB_TRY(const access::AuditPublicKey key, read_key(files, request.public_key_file));
    AKIDB_TRY(const std::vector<std::string> outside, read_lines(files, request.checkpoint_file));
    return access::survey_audit(files, request.directory, key, outside);
}

}  // namespace

ExitCode verify_audit(io::FileSystem& files, const AuditVerifyRequest& request, Print print) {
    const Result<access::AuditSurvey> survey = survey_of(files, request);
    if (!survey) {
        return end_with(survey.error(), request.json, print);
    }
    if (request.json) {
        print(dump({{"whole", survey->faults.empty()},
                    {"log", survey->log},
                    {"files", survey->files},
                    {"first", survey->first},
                    {"last", survey->last},
                    {"signed_through", survey->signed_through},
                    {"hash", survey->hash},
                    {"faults", json_of(survey->faults)},
                    {"remarks", json_of(survey->remarks)}}));
    } else {
        print(text_of(*survey, !request.checkpoint_file.empty()));
    }
    return survey->faults.empty() ? ExitCode::kClean : ExitCode::kIo;
}

}  // namespace akidb::offline
