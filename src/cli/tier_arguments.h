// The verb tiers on the command line, for arguments.cc alone.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace akidb::cli {

void add_tier_verbs(CLI::App& app, Arguments& arguments);
/// The act, after parsing.
void take_tier_verb(const CLI::App& app, TierArguments& tiers);

}  // namespace akidb::cli
