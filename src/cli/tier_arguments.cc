#include "cli/tier_arguments.h"

#include <array>

#include "cli/account_arguments.h"

namespace akidb::cli {
namespace {

struct Act {
    const char* name;
    const char* sentence;
    const char* example;
    bool names_collection;
};
constexpr std::array<Act, 10> kActs{{
    {"status", "Tell where collections are, and what the object store still owes", "status", false},
    {"show", "Tell where one collection is", "show words", true},
    {"policy", "Change where a collection is kept", "policy words s3_only", true},
    {"promote", "Open a collection that is warm or cold", "promote words", true},
    {"demote", "Close a collection, or remove its local files once all of it is in the store",
     "demote words --to cold", true},
    {"pin", "Keep a collection open", "pin words", true},
    {"unpin", "Let a collection be closed again while nobody asks for it", "unpin words", true},
    {"dead-letters", "List uploads and removals that failed too often", "dead-letters", false},
    {"retry", "Try a dead letter again, or all of them", "retry --all", false},
    {"drop", "Forget a dead letter", "drop 7", false},
}};
constexpr const char* kResetBreaker = "reset-breaker";

}  // namespace

void add_tier_verbs(CLI::App& app, Arguments& arguments) {
    TierArguments& options = arguments.tiers;
    CLI::App* tiers = app.add_subcommand("tiers", "Move collections between memory, disk and object store");
    tiers->require_subcommand(1);
    tiers->footer("Example:\n  akidb tiers policy words s3_only\n  akidb tiers demote words --to cold");
    for (const Act& act : kActs) {
        CLI::App* verb = tiers->add_subcommand(act.name, act.sentence);
        verb->footer(std::string("Example:\n  akidb tiers ") + act.example);
        add_client_options(*verb, arguments, true);
        if (act.names_collection) {
            verb->add_option("name", arguments.collection, "Name or id of the collection")->required();
        }
    }
    tiers->get_subcommand("policy")
        ->add_option("policy", options.policy, "memory, memory_s3 or s3_only")
        ->required();
    tiers->get_subcommand("demote")
        ->add_option("--to", options.to, "warm or cold")
        ->check(CLI::IsMember({"warm", "cold"}))
        ->required();
    CLI::App* retry = tiers->get_subcommand("retry");
    CLI::Option* letter = retry->add_option("id", options.letter, "Of the dead letter");
    CLI::Option* all = retry->add_flag("--all", options.all, "All of them")->excludes(letter);
    static_cast<void>(all);
    tiers->get_subcommand("drop")->add_option("id", options.letter, "Of the dead letter")->required();
    CLI::App* reset = tiers->add_subcommand(kResetBreaker, "Let requests to S3 through again at once");
    reset->footer("Example:\n  akidb tiers reset-breaker");
    add_client_options(*reset, arguments, true);
}

void take_tier_verb(const CLI::App& app, TierArguments& tiers) {
    if (!app.got_subcommand("tiers")) {
        return;
    }
    const CLI::App* noun = app.get_subcommand("tiers");
    for (const Act& act : kActs) {
        if (noun->got_subcommand(act.name)) {
            tiers.act = act.name;
        }
    }
    if (noun->got_subcommand(kResetBreaker)) {
        tiers.act = kResetBreaker;
    }
}

}  // namespace akidb::cli
