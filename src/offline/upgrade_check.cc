#include "offline/upgrade_check.h"

#include "backup/formats.h"
#include "backup/repository.h"
#include "catalog/stored_version.h"
#include "offline/before_upgrade.h"
#include "offline/report.h"

namespace akidb::offline {
namespace {

using storage::FileKind;
using storage::FormatRange;

/// After a start of this binary.
enum class WayBack : uint8_t { kSameFormats, kCopy, kBackupOnly };

std::string range_text(const FormatRange& range) {
    return range.oldest == range.newest ? std::to_string(range.oldest)
                                        : std::to_string(range.oldest) + "-" + std::to_string(range.newest);
}

struct Line {
    std::string kind;
    int64_t format = 0;
    uint64_t files = 0;
    FormatRange reads;
    std::string writes;
};

struct Answer {
    DataFormats found{};
    std::vector<Line> lines{};
    std::vector<std::string> changes{};
    std::vector<std::string> copies{};
    WayBack way_back = WayBack::kSameFormats;
};

class UpgradeCheck {
  public:
    UpgradeCheck(const backup::TargetDoors& doors, const backup::S3Access& s3,
                 const UpgradeCheckRequest& request, Print print)
        : doors_(doors), s3_(s3), request_(request), print_(print) {}

    /// False: this binary must not be started there, which was said.
    Result<bool> run() {
        const Result<std::vector<std::string>> copies = list_upgrade_copies(doors_.files, request_.data);
        if (!copies) {
            return copies.error().code() == Code::kNotFound
                       ? invalid_argument("data", "there is no data directory " + request_.data)
                       : copies.error();
        }
        Answer answer{.copies = *copies};
        AKIDB_TRY(const std::string marker, read_formats_marker(doors_.files, request_.data));
        AKIDB_TRY(answer.found, survey_formats(doors_.files, {request_.data, request_.catalog}));
        if (const Result<void> known = check_formats_marker(marker, request_.data); !known) {
            answer.found.newer.push_back(known.error().message());
        }
        take_lines(answer);
        if (!request_.backups.empty()) {
            AKIDB_TRY(look_at_backups(answer));
        }
        if (answer.found.newer.empty()) {
            answer.changes = changes_by_a_start(answer.found, marker);
        }
        if (!answer.changes.empty()) {
            answer.way_back = request_.keep_days > 0 ? WayBack::kCopy : WayBack::kBackupOnly;
        }
        print_(request_.json ? dump(json_of(answer)) : text_of(answer));
        return answer.found.newer.empty();
    }

  private:
    void take_lines(Answer& answer) const {
        if (answer.found.catalog) {
            answer.lines.push_back({"catalog",
                                    *answer.found.catalog,
                                    1,
                                    {1, static_cast<uint32_t>(catalog::newest_version())},
                                    std::to_string(catalog::newest_version())});
        }
        for (const auto& [kind_and_format, count] : answer.found.files) {
            const auto [kind, format] = kind_and_format;
            const FormatRange known = storage::known_formats(kind);
            answer.lines.push_back(
                {std::string(storage::kFileKindNames.at(static_cast<size_t>(kind))), format, count, known,
                 kind == FileKind::kLog ? std::to_string(known.newest) : "the oldest that fits"});
        }
    }

    Result<void> look_at_backups(Answer& answer) const {
        AKIDB_TRY(const auto target, backup::Target::open(doors_, request_.backups, s3_,
                                                          backup::TargetUse::kRead, request_.key_file));
        backup::Repository repository(target->store(), doors_.clock);
        AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
        const FormatRange known = backup::known_backup_formats();
        std::map<uint32_t, uint64_t> counts;
        for (const Uuid& id : ids) {
            AKIDB_TRY(const uint32_t format, backup::read_backup_format(target->store(), id));
            ++counts[format];
            if (!known.has(format)) {
                answer.found.newer.push_back("backup " + id.to_string() + " has format " +
                                             std::to_string(format) + "; this AkiDB reads formats " +
                                             range_text(known));
            }
        }
        for (const auto& [format, count] : counts) {
            answer.lines.push_back({"backup", format, count, known, "the oldest that fits"});
        }
        return {};
    }

    std::string copy_sentence(const Answer& answer) const {
        switch (answer.way_back) {
            case WayBack::kSameFormats:
                return "It changes no format: an older AkiDB that reads these goes on with them "
                       "afterwards.\n";
            case WayBack::kCopy:
                return "Before that it keeps what is there in " + request_.data +
                       "/before-upgrade-…, by second names of the files where the disk has them, for " +
                       counted(request_.keep_days, "day") +
                       " (upgrade.copy_days): the way back, without what was "
                       "written since. Older versions refuse the directory itself afterwards.\n";
            case WayBack::kBackupOnly:
                return "It keeps nothing of before (upgrade.copy_days is 0), and older versions refuse the "
                       "directory "
                       "afterwards: make a backup.\n";
        }
        return {};
    }

    std::string text_of(const Answer& answer) const {
        std::vector<std::vector<std::string>> table{{"WHAT", "FORMAT", "FILES", "READS", "WRITES"}};
        for (const Line& line : answer.lines) {
            table.push_back({line.kind, std::to_string(line.format), std::to_string(line.files),
                             range_text(line.reads), line.writes});
        }
        std::string text = "data directory " + request_.data + ": " +
                           counted(answer.found.collections, "collection") + ", " +
                           counted(answer.found.bytes, "byte") + "\n" + table_of(table);
        for (const std::string& path : answer.found.damaged) {
            text += "damaged: " + path + " does not begin as it should (akidb repair)\n";
        }
        for (const std::string& name : answer.copies) {
            text += "of before an earlier upgrade: " + request_.data + "/" + name + "\n";
        }
        if (!answer.found.newer.empty()) {
            for (const std::string& sentence : answer.found.newer) {
                text += "newer: " + sentence + "\n";
            }
            return text + "A newer AkiDB wrote this: do not start this one here.\n";
        }
        for (const std::string& sentence : answer.changes) {
            text += "a start of this AkiDB: " + sentence + "\n";
        }
        return text + copy_sentence(answer) + "docs/upgrade.md tells how to go back.\n";
    }

    Json json_of(const Answer& answer) const {
        constexpr std::string_view kWays[] = {"same_formats", "copy", "backup_only"};
        const bool is_newer = !answer.found.newer.empty();
        Json formats = Json::array();
        for (const Line& line : answer.lines) {
            formats.push_back({{"kind", line.kind},
                               {"format", line.format},
                               {"files", line.files},
                               {"reads", {line.reads.oldest, line.reads.newest}}});
        }
        return {{"data", request_.data},
                {"verdict", is_newer                 ? "newer"
                            : answer.changes.empty() ? "current"
                                                     : "upgrades"},
                {"collections", answer.found.collections},
                {"bytes", answer.found.bytes},
                {"formats", formats},
                {"changes", answer.changes},
                {"way_back", is_newer ? Json(nullptr) : Json(kWays[static_cast<size_t>(answer.way_back)])},
                {"copies", answer.copies},
                {"newer", answer.found.newer},
                {"damaged", answer.found.damaged}};
    }

    const backup::TargetDoors& doors_;
    const backup::S3Access& s3_;
    const UpgradeCheckRequest& request_;
    Print print_;
};

}  // namespace

ExitCode check_upgrade(const backup::TargetDoors& doors, const backup::S3Access& s3,
                       const UpgradeCheckRequest& request, Print print) {
    const Result<bool> may_start = UpgradeCheck(doors, s3, request, print).run();
    if (!may_start) {
        return end_with(may_start.error(), request.json, print);
    }
    return *may_start ? ExitCode::kClean : ExitCode::kIo;
}

}  // namespace akidb::offline
