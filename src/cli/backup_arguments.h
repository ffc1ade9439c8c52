// The verbs backup, restore and s3 on the command line, for arguments.cc alone.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "cli/arguments.h"

namespace akidb::cli {

void add_backup_verbs(CLI::App& app, Arguments& arguments);
/// None: another verb was given.
std::optional<Verb> find_backup_verb(const CLI::App& app);
/// The act, after parsing.
void take_backup_verb(const CLI::App& app, BackupArguments& backup);

}  // namespace akidb::cli
