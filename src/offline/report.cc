#include "offline/report.h"

#include <algorithm>

namespace akidb::offline {

std::string dump(const Json& document) {
    return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string table_of(const std::vector<std::vector<std::string>>& rows) {
    std::vector<size_t> widths;
    for (const std::vector<std::string>& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const std::vector<std::string>& row : rows) {
        for (size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) {
                text.append(widths[i] - row[i].size() + 2, ' ');
            }
        }
        text += '\n';
    }
    return text;
}

std::string counted(uint64_t count, std::string_view singular) {
    return std::to_string(count) + " " + std::string(singular) + (count == 1 ? "" : "s");
}

ExitCode end_with(const Error& error, bool json, Print print) {
    if (json) {
        print(dump({{"damaged", error.code() == Code::kDataLoss}, {"error", error.message()}}));
    } else {
        print((error.code() == Code::kDataLoss ? "damaged: " : "akidb: ") + error.message() + "\n");
    }
    return error.field().empty() ? ExitCode::kIo : ExitCode::kUsage;
}

}  // namespace akidb::offline
