#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "cli/account_arguments.h"
#include "cli/backup_arguments.h"
#include "cli/tier_arguments.h"
#include "model/limits.h"

namespace akidb::cli {
namespace {

using settings::Setting;

// Flags as they were written; the settings check their values.
struct Given {
    std::map<std::string, std::string> flags;
    std::string data;
    bool insecure = false;
};

std::string help_of(const Setting& row) {
    std::string text(row.sentence);
    text.append(" Default: ").append(row.fallback);
    return row.unit.empty() ? text : text.append(" ").append(row.unit);
}

void add_settings(CLI::App& verb, std::span<const Setting> table, Arguments& arguments, Given& given) {
    verb.add_option("--config", arguments.config_file,
                    "TOML file; later wins: file, AKIDB_* variables, flags");
    verb.add_option("--data", given.data, "Data directory; short for --storage.data_dir");
    verb.add_flag(
        "--insecure-i-understand", given.insecure,
        "Short for --server.insecure_i_understand true: listen beyond loopback without authentication");
    for (const Setting& row : table) {
        verb.add_option_function<std::string>(
                "--" + std::string(row.key),
                [&given, key = std::string(row.key)](const std::string& value) { given.flags[key] = value; },
                help_of(row))
            ->group("Settings");
    }
    verb.allow_extras();
}

void add_server_verbs(CLI::App& app, std::span<const Setting> table, Arguments& arguments, Given& given) {
    CLI::App* serve = app.add_subcommand("serve", "Run the server: REST, gRPC and probes in one process");
    serve->footer("Example:\n  akidb serve --data ./akidb-data --server.rest_port 8080");
    CLI::App* check =
        app.add_subcommand("check-config", "Tell every fault of the configuration; changes nothing");
    check->footer("Example:\n  akidb check-config --config akidb.toml --json");
    check->add_flag("--json", arguments.json, "Findings as JSON on standard output");
    CLI::App* print =
        app.add_subcommand("print-config", "Print every setting with its value and where that is from");
    print->footer("Example:\n  AKIDB_SERVER_REST_PORT=9000 akidb print-config");
    for (CLI::App* verb : {serve, check, print}) {
        add_settings(*verb, table, arguments, given);
    }
    app.add_subcommand("version", "Print the version")->footer("Example:\n  akidb version");
}

void add_collection_verbs(CLI::App& app, Arguments& arguments) {
    CLI::App* collection = app.add_subcommand("collection", "Make, list, describe and delete collections");
    collection->require_subcommand(1);
    collection->footer("Example:\n  akidb collection create words --dimension 100 --metric cosine");
    CLI::App* create = collection->add_subcommand("create", "Make an empty collection");
    create->add_option("name", arguments.collection, "Name: letters, digits, . _ -")->required();
    create->add_option("--dimension", arguments.dimension,
                       "Components of the vector that every document has");
    create
        ->add_option("--vector", arguments.vectors,
                     "One with a name, several times: NAME:DIMENSION[:METRIC[:STORAGE]]")
        ->allow_extra_args(false);
    create->add_option("--metric", arguments.metric, "cosine, dot or l2")->capture_default_str();
    create
        ->add_option("--storage", arguments.storage,
                     "Of vectors: f32, f16 (half the bytes) or int8 (a quarter)")
        ->capture_default_str();
    create
        ->add_option("--policy", arguments.policy,
                     "Where it is kept: memory, memory_s3 or s3_only (docs/tiers.md)")
        ->capture_default_str();
    create->footer("Example:\n  akidb collection create words --dimension 100 --metric cosine");
    CLI::App* list = collection->add_subcommand("list", "List all collections with their counts");
    list->footer("Example:\n  akidb collection list --json");
    CLI::App* get = collection->add_subcommand("get", "Describe one collection");
    get->add_option("name", arguments.collection, "Name or id")->required();
    get->footer("Example:\n  akidb collection get words");
    CLI::App* remove = collection->add_subcommand("delete", "Delete a collection with all its documents");
    remove->add_option("name", arguments.collection, "Name or id")->required();
    remove->footer("Example:\n  akidb collection delete words");
    CLI::App* optimize =
        collection->add_subcommand("optimize", "Write a collection anew without its dead rows, now");
    optimize->add_option("name", arguments.collection, "Name or id")->required();
    optimize->footer("Example:\n  akidb collection optimize words");
    for (CLI::App* verb : {create, list, get, remove, optimize}) {
        add_client_options(*verb, arguments, true);
    }
}

void add_import(CLI::App& app, Arguments& arguments) {
    ImportArguments& import = arguments.import;
    CLI::App* verb =
        app.add_subcommand("import", "Upsert vectors and metadata from files; an interrupted import resumes");
    verb->footer(
        "Example:\n  akidb import --collection words --create --vectors words.fbin --metadata words.jsonl\n"
        "  akidb import --collection words --create --documents words.jsonl\n"
        "A row keeps its id (its number, or --ids-from), so sending it twice stores it once.");
    add_client_options(*verb, arguments, false);
    verb->add_option("--collection", arguments.collection, "Name or id")->required();
    CLI::Option_group* what = verb->add_option_group("source", "exactly one of");
    what->add_option("--vectors", import.vectors,
                     ".fbin, .npy of float32 or float64 with two axes, or .csv, a vector a line");
    what->add_option("--documents", import.documents,
                     "JSON Lines of whole documents (id, vector, metadata), as export writes them");
    what->require_option(1);
    verb->add_option("--metadata", import.metadata, "JSON Lines: one object for each row");
    verb->add_option("--ids-from", import.ids_from,
                     "Field of the metadata that holds the id; else the row number");
    verb->add_flag("--create", import.create, "Make the collection when it is not there");
    verb->add_option("--metric", import.metric, "With --create: cosine (by default), dot or l2");
    verb->add_option("--storage", import.storage, "With --create: f32 (by default), f16 or int8");
    verb->add_option("--batch", import.batch, "Documents in one request")
        ->check(CLI::Range(1U, static_cast<unsigned>(model::kBatchDocumentsMax)))
        ->capture_default_str();
    verb->add_option("--parallel", import.parallel, "Requests under way at once")
        ->check(CLI::Range(1U, 64U))
        ->capture_default_str();
    verb->add_flag("--resume", import.resume, "Go on where the last run of this import stopped");
    verb->add_option("--state", import.state, "File that remembers how far it got");
}

void add_export(CLI::App& app, Arguments& arguments) {
    TransferArguments& transfer = arguments.transfer;
    CLI::App* verb = app.add_subcommand(
        "export", "Write a collection as JSON Lines, one document a line; an interrupted export resumes");
    verb->footer(
        "Example:\n  akidb export --collection words --out words.jsonl\n"
        "`akidb import --documents` reads what this writes.");
    add_client_options(*verb, arguments, false);
    verb->add_option("--collection", arguments.collection, "Name or id")->required();
    verb->add_option("--out", transfer.out, "File, or - for standard output")->required();
    verb->add_option("--filter", transfer.filter, "Filter as JSON");
    verb->add_flag("--without-vectors", transfer.without_vectors, "Ids and metadata alone");
    verb->add_option("--page", transfer.page, "Documents in one answer")
        ->check(CLI::Range(1U, static_cast<unsigned>(model::kScrollLimitMax)))
        ->capture_default_str();
    verb->add_flag("--resume", transfer.resume, "Go on where the last run of this export stopped");
}

void add_search(CLI::App& app, Arguments& arguments) {
    SearchArguments& search = arguments.search;
    CLI::App* verb =
        app.add_subcommand("search", "Find the documents nearest to a vector or to another document");
    verb->footer(
        "Example:\n  akidb search --collection words --id 7 --top-k 5 --filter "
        "'{\"must\":[{\"key\":\"lang\",\"match\":{\"value\":\"en\"}}]}'");
    add_client_options(*verb, arguments, true);
    verb->add_option("--collection", arguments.collection, "Name or id")->required();
    CLI::Option_group* what = verb->add_option_group("query", "exactly one of");
    what->add_option("--vector", search.vector, "JSON array of numbers");
    what->add_option("--vector-file", search.vector_file, ".fbin or .npy; see --row");
    what->add_option("--id", search.id, "Id of a document to be like; it is left out of the answer");
    what->require_option(1);
    verb->add_option("--using", search.use_vector,
                     "Name of the vector to compare with, where they have names");
    verb->add_option("--row", search.row, "Row of --vector-file, from 0")->capture_default_str();
    verb->add_option("--top-k", search.top_k, "How many")->capture_default_str();
    verb->add_option("--filter", search.filter, "Filter as JSON");
    verb->add_option("--include", search.include, "metadata, vector, vectors.NAME, with commas, or none")
        ->capture_default_str();
    verb->add_flag("--exact", search.exact, "Compare with every document");
    verb->add_option("--ef", search.ef, "Candidates kept; 0 is the server's default")->capture_default_str();
}

void add_health(CLI::App& app, Arguments& arguments) {
    CLI::App* verb = app.add_subcommand("health", "Ask a server's probe whether it is alive, or ready");
    verb->footer(
        "Exit code 0 when it is, 74 when it is not or does not answer within 3 seconds.\n"
        "Example:\n  akidb health --ready");
    verb->add_option("--url", arguments.health.url,
                     "Where probes are answered: metrics.host and metrics.port")
        ->capture_default_str();
    verb->add_flag("--ready", arguments.health.ready,
                   "Whether it takes requests (/ready), not whether it lives");
    verb->add_option("--ca-file", arguments.ca_file,
                     "PEM of the authorities to trust for https, in place of the system's");
}

void add_offline_verbs(CLI::App& app, Arguments& arguments, Given& given) {
    CLI::App* inspect =
        app.add_subcommand("inspect", "Look at a file of a collection, or at all of them; changes nothing");
    inspect->footer(
        "Exit code 0 when every checksum holds, 74 when something is damaged.\n"
        "Example:\n  akidb inspect log ./akidb-data/collections/ID/log/00000000000000000001.log\n"
        "  akidb inspect ./akidb-data/collections/ID");
    inspect
        ->add_option("what", arguments.inspect.kind,
                     "log (or wal), manifest or segment, then a file; or the directory of a collection")
        ->required();
    inspect->add_option("file", arguments.inspect.path, "The file");
    inspect->add_flag("--json", arguments.json, "As JSON");
    CLI::App* repair =
        app.add_subcommand("repair", "Tell what a damaged collection lost, and make it open again");
    repair->footer(
        "Stop the server first. Without --accept-loss nothing is changed, and the exit code is 74 when\n"
        "something is damaged. Originals are kept in the collection's folder lost/.\n"
        "Example:\n  akidb repair --data ./akidb-data --collection words");
    repair->add_option("--config", arguments.config_file, "TOML file of the server");
    repair->add_option("--data", given.data, "Data directory");
    repair->add_option("--collection", arguments.collection, "Name or id")->required();
    repair->add_flag("--accept-loss", arguments.accept_loss, "Go on without what is damaged");
    repair->add_flag("--json", arguments.json, "As JSON");
}

void add_audit_verbs(CLI::App& app, Arguments& arguments) {
    CLI::App* audit = app.add_subcommand("audit", "The log of who did what");
    audit->require_subcommand(1);
    CLI::App* verify = audit->add_subcommand("verify", "Tell whether an audit log is what the server wrote");
    verify->footer(
        "Needs no server and no secret. Exit code 0 when the log is whole, 74 when it was tampered with.\n"
        "Only checkpoints that were kept on another machine prove that the end was not cut off: the server\n"
        "writes each to its own log, from where --checkpoints takes them.\n"
        "Example:\n  akidb audit verify ./akidb-data/audit --public-key public.key --checkpoints akidb.log");
    verify->add_option("directory", arguments.audit.directory, "The folder audit of the data directory")
        ->required();
    verify->add_option("--public-key", arguments.audit.public_key, "File with the public key, in hex")
        ->required();
    verify->add_option("--checkpoints", arguments.audit.checkpoints,
                       "File with lines of checkpoints, kept elsewhere");
    verify->add_flag("--json", arguments.json, "As JSON");
    add_audit_list(*audit, arguments);
}

Verb verb_of(const CLI::App& app) {
    if (app.got_subcommand("audit") && app.get_subcommand("audit")->got_subcommand("list")) {
        return Verb::kAccount;
    }
    const std::pair<const char*, Verb> kVerbs[] = {{"serve", Verb::kServe},
                                                   {"check-config", Verb::kCheckConfig},
                                                   {"print-config", Verb::kPrintConfig},
                                                   {"import", Verb::kImport},
                                                   {"export", Verb::kExport},
                                                   {"search", Verb::kSearch},
                                                   {"health", Verb::kHealth},
                                                   {"inspect", Verb::kInspect},
                                                   {"repair", Verb::kRepair},
                                                   {"audit", Verb::kAuditVerify},
                                                   {"version", Verb::kVersion}};
    for (const auto& [name, verb] : kVerbs) {
        if (app.got_subcommand(name)) {
            return verb;
        }
    }
    if (is_account_verb(app)) {
        return Verb::kAccount;
    }
    if (const std::optional<Verb> verb = find_backup_verb(app)) {
        return *verb;
    }
    if (app.got_subcommand("tiers")) {
        return Verb::kTiers;
    }
    const CLI::App* collection = app.get_subcommand("collection");
    const std::pair<const char*, Verb> kCollectionVerbs[] = {{"create", Verb::kCollectionCreate},
                                                             {"list", Verb::kCollectionList},
                                                             {"get", Verb::kCollectionGet},
                                                             {"optimize", Verb::kCollectionOptimize}};
    for (const auto& [name, verb] : kCollectionVerbs) {
        if (collection->got_subcommand(name)) {
            return verb;
        }
    }
    return Verb::kCollectionDelete;
}

// Unknown flags with a dot are settings that do not exist; the first other leftover is returned as the fault.
std::optional<std::string> take_extras(const std::vector<std::string>& extras, Given& given) {
    for (size_t at = 0; at < extras.size(); ++at) {
        const std::string& word = extras[at];
        if (!word.starts_with("--") || word.find('.') == std::string::npos) {
            return word;
        }
        const size_t equals = word.find('=');
        const std::string key = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        if (equals != std::string::npos) {
            given.flags[key] = word.substr(equals + 1);
        } else if (at + 1 < extras.size() && !extras[at + 1].starts_with("--")) {
            given.flags[key] = extras[++at];
        } else {
            given.flags[key] = "";
        }
    }
    return std::nullopt;
}

}  // namespace

ParsedArguments parse_arguments(std::span<const char* const> words, std::span<const Setting> table) {
    Arguments arguments;
    Given given;
    CLI::App app("AkiDB: a vector database in one binary", "akidb");
    app.require_subcommand(1);
    app.set_version_flag("--version", "akidb " AKIDB_VERSION, "Print the version");
    app.footer("Example:\n  akidb serve --data ./akidb-data\nEvery verb explains itself: akidb VERB --help");
    std::string fault;
    try {
        add_server_verbs(app, table, arguments, given);
        add_import(app, arguments);
        add_export(app, arguments);
        add_collection_verbs(app, arguments);
        add_search(app, arguments);
        add_health(app, arguments);
        add_account_verbs(app, arguments);
        add_offline_verbs(app, arguments, given);
        add_audit_verbs(app, arguments);
        add_backup_verbs(app, arguments);
        add_tier_verbs(app, arguments);
        app.parse(static_cast<int>(words.size()), words.data());
        if (const auto extra = take_extras(app.remaining(true), given); extra) {
            fault = "unknown argument: " + *extra;
        }
    } catch (const CLI::ParseError& stop) {
        std::ostringstream out;
        std::ostringstream err;
        const int status = app.exit(stop, out, err);
        return {std::nullopt, out.str() + err.str(), status == 0 ? ExitCode::kClean : ExitCode::kUsage};
    } catch (const CLI::Error& mistake) {
        return {std::nullopt, std::string("akidb: ") + mistake.what() + "\n", ExitCode::kInternal};
    }
    if (!fault.empty()) {
        return {std::nullopt, "akidb: " + fault + "\nRun with --help for more information.\n",
                ExitCode::kUsage};
    }
    arguments.verb = verb_of(app);
    take_account_verb(app, arguments.account);
    take_backup_verb(app, arguments.backup);
    take_tier_verb(app, arguments.tiers);
    if (arguments.inspect.path.empty()) {
        std::swap(arguments.inspect.kind, arguments.inspect.path);
    }
    arguments.flags = std::move(given.flags);
    if (!given.data.empty()) {
        arguments.flags.emplace("storage.data_dir", given.data);
    }
    if (given.insecure) {
        arguments.flags.emplace("server.insecure_i_understand", "true");
    }
    return {std::move(arguments), {}, ExitCode::kClean};
}

}  // namespace akidb::cli
