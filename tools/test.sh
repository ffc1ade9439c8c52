# shellcheck shell=bash
# Sourced by ./dev: the whole test run. Three passes, each a build of its own: release; debug with AddressSanitizer and
# UndefinedBehaviorSanitizer; and ThreadSanitizer. clang builds both of these: it compiles the sanitizers' checks in half
# the time of g++, and checks the lock annotations as well.
# A pass that fails does not stop the others. The last line sums all test cases.

passed_sum=0
failed_sum=0

# Adds up test cases from the log of the last ctest run: single cases where a program is a GoogleTest one (its output has
# OK and FAILED lines), else the program as one. Prints "passed failed".
count_cases() {
    awk '
        / Testing: / { ok = 0; bad = 0 }
        /^\[       OK \]/ { ok++ }
        /^\[  FAILED  \].*\([0-9]+ ms\)$/ { bad++ }
        /^Test Passed\.$/ { passed += ok > 0 ? ok : 1 }
        /^Test Failed\.$/ { passed += ok; failed += bad > 0 ? bad : 1 }
        END { print passed + 0, failed + 0 }' "$1"
}

# test_pass PRESET TESTS: builds and runs one pass, TESTS at a time, and adds its counts.
test_pass() {
    local preset=$1 status=0 passed=0 failed=0 log
    printf '\n== %s: build\n' "$preset"
    if ! build_preset "$preset" "${build_arguments[@]}"; then
        printf '%s: the build failed\n' "$preset"
        failed_sum=$((failed_sum + 1))
        return
    fi
    printf '== %s: tests\n' "$preset"
    log=build/$preset/Testing/Temporary/LastTest.log
    rm -f "$log"
    "${test_prefix[@]}" ctest --test-dir "build/$preset" -j "$2" --output-on-failure --no-tests=error || status=$?
    if [ -f "$log" ]; then read -r passed failed < <(count_cases "$log"); fi
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    passed_sum=$((passed_sum + passed))
    failed_sum=$((failed_sum + failed))
    printf '== %s: %d passed, %d failed\n' "$preset" "$passed" "$failed"
}

run_tests() {
    local -a test_prefix=(env) build_arguments=()
    # Many of these wait for a process, a package or an alert, and those of the sanitizers for the processor.
    test_pass release 3
    if [ "${1:-}" != --quick ]; then
        need_packages clang
        build_arguments=("-DCMAKE_CXX_COMPILER=$(clang_compiler)")
        test_prefix=(env ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1)
        test_pass debug 2
        # The gRPC packages are not built for ThreadSanitizer; see tests/tsan.supp. Where the kernel randomises 32 bits
        # of addresses the sanitizer's shadow memory does not fit, hence setarch.
        test_prefix=(env "TSAN_OPTIONS=ignore_noninstrumented_modules=1 suppressions=$PWD/tests/tsan.supp")
        if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ]; then
            test_prefix=(setarch -R "${test_prefix[@]}")
        fi
        test_pass tsan 2
    fi
    printf '\n%d passed, %d failed\n' "$passed_sum" "$failed_sum"
    [ "$failed_sum" = 0 ]
}
