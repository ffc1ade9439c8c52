#include <algorithm>
#include <utility>

#include "access/audit_log_impl.h"
#include "access/audit_survey.h"

namespace akidb::access {
namespace {

constexpr size_t kLinesPerQueryMax = 100'000;  // a third of a second of reading
constexpr uint64_t kClockSlackMs = 60'000;

bool fits(const AuditEntry& entry, const AuditQuery& query) {
    const auto is = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
    return entry.sequence < query.before && entry.unix_ms >= query.from_ms && entry.unix_ms < query.to_ms &&
           is(query.tenant, entry.tenant) && is(query.actor, entry.actor) && is(query.action, entry.action) &&
           is(query.outcome, entry.outcome);
}

std::vector<std::string_view> lines_of(std::string_view content) {
    std::vector<std::string_view> lines;
    for (size_t end = content.find('\n'); end != std::string_view::npos; end = content.find('\n')) {
        lines.push_back(content.substr(0, end));
        content.remove_prefix(end + 1);
    }
    return lines;
}

}  // namespace

Result<AuditPage> AuditLog::query(const AuditQuery& query) const {
    const Impl& impl = *impl_;
    if (query.limit == 0 || query.limit > kAuditQueryLimitMax) {
        return invalid_argument("limit", "the limit is " + std::to_string(query.limit),
                                "1.." + std::to_string(kAuditQueryLimitMax));
    }
    std::vector<Impl::FileOnDisk> on_disk;
    uint64_t last_file_bytes = 0;
    {
        MutexLock lock(impl.mutex);
        on_disk = impl.on_disk;
        last_file_bytes = impl.last_file_bytes;
    }
    AuditPage page;
    size_t lines_read = 0;
    uint64_t began_ms = UINT64_MAX;  // of the file behind
    for (size_t at = on_disk.size(); at-- > 0; began_ms = on_disk[at].unix_ms) {
        if (on_disk[at].first >= query.before) {
            continue;
        }
        if (began_ms != UINT64_MAX && began_ms + kClockSlackMs < query.from_ms) {
            break;
        }
        Result<std::unique_ptr<io::ReadFile>> file = impl.files.open_read(impl.path_of(on_disk[at].name));
        if (!file && file.error().code() == Code::kNotFound) {
            break;  // it expired meanwhile, and so did all before it
        }
        AKIDB_TRY(const std::unique_ptr<io::ReadFile> opened, std::move(file));
        std::string content;
        const uint64_t bytes_max = at + 1 == on_disk.size() ? last_file_bytes : kAuditFileBytesMax;
        AKIDB_TRY(opened->read_at(0, std::min(opened->size(), bytes_max), content));
        std::vector<std::string_view> lines = lines_of(content);
        for (; !lines.empty(); lines.pop_back()) {
            const std::optional<AuditLine> line = parse_audit_line(lines.back());
            const auto* entry = line ? std::get_if<AuditEntryLine>(&*line) : nullptr;
            if (entry == nullptr) {
                continue;
            }
            if (fits(entry->entry, query)) {
                page.entries.push_back(entry->entry);
            }
            if (page.entries.size() == query.limit || ++lines_read == kLinesPerQueryMax) {
                page.next_before = entry->entry.sequence > 1 ? entry->entry.sequence : 0;
                return page;
            }
        }
    }
    return page;
}

}  // namespace akidb::access
