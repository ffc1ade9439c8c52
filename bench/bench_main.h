// bench_main: what every bench program does round its work: parse the words, print a fault, and end with the
// exit codes of akidb (0, 64 usage, 70 a fault).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

namespace akidb::bench {

/// `work` runs once the words were parsed into what the options of `app` are bound to.
template <class Work>
int bench_main(CLI::App& app, const char* name, int argc, char** argv, Work work) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 64;
    }
    try {
        work();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return 70;
    }
}

}  // namespace akidb::bench
