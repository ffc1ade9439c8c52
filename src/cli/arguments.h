// parse_arguments: the command line as a value. All of CLI11 stays behind this door (its templates take long
// to compile). Names that look like a setting but are none are handed on, so that the settings report them
// with the nearest known key; everything else that is unknown is a usage fault. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "settings/settings.h"

namespace akidb::cli {

enum class Verb : uint8_t {
    kServe,
    kCheckConfig,
    kPrintConfig,
    kVersion,
    kImport,
    kExport,
    kCollectionCreate,
    kCollectionList,
    kCollectionGet,
    kCollectionDelete,
    kCollectionOptimize,
    kSearch,
    kHealth,
    kInspect,
    kRepair,
    kAccount,
    kAuditVerify,
    kS3Check,
    kBackupCreate,
    kTiers,
    kBackups,  // those that need no server: list, verify, prune, restore
};

inline constexpr const char* kDefaultUrl = "http://127.0.0.1:8080";
inline constexpr const char* kDefaultProbesUrl = "http://127.0.0.1:9091";

struct ImportArguments {
    std::string documents;  // JSON Lines of whole documents; else…
    std::string vectors;    // ….fbin or .npy
    std::string metadata;   // JSON Lines, a line a row; empty = none
    std::string ids_from;   // field of the metadata; empty = the row number
    std::string metric;     // empty: not said, so cosine
    std::string storage;    // empty: f32
    std::string state;      // empty = .akidb-import-<collection>.json here
    bool create = false;
    bool resume = false;
    uint32_t batch = 500;
    uint32_t parallel = 2;
};

/// Of an export.
struct TransferArguments {
    std::string out;     // a file, or "-"
    std::string filter;  // JSON
    bool without_vectors = false;
    bool resume = false;
    uint32_t page = 500;
};

struct SearchArguments {
    std::string vector;  // JSON
    std::string vector_file;
    uint64_t row = 0;  // of vector_file
    std::string id;
    std::string use_vector;  // a name; empty: the vector without one
    std::string filter;      // JSON
    std::string include = "metadata";
    uint32_t top_k = 10;
    uint32_t ef = 0;  // 0 = the server's default
    bool exact = false;
};

struct HealthArguments {
    std::string url = kDefaultProbesUrl;
    bool ready = false;
};

struct InspectArguments {
    std::string kind;  // of the file; empty when only a directory was given
    std::string path;
};

/// Of login, user, key and tenant.
struct AccountArguments {
    std::string noun;  // "login", "setup", "user", "key", "tenant", "audit"
    std::string act;   // "create", "list", …; empty for the first two
    std::string name;  // of the thing: e-mail, name or id
    std::string role;
    std::vector<std::string> actions;
    std::vector<std::string> collections;
    std::string row_rule;  // JSON
    std::string expires_at;
    std::string tenant;
    std::string password_file;  // "-": standard input
    std::string token_file;     // of setup
    uint64_t requests_per_second = 0;
    uint64_t documents_max = 0;
};

struct AuditVerifyArguments {
    std::string directory;
    std::string public_key;   // file
    std::string checkpoints;  // file; may be empty
};

struct AuditListArguments {
    std::string actor;
    std::string action;
    std::string outcome;
    uint32_t limit = 100;
};

/// How S3 is reached by the verbs that do so themselves.
struct S3Arguments {
    std::string endpoint;  // empty: Amazon's
    std::string region = "us-east-1";
    std::string addressing = "path";
    std::string credentials_file;
    bool instance_credentials = false;
    std::string bucket;                              // of s3 check, as is…
    std::string prefix;                              // …this
    std::map<std::string, std::string> environment;  // main puts it here
};

struct BackupArguments {
    std::string act;    // "list", "verify", "prune", "restore"
    std::string place;  // a directory, or s3://BUCKET/PREFIX
    std::string id;     // empty: the newest
    uint32_t level = 1;
    uint32_t keep_last = 7;
    uint32_t keep_days = 0;
    std::string data;
    std::string as;  // with Arguments::collection
    std::string owner{};
    std::optional<uint64_t> to_sequence{};
    std::string to_time{};
    std::string timeline{};
    std::string scratch = ".";
    std::string key_file{};
    std::string tenant_keys{};
    bool no_wait = false;
};

struct TierArguments {
    std::string act;     // "status", "show", "policy", "promote", …
    std::string policy;  // of policy
    std::string to;      // of demote: "warm" or "cold"
    uint64_t letter = 0;
    bool all = false;
};

struct Arguments {
    Verb verb = Verb::kVersion;
    std::string config_file;
    std::map<std::string, std::string> flags;  // settings by key
    std::string url = kDefaultUrl;
    std::string api_key_file;
    std::string token;    // what is in that file, or in the variable AKIDB_API_KEY: main puts it here
    std::string ca_file;  // for https; empty: the system's authorities
    std::string collection;
    uint32_t dimension = 0;            // 0: every vector has a name
    std::vector<std::string> vectors;  // NAME:DIMENSION[:METRIC[:STORAGE]]
    std::string metric = "cosine";
    std::string storage = "f32";
    std::string policy = "memory";
    bool json = false;
    ImportArguments import;
    TransferArguments transfer;
    SearchArguments search;
    HealthArguments health;
    InspectArguments inspect;
    AccountArguments account;
    AuditVerifyArguments audit;
    AuditListArguments audit_list;
    S3Arguments s3;
    BackupArguments backup;
    TierArguments tiers;
    bool accept_loss = false;  // of repair
};

struct ParsedArguments {
    std::optional<Arguments> arguments;  // without: print `text` and end with `exit_code`
    std::string text;
    ExitCode exit_code = ExitCode::kClean;
};

ParsedArguments parse_arguments(std::span<const char* const> arguments,
                                std::span<const settings::Setting> settings);

}  // namespace akidb::cli
