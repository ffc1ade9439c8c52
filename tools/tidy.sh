#!/usr/bin/env bash
# Checks what STYLE.md states and a line of text shows: words, headers, lengths of pages, links, format. What takes more
# than a line to see (lengths of functions, dead files, unset metrics) is in tests/tidy/tidy_test.cc. Prints every fault as
# file:line and exits 1 when there is one. Called by ./dev tidy and by ctest.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

faults=0
fault() {
    printf '%s\n' "$*"
    faults=$((faults + 1))
}

# Files of the repository: known to git, or new and not ignored.
files() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ -f "$file" ] && echo "$file"; done; }

# check_word PATTERN WHAT_INSTEAD FILE…
check_word() {
    local pattern=$1 instead=$2 hit
    shift 2
    [ $# -gt 0 ] || return 0
    while read -r hit; do fault "$hit  <- $instead"; done < <(grep -nE "$pattern" "$@" 2>/dev/null)
}

check_words() {
    local sources everywhere
    # The time-outs of the HTTP server run on Asio's timers, which know one clock.
    mapfile -t everywhere < <(files '*.h' '*.cc')
    mapfile -t sources < <(files 'src/*.h' 'src/*.cc' | grep -vE '_test\.cc$|^src/(io|server)/|^src/rest/(http_|connection_book)')
    check_word 'using namespace' 'name what you use' "${everywhere[@]}"
    check_word '\b(TO''DO|FIX''ME|X''XX)\b' 'do it, or open an issue' "${everywhere[@]}"
    check_word 'std::cout' 'a logger, or stdio in a verb' "${everywhere[@]}"
    check_word 'std::rand\b|\bsrand\(' 'io::Random' "${everywhere[@]}"
    # The pointer that such a call returns is gone before the loop begins, and with it, perhaps, what it points to.
    check_word 'for \([^;]*: ([^;]*\((\)|[^;()]*\))->|\*[^;]*\(\)\))' 'a name for the pointer, before the loop' "${everywhere[@]}"
    check_word '\bgetenv\(' 'the settings table' "${sources[@]}"
    check_word 'system_clock::now|steady_clock::now' 'io::Clock' "${sources[@]}"
    check_word 'std::j?thread\b[^:]' 'io::Executor' "${sources[@]}"
}

check_headers() {
    local file
    while read -r file; do
        head -n 1 "$file" | grep -q '^// ' || fault "$file:1: a header opens with what it is for (STYLE.md)"
        # What Highway compiles once for each instruction set is included as often.
        [[ $file == *-inl.h ]] || grep -q '^#pragma once$' "$file" || fault "$file: no #pragma once"
    done < <(files '*.h')
}

check_pages() {
    local file link lines
    lines=$(wc -l <ARCHITECTURE.md)
    [ "$lines" -le 250 ] || fault "ARCHITECTURE.md: $lines lines; the limit is 250"
    lines=$(wc -l <STYLE.md)
    [ "$lines" -le 150 ] || fault "STYLE.md: $lines lines; the limit is 150"
    while read -r file; do
        while read -r link; do
            [ -e "$(dirname "$file")/$link" ] || fault "$file: the link to $link leads nowhere"
        done < <(grep -oE '\]\([^)#]+' "$file" | cut -c3- | grep -vE '^(https?|mailto):')
    done < <(files '*.md')
}

# Another version of clang-format breaks lines in other places, so only the one that STYLE.md names is asked.
check_format() {
    local formatter=clang-format-14
    command -v "$formatter" >/dev/null || formatter=clang-format
    "$formatter" --version 2>/dev/null | grep -q 'version 14\.' || return 0
    local file
    while read -r file; do fault "$file: not formatted; run ./dev fmt"; done < <(
        files '*.h' '*.cc' | xargs -r "$formatter" --dry-run --Werror 2>&1 | sed -nE 's/^([^: ]+):[0-9]+:[0-9]+: .*/\1/p' | sort -u)
}

check_words
check_headers
check_pages
check_format
if [ "$faults" -gt 0 ]; then
    printf '%d faults\n' "$faults"
    exit 1
fi
printf 'tidy: no faults\n'
