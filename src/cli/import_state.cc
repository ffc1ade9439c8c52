#include "cli/import_state.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace akidb::cli {

using nlohmann::json;

Result<std::optional<ImportState>> load_import_state(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return std::optional<ImportState>();
    }
    std::ostringstream text;
    text << file.rdbuf();
    const json content = json::parse(text.str(), nullptr, false);
    const auto is_text = [&](const char* key) { return content.contains(key) && content[key].is_string(); };
    const auto is_count = [&](const char* key) {
        return content.contains(key) && content[key].is_number_unsigned();
    };
    if (!content.is_object() || !is_text("collection_id") || !is_text("vectors") || !is_count("rows") ||
        !is_count("next_row")) {
        return invalid_argument("--state", path + " is not the state of an import; delete it to start again");
    }
    ImportState state;
    state.collection_id = content["collection_id"].get<std::string>();
    state.vectors = content["vectors"].get<std::string>();
    state.rows = content["rows"].get<uint64_t>();
    state.next_row = content["next_row"].get<uint64_t>();
    state.run = is_text("run") ? content["run"].get<std::string>() : std::string();
    return std::optional<ImportState>(std::move(state));
}

Result<void> save_import_state(const std::string& path, const ImportState& state) {
    const json content = {{"collection_id", state.collection_id},
                          {"vectors", state.vectors},
                          {"rows", state.rows},
                          {"next_row", state.next_row},
                          {"run", state.run}};
    const std::string temporary = path + ".tmp";
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file << content.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        file.close();
        if (!file) {
            return Error(Code::kDiskFull, temporary + " cannot be written").with_field("--state");
        }
    }
    std::error_code fault;
    std::filesystem::rename(temporary, path, fault);
    if (fault) {
        return Error(Code::kDiskFull, path + " cannot be written: " + fault.message()).with_field("--state");
    }
    return {};
}

bool AcknowledgedRows::add(uint64_t first_row, uint64_t count) {
    const uint64_t before = next_row_;
    later_.emplace(first_row, count);
    for (auto row = later_.begin(); row != later_.end() && row->first <= next_row_; row = later_.erase(row)) {
        next_row_ = std::max(next_row_, row->first + row->second);
    }
    return next_row_ != before;
}

}  // namespace akidb::cli
