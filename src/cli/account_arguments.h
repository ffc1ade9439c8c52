// The verbs login, setup, user, key and tenant on the command line, for arguments.cc alone, and what the
// verbs that are clients have in common.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace akidb::cli {

void add_client_options(CLI::App& verb, Arguments& arguments, bool has_json);
void add_account_verbs(CLI::App& app, Arguments& arguments);
void add_audit_list(CLI::App& audit, Arguments& arguments);
bool is_account_verb(const CLI::App& app);
/// Noun and act, after parsing.
void take_account_verb(const CLI::App& app, AccountArguments& account);

}  // namespace akidb::cli
