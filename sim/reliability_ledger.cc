#include "sim/reliability_ledger.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <vector>

namespace akidb::sim {
namespace {

constexpr size_t kColumns = 8;
constexpr size_t kFirstNumber = 4;

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_date(std::string_view text) {
    return text.size() == 10 && text[4] == '-' && text[7] == '-' && is_number(text.substr(0, 4)) &&
           is_number(text.substr(5, 2)) && is_number(text.substr(8, 2));
}

std::string without_commas(std::string text) {
    std::replace(text.begin(), text.end(), ',', ';');
    return text;
}

}  // namespace

bool append_to_ledger(const std::string& path, const LedgerLine& line) {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    char date[11];
    if (gmtime_r(&now, &parts) == nullptr || std::strftime(date, sizeof(date), "%Y-%m-%d", &parts) == 0) {
        return false;
    }
    std::ofstream file(path, std::ios::app);
    file << date << ',' << without_commas(line.commit) << ',' << without_commas(line.program) << ','
         << without_commas(line.seeds) << ',' << line.images << ',' << line.faults << ',' << line.operations
         << ',' << line.violations << '\n';
    return file.flush().good();
}

std::string fault_of_ledger_line(std::string_view line) {
    std::vector<std::string_view> fields{line.substr(0, line.find(','))};
    for (size_t comma = line.find(','); comma != std::string_view::npos; comma = line.find(',', comma + 1)) {
        const std::string_view rest = line.substr(comma + 1);
        fields.push_back(rest.substr(0, rest.find(',')));
    }
    if (fields.size() != kColumns) {
        return std::to_string(fields.size()) + " columns";
    }
    if (!is_date(fields[0])) {
        return "no date";
    }
    const bool has_words =
        std::none_of(fields.begin(), fields.end(), [](auto field) { return field.empty(); });
    return has_words && std::all_of(fields.begin() + kFirstNumber, fields.end(), is_number)
               ? ""
               : "an empty field, or a count that is not a number";
}

}  // namespace akidb::sim
