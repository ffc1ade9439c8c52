#include "offline/report.h"

#include <algorithm>
#include <cstdio>

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

Json vector_to_json(const model::VectorSpec& vector) {
    return {{"dimension", vector.dimension},
            {"metric", model::name_of(vector.metric)},
            {"storage", model::name_of(vector.storage)}};
}

std::string text_of_vectors(const std::vector<model::VectorSpec>& vectors) {
    std::string text;
    for (const model::VectorSpec& vector : vectors) {
        text += vector.name.empty() ? ", " : "; vector " + vector.name + ": ";
        text += "dimension " + std::to_string(vector.dimension) + ", " +
                std::string(model::name_of(vector.metric)) + ", " +
                std::string(model::name_of(vector.storage));
    }
    return text;
}

ExitCode end_with(const Error& error, bool json, Print print) {
    const bool is_damage = error.code() == Code::kDataLoss;
    if (json) {
        print(dump({{"damaged", is_damage}, {"error", error.message()}}));
    } else if (is_damage) {
        print("damaged: " + error.message() + "\n");
    } else {
        const std::string allowed = error.allowed().empty() ? "" : " (allowed: " + error.allowed() + ")";
        std::fputs(("akidb: " + error.message() + allowed + "\n").c_str(), stderr);
    }
    return error.field().empty() ? ExitCode::kIo : ExitCode::kUsage;
}

}  // namespace akidb::offline
