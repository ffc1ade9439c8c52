#!/usr/bin/env bash
# Compiles the kernels for 64-bit ARM and runs them under qemu against the scalar ones: plain NEON, and NEON with dot
# products. Exits 77, which ctest takes for "skipped", where the compiler or qemu is missing.
# Usage: neon_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY HIGHWAY_HEADERS CHECK_PROGRAM
set -euo pipefail
source=$1 build=$2 highway=$3 checker=$4
compiler=aarch64-linux-gnu-g++
emulator=qemu-aarch64
for program in "$compiler" "$emulator"; do
    if ! command -v "$program" >/dev/null; then
        printf 'skipped: %s is not installed (packages g++-aarch64-linux-gnu and qemu-user)\n' "$program"
        exit 77
    fi
done

# A folder with a link to Highway's headers alone: /usr/include as a whole would put this machine's C library before the
# other's. The headers are the same for all machines.
rm -rf "$build"
mkdir -p "$build/include"
ln -s "$highway/hwy" "$build/include/hwy"

# check NAME INSTRUCTIONS CPU
check() {
    local program=$build/$1
    local flags=(-std=c++20 "-march=$2" -Wall -Wextra -Werror -isystem "$build/include" "-I$source/src")
    "$compiler" "${flags[@]}" -O3 -c "$source/src/simd/kernels_highway.cc" -o "$program.o"
    "$compiler" "${flags[@]}" -O2 -static "$source/src/simd/kernels.cc" "$source/src/simd/kernels_scalar.cc" \
        "$checker" "$program.o" -o "$program"
    printf '%s:\n' "$1"
    "$emulator" -cpu "$3" "$program"
}

check neon armv8-a cortex-a53
check neon_dotprod armv8.2-a+dotprod max
