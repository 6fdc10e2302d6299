#!/bin/sh
# run.sh SECONDS [TARGET...] - builds and runs each fuzzer in turn; ends with the line "N passed, N failed".
# What a run finds interesting is kept in build/fuzz/found/, what breaks a promise in build/fuzz/crashes/.
# Needs Debian's clang and libclang-rt-14-dev.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-600}
[ $# -gt 0 ] && shift
compiler=${FUZZ_CC:-clang}
if ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        "$compiler" -x c - -fsanitize=fuzzer,address,undefined -o /dev/null 2>/dev/null; then
    echo "no $compiler with libFuzzer here (apt-get install clang libclang-rt-14-dev)"
    [ -z "${CI:-}" ] || { echo "0 passed, 1 failed"; exit 1; }
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
make -s -j"$(nproc)" fuzz-build || exit 1
# shellcheck disable=SC2046     # one word for each fuzzer
[ $# -gt 0 ] || set -- $(basename -s .c tests/fuzz/fuzz_*.c)
passed=0 failed=0
mkdir -p build/fuzz/crashes
for target in "$@"; do
    corpus=tests/fuzz/corpus/${target#fuzz_}
    found=build/fuzz/found/$target
    log=build/fuzz/$target.log
    mkdir -p "$found"
    [ -d "$corpus" ] || corpus=
    # shellcheck disable=SC2086     # no corpus: no argument
    if nice build/fuzz/"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=2000 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" "$found" $corpus >"$log" 2>&1 &&
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") && [ "${executions:-0}" -gt 0 ]; then
        passed=$((passed + 1))
        echo "$target: $executions executions in $seconds s"
    else
        failed=$((failed + 1))
        echo "$target failed, see $log:"
        grep -aE 'promise|differ|ERROR|runtime error|SUMMARY' "$log" | cut -c 1-300
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
