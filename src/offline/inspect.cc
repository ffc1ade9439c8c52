#include "offline/inspect.h"

#include <array>
#include <utility>

#include "base/bytes.h"
#include "model/moment.h"
#include "offline/report.h"
#include "storage/keyed_record.h"
#include "storage/layout.h"
#include "storage/log_file_scanner.h"
#include "storage/log_survey.h"
#include "storage/manifest.h"
#include "storage/segment_container.h"

namespace akidb::offline {
namespace {

using storage::LogSpanKind;

std::string_view name_of(LogSpanKind kind) {
    switch (kind) {
        case LogSpanKind::kFrame:
            return "frame";
        case LogSpanKind::kCleanStop:
            return "clean stop";
        case LogSpanKind::kMalformed:
            return "malformed";
        case LogSpanKind::kHole:
            return "damage";
        case LogSpanKind::kTornTail:
            return "torn tail";
        case LogSpanKind::kReserved:
            return "reserved";
    }
    return "unknown";
}

std::string_view name_of(storage::RecordType type) {
    switch (type) {
        case storage::RecordType::kUpsert:
            return "upsert";
        case storage::RecordType::kDelete:
            return "delete";
        case storage::RecordType::kKeyed:
            return "keyed";
        case storage::RecordType::kCleanStop:
            return "clean stop";
        case storage::RecordType::kTime:
            return "time";
    }
    return "unknown";
}

/// "upsert", or "keyed upsert" for one with a key.
std::string name_of(const storage::LogSpanRecord& record) {
    std::string name(name_of(record.type));
    if (record.type == storage::RecordType::kKeyed) {
        const auto keyed = storage::decode_keyed(record.body);
        name.append(" ").append(keyed ? name_of(keyed->type) : "unknown");
    }
    return name;
}

std::string name_of_section(storage::SectionType type) {
    constexpr std::array<std::string_view, 10> kNames{
        "",         "vectors", "versions",  "id offsets",     "ids", "metadata offsets",
        "metadata", "lists",   "dead rows", "remembered keys"};
    const auto number = static_cast<uint32_t>(type);
    return number >= 1 && number < kNames.size() ? std::string(kNames[number]) : std::to_string(number);
}

std::string name_of_kind(storage::SegmentKind kind) {
    constexpr std::array<std::string_view, 5> kNames{"", "rows", "graph", "dead", "keys"};
    const auto number = static_cast<uint32_t>(kind);
    return number >= 1 && number < kNames.size() ? std::string(kNames[number]) : std::to_string(number);
}

bool has_frame(LogSpanKind kind) {
    return kind == LogSpanKind::kFrame || kind == LogSpanKind::kCleanStop || kind == LogSpanKind::kMalformed;
}

/// All kinds of record begin with the count of what they hold.
uint64_t items_of(const storage::LogSpanRecord& record) {
    return ByteReader(record.body).get<uint32_t>();
}

Json json_of(const storage::LogSpan& span) {
    Json json{{"kind", name_of(span.kind)}, {"offset", span.offset}, {"bytes", span.bytes}};
    if (has_frame(span.kind)) {
        json["checksum"] = "holds";
        json["first_sequence"] = span.first_sequence;
        json["record_count"] = span.record_count;
        if (span.unix_ms > 0) {
            json["at"] = model::rfc3339(span.unix_ms);
        }
        json["records"] = Json::array();
        for (const storage::LogSpanRecord& record : span.records) {
            json["records"].push_back({{"sequence", record.sequence},
                                       {"type", name_of(record)},
                                       {"offset", record.offset},
                                       {"bytes", record.body.size()},
                                       {"items", items_of(record)}});
        }
    } else if (span.kind != LogSpanKind::kReserved) {
        json["checksum"] = "does not hold";
    }
    return json;
}

std::string padded(std::string text, size_t width) {
    text.resize(std::max(text.size() + 2, width), ' ');
    return text;
}

// Log files have a hundred thousand records, so lines leave as they are made, in columns of fixed width.
std::string line_of(std::string offset, std::string bytes, std::string sequence, const std::string& what) {
    return padded(std::move(offset), 12) + padded(std::move(bytes), 12) + padded(std::move(sequence), 14) +
           what + "\n";
}

void print_span(const storage::LogSpan& span, Print print) {
    std::string sequences = "-";
    std::string what(name_of(span.kind));
    if (span.record_count > 0) {
        sequences = std::to_string(span.first_sequence);
        if (span.record_count > 1) {
            sequences += "-" + std::to_string(span.first_sequence + span.record_count - 1);
        }
        what += ", " + counted(span.record_count, "record") + ", checksum holds";
        what += span.unix_ms > 0 ? ", at " + model::rfc3339(span.unix_ms) : "";
    }
    print(line_of(std::to_string(span.offset), std::to_string(span.bytes), sequences, what));
    for (const storage::LogSpanRecord& record : span.records) {
        if (record.type != storage::RecordType::kCleanStop) {
            print(line_of("  " + std::to_string(record.offset), std::to_string(record.body.size()),
                          std::to_string(record.sequence),
                          "  " + name_of(record) + " of " + counted(items_of(record), "document")));
        }
    }
}

Json json_of(const storage::LogFileHeader& header) {
    return {{"format", header.format_version},
            {"collection", header.collection.to_string()},
            {"file_id", header.file_id},
            {"first_sequence", header.first_sequence}};
}

void print_log_head(const std::string& path, const storage::LogFileScanner& scanner,
                    const std::optional<storage::LogFileHeader>& header, bool json, Print print) {
    if (json) {
        Json head{{"kind", "log"}, {"file", path}, {"bytes", scanner.size()}};
        head["header"] = header ? json_of(*header) : Json(nullptr);
        std::string text = dump(head);
        text.resize(text.size() - 2);  // the brace and the line's end
        print(text + ",\"spans\":[");
        return;
    }
    print("log " + path + ", " + counted(scanner.size(), "byte") + "\n");
    if (header) {
        print("format " + std::to_string(header->format_version) + ", collection " +
              header->collection.to_string() + ", file id " + std::to_string(header->file_id) +
              ", first sequence " + std::to_string(header->first_sequence) + "\n");
    }
    print(line_of("OFFSET", "BYTES", "SEQUENCE", "WHAT"));
}

void print_log_end(const storage::LogFileSurvey& found, bool json, Print print) {
    if (json) {
        Json end{{"frames", found.frames},
                 {"records", found.records},
                 {"last_sequence", found.last_sequence},
                 {"torn_bytes", found.torn_bytes},
                 {"clean_stop", found.ends_cleanly},
                 {"damaged", !found.faults.empty()}};
        end["faults"] = Json::array();
        for (const storage::LogFault& fault : found.faults) {
            end["faults"].push_back({{"offset", fault.offset}, {"what", fault.what}});
        }
        print("]," + dump(end).substr(1));
        return;
    }
    print(counted(found.records, "record") + " in " + counted(found.frames, "frame") +
          (found.ends_cleanly ? ", ends with a clean stop" : "") + "\n");
    if (found.torn_bytes > 0) {
        print("torn tail of " + counted(found.torn_bytes, "byte") +
              ": when this is the last file of the log, it was never acknowledged, and the next start cuts "
              "it off\n");
    }
    for (const storage::LogFault& fault : found.faults) {
        print("damaged at offset " + std::to_string(fault.offset) + ": " + fault.what + "\n");
    }
}

Json json_of(const storage::ManifestFile& file) {
    return {{"name", file.name}, {"bytes", file.bytes}, {"checksum", file.crc}};
}

Json json_of(const storage::Manifest& manifest) {
    Json json{{"kind", "manifest"},
              {"version", manifest.version},
              {"collection", manifest.collection.to_string()},
              {"dimension", manifest.dimension},
              {"metric", model::name_of(manifest.metric)},
              {"storage", model::name_of(manifest.storage)},
              {"covered_sequence", manifest.covered_sequence},
              {"rows", Json::array()}};
    for (const storage::ManifestRows& rows : manifest.rows) {
        Json entry = json_of(rows.file);
        entry["first_row"] = rows.first_row;
        entry["row_count"] = rows.row_count;
        json["rows"].push_back(std::move(entry));
    }
    json["graph"] = manifest.graph ? json_of(*manifest.graph) : Json(nullptr);
    json["dead"] = manifest.dead ? json_of(*manifest.dead) : Json(nullptr);
    json["keys"] = manifest.keys ? json_of(*manifest.keys) : Json(nullptr);
    for (const storage::ManifestVector& vector : manifest.vectors) {
        Json& told = json["vectors"][vector.spec.name];
        told = vector_to_json(vector.spec);
        told["graph"] = vector.graph ? json_of(*vector.graph) : Json(nullptr);
    }
    return json;
}

std::string text_of(const std::string& path, const storage::Manifest& manifest) {
    std::vector<std::vector<std::string>> rows{{"FILE", "BYTES", "FIRST ROW", "ROWS"}};
    for (const storage::ManifestRows& entry : manifest.rows) {
        rows.push_back({entry.file.name, std::to_string(entry.file.bytes), std::to_string(entry.first_row),
                        std::to_string(entry.row_count)});
    }
    for (const std::optional<storage::ManifestFile>& file : {manifest.graph, manifest.dead, manifest.keys}) {
        if (file) {
            rows.push_back({file->name, std::to_string(file->bytes), "-", "-"});
        }
    }
    for (const storage::ManifestVector& vector : manifest.vectors) {
        if (vector.graph) {
            rows.push_back({vector.graph->name, std::to_string(vector.graph->bytes), "-", "-"});
        }
    }
    return "manifest " + path + ", version " + std::to_string(manifest.version) + "\ncollection " +
           manifest.collection.to_string() + text_of_vectors(storage::vectors_of(manifest)) +
           ", covers sequence " + std::to_string(manifest.covered_sequence) + "\n" + table_of(rows);
}

std::string file_name_of(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

Result<Verdict> inspect_log(io::FileSystem& files, const std::string& path, bool json, Print print) {
    AKIDB_TRY(storage::LogFileScanner scanner, storage::LogFileScanner::open(files, path));
    AKIDB_TRY(const std::optional<storage::LogFileHeader> header, scanner.read_header());
    print_log_head(path, scanner, header, json, print);
    bool is_first = true;
    AKIDB_TRY(const storage::LogFileSurvey found,
              storage::survey_log_file(files, path, [&](const storage::LogSpan& span) -> Result<void> {
                  if (json) {
                      const std::string text = dump(json_of(span));
                      print((is_first ? "" : ",") + text.substr(0, text.size() - 1));
                  } else {
                      print_span(span, print);
                  }
                  is_first = false;
                  return {};
              }));
    print_log_end(found, json, print);
    return found.faults.empty() ? Verdict::kWhole : Verdict::kDamaged;
}

Result<Verdict> inspect_manifest(io::FileSystem& files, const std::string& path, bool json, Print print) {
    AKIDB_TRY(const std::string bytes, io::read_whole_file(files, path, storage::kManifestBytesMax));
    Result<storage::Manifest> manifest = storage::decode_manifest(bytes);
    if (!manifest) {
        return std::move(manifest).error().with_context(path + " at offset 0");
    }
    print(json ? dump(json_of(*manifest)) : text_of(path, *manifest));
    const std::optional<uint64_t> version = storage::parse_manifest_name(file_name_of(path));
    if (version && *version != manifest->version) {
        return Error(Code::kDataLoss, path + " at offset 32: its version is not that of its name");
    }
    return Verdict::kWhole;
}

Result<Verdict> inspect_segment(io::FileSystem& files, const std::string& path, bool json, Print print) {
    AKIDB_TRY(const storage::SegmentContainer segment, storage::SegmentContainer::open_alone(files, path));
    const storage::SegmentHeader& header = segment.header();
    Json answer{{"kind", "segment"},
                {"file", path},
                {"bytes", segment.file()->bytes().size()},
                {"holds", name_of_kind(header.kind)},
                {"format", header.format_version},
                {"collection", header.collection.to_string()},
                {"first_row", header.first_row},
                {"row_count", header.row_count},
                {"width", header.width},
                {"storage", header.kind == storage::SegmentKind::kRows ? Json(model::name_of(header.storage))
                                                                       : Json(nullptr)},
                {"sections", Json::array()}};
    std::vector<std::vector<std::string>> rows{{"SECTION", "OFFSET", "BYTES", "BLOCKS", "DAMAGED"}};
    std::string faults;
    for (const storage::Section& section : segment.sections()) {
        const std::vector<uint64_t> bad = segment.bad_blocks(section);
        const std::string name = name_of_section(section.type);
        answer["sections"].push_back({{"type", name},
                                      {"offset", section.offset},
                                      {"bytes", section.length},
                                      {"blocks", section.block_crcs.size()},
                                      {"bad_block_offsets", bad}});
        rows.push_back({name, std::to_string(section.offset), std::to_string(section.length),
                        std::to_string(section.block_crcs.size()), std::to_string(bad.size())});
        for (const uint64_t offset : bad) {
            faults += "damaged at offset " + std::to_string(offset) + ": the checksum of the block of " +
                      name + " does not hold\n";
        }
    }
    answer["damaged"] = !faults.empty();
    if (json) {
        print(dump(answer));
    } else {
        print("segment " + path + ", " + counted(segment.file()->bytes().size(), "byte") + "\n" +
              name_of_kind(header.kind) + ", collection " + header.collection.to_string() + ", first row " +
              std::to_string(header.first_row) + ", " + counted(header.row_count, "row") + ", width " +
              std::to_string(header.width) +
              (header.kind == storage::SegmentKind::kRows
                   ? ", vectors of " + std::string(model::name_of(header.storage))
                   : std::string()) +
              "\n" + table_of(rows) + faults);
    }
    return faults.empty() ? Verdict::kWhole : Verdict::kDamaged;
}

ExitCode inspect(io::FileSystem& files, const InspectRequest& request, Print print) {
    using View = Result<Verdict> (*)(io::FileSystem&, const std::string&, bool, Print);
    constexpr std::pair<std::string_view, View> kViews[] = {{"log", &inspect_log},
                                                            {"wal", &inspect_log},
                                                            {"manifest", &inspect_manifest},
                                                            {"segment", &inspect_segment},
                                                            {"", &inspect_collection}};
    for (const auto& [kind, view] : kViews) {
        if (kind == request.kind) {
            const Result<Verdict> seen = view(files, request.path, request.json, print);
            if (!seen) {
                return end_with(seen.error(), request.json, print);
            }
            return *seen == Verdict::kWhole ? ExitCode::kClean : ExitCode::kIo;
        }
    }
    return end_with(invalid_argument("kind", "unknown kind of file: " + request.kind,
                                     "log, wal, manifest, segment, or the directory of a collection alone"),
                    request.json, print);
}

}  // namespace akidb::offline
