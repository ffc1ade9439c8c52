#include "cli/account_arguments.h"

#include <array>
#include <utility>

namespace akidb::cli {
namespace {

constexpr std::array<const char*, 6> kNouns{"login", "setup", "user", "key", "tenant", "audit"};

CLI::App* add_act(CLI::App& noun, Arguments& arguments, const char* act, const char* sentence) {
    CLI::App* verb = noun.add_subcommand(act, sentence);
    add_client_options(*verb, arguments, true);
    return verb;
}

void add_password(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--password-file", arguments.account.password_file,
                    "File that holds the password, or - for standard input")
        ->required();
}

void add_entrances(CLI::App& app, Arguments& arguments) {
    AccountArguments& account = arguments.account;
    CLI::App* setup = add_act(app, arguments, "setup", "Make the first user, an administrator, and log in");
    setup->footer(
        "Example:\n  akidb setup ann@example.com --token-file setup-token --password-file password\n"
        "The token stands in the log of a server that has no user yet. Prints a session token.");
    setup->add_option("email", account.name, "E-mail")->required();
    setup->add_option("--token-file", account.token_file, "File that holds the set-up token")->required();
    add_password(*setup, arguments);
    CLI::App* login = add_act(app, arguments, "login", "Print a session token, good for 24 hours");
    login->footer("Example:\n  export AKIDB_API_KEY=$(akidb login ann@example.com --password-file password)");
    login->add_option("email", account.name, "E-mail")->required();
    login->add_option("--tenant", account.tenant, "Tenant of the user");
    add_password(*login, arguments);
}

void add_users(CLI::App& app, Arguments& arguments) {
    AccountArguments& account = arguments.account;
    CLI::App* user = app.add_subcommand("user", "Make, list, change and delete users");
    user->require_subcommand(1);
    user->footer("Example:\n  akidb user create bob@example.com --role developer --password-file password");
    CLI::App* create = add_act(*user, arguments, "create", "Make a user");
    create->add_option("--role", account.role, "admin, developer, viewer or auditor")->required();
    create->add_option("--tenant", account.tenant, "Another tenant than your own");
    add_password(*create, arguments);
    create->footer("Example:\n  akidb user create bob@example.com --role developer --password-file password");
    CLI::App* list = add_act(*user, arguments, "list", "List users");
    list->footer("Example:\n  akidb user list --json");
    CLI::App* role = add_act(*user, arguments, "role", "Give a user another role");
    role->add_option("--role", account.role, "admin, developer, viewer or auditor")->required();
    role->footer("Example:\n  akidb user role bob@example.com --role viewer");
    CLI::App* password = add_act(*user, arguments, "password", "Give a user another password; sessions end");
    add_password(*password, arguments);
    password->footer("Example:\n  akidb user password bob@example.com --password-file password");
    CLI::App* suspend = add_act(*user, arguments, "suspend", "Keep a user out, at once");
    suspend->footer("Example:\n  akidb user suspend bob@example.com");
    CLI::App* resume = add_act(*user, arguments, "resume", "Let a suspended user in again");
    resume->footer("Example:\n  akidb user resume bob@example.com");
    CLI::App* remove = add_act(*user, arguments, "delete", "Delete a user and the sessions");
    remove->footer("Example:\n  akidb user delete bob@example.com");
    for (CLI::App* verb : {create, role, password, suspend, resume, remove}) {
        verb->add_option("email", account.name, "E-mail or id")->required();
    }
}

void add_keys(CLI::App& app, Arguments& arguments) {
    AccountArguments& account = arguments.account;
    CLI::App* key = app.add_subcommand("key", "Make, list, revoke and delete API keys");
    key->require_subcommand(1);
    key->footer("Example:\n  akidb key create reader --role viewer --collection 'words*'");
    CLI::App* create = add_act(*key, arguments, "create", "Make an API key and print it, this once");
    create->add_option("name", account.name, "To tell it from others")->required();
    create->add_option("--role", account.role, "admin, developer, viewer or auditor; else --action");
    create->add_option("--action", account.actions, "A single action, as document::search; several times");
    create->add_option("--collection", account.collections,
                       "Name or pattern, as 'words*'; several times; all without it");
    create->add_option("--row-rule", account.row_rule, "Filter as JSON: all it ever sees");
    create->add_option("--expires-at", account.expires_at, "RFC 3339 time, as 2030-01-31T12:00:00Z");
    create->add_option("--requests-per-second", account.requests_per_second, "Quota; 0 is none")
        ->capture_default_str();
    create->add_option("--tenant", account.tenant, "Another tenant than your own");
    create->footer(
        "Example:\n  akidb key create reader --role viewer --collection 'words*'\n"
        "  akidb key create loader --action document::insert --row-rule "
        "'{\"must\":[{\"key\":\"owner\",\"match\":{\"value\":\"ann\"}}]}'");
    CLI::App* list = add_act(*key, arguments, "list", "List keys, without their secrets");
    list->footer("Example:\n  akidb key list");
    CLI::App* revoke = add_act(*key, arguments, "revoke", "Revoke a key, for good and at once");
    revoke->footer("Example:\n  akidb key revoke 0199f3c8-1c7d-7e0a-9c55-d1f2ab34cd59");
    CLI::App* remove = add_act(*key, arguments, "delete", "Delete a key");
    remove->footer("Example:\n  akidb key delete 0199f3c8-1c7d-7e0a-9c55-d1f2ab34cd59");
    for (CLI::App* verb : {revoke, remove}) {
        verb->add_option("id", account.name, "Id, as key list tells it")->required();
    }
}

void add_tenants(CLI::App& app, Arguments& arguments) {
    AccountArguments& account = arguments.account;
    CLI::App* tenant = app.add_subcommand("tenant", "Make, list, suspend and delete tenants");
    tenant->require_subcommand(1);
    tenant->footer("Example:\n  akidb tenant create acme --requests-per-second 500");
    CLI::App* create = add_act(*tenant, arguments, "create", "Make a tenant");
    CLI::App* quota = add_act(*tenant, arguments, "quota", "Change the quotas of a tenant");
    for (CLI::App* verb : {create, quota}) {
        verb->add_option("--requests-per-second", account.requests_per_second, "0 is none")
            ->capture_default_str();
        verb->add_option("--documents-max", account.documents_max, "In all its collections; 0 is none")
            ->capture_default_str();
    }
    CLI::App* list = add_act(*tenant, arguments, "list", "List tenants");
    CLI::App* suspend = add_act(*tenant, arguments, "suspend", "Keep all users and keys of a tenant out");
    CLI::App* resume = add_act(*tenant, arguments, "resume", "Let a suspended tenant in again");
    CLI::App* remove = add_act(*tenant, arguments, "delete", "Delete a tenant with its users and keys");
    CLI::App* destroy = add_act(*tenant, arguments, "destroy-key",
                                "Make what backups hold of a tenant's collections unreadable, for good");
    for (CLI::App* verb : {create, quota, suspend, resume, remove, destroy}) {
        verb->add_option("name", account.name, verb == destroy ? "Name or id" : "Name")->required();
        verb->footer("Example:\n  akidb tenant " + verb->get_name() + " acme");
    }
    list->footer("Example:\n  akidb tenant list");
}

}  // namespace

void add_client_options(CLI::App& verb, Arguments& arguments, bool has_json) {
    verb.add_option("--url", arguments.url, "The server, by http:// or https://")->capture_default_str();
    verb.add_option("--ca-file", arguments.ca_file,
                    "PEM file of the authority to trust for https, in place of the system's");
    verb.add_option("--api-key-file", arguments.api_key_file,
                    "File that holds an API key or session token; else the variable AKIDB_API_KEY");
    if (has_json) {
        verb.add_flag("--json", arguments.json, "The server's answer as JSON");
    }
}

void add_account_verbs(CLI::App& app, Arguments& arguments) {
    add_entrances(app, arguments);
    add_users(app, arguments);
    add_keys(app, arguments);
    add_tenants(app, arguments);
}

void add_audit_list(CLI::App& audit, Arguments& arguments) {
    AuditListArguments& wanted = arguments.audit_list;
    CLI::App* list = add_act(audit, arguments, "list", "What was done and what was refused, newest first");
    list->add_option("--actor", wanted.actor, "As user:ann@example.com");
    list->add_option("--action", wanted.action, "As key::create");
    list->add_option("--outcome", wanted.outcome, "allowed, denied or failed");
    list->add_option("--limit", wanted.limit, "How many")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    list->footer("Example:\n  akidb audit list --outcome denied --limit 20");
}

bool is_account_verb(const CLI::App& app) {
    return std::any_of(kNouns.begin(), kNouns.end(),
                       [&](const char* noun) { return app.got_subcommand(noun); });
}

void take_account_verb(const CLI::App& app, AccountArguments& account) {
    for (const char* noun : kNouns) {
        if (!app.got_subcommand(noun)) {
            continue;
        }
        account.noun = noun;
        const std::vector<CLI::App*> acts = app.get_subcommand(noun)->get_subcommands();
        account.act = acts.empty() ? "" : acts.front()->get_name();
    }
}

}  // namespace akidb::cli
