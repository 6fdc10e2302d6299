#!/bin/sh
# Runs the worlds of the first seeds and of those that found something (tests/sim/seeds), and one of them twice: it has
# to be the same, byte for byte.
# usage: tests/sim/run.sh [SEEDS]
cd "$(dirname "$0")/../.." || exit 1
sim=build/sanitize/tests/sim
log=build/sanitize/sim.log
passed=0
failed=0
export ASAN_OPTIONS=detect_leaks=1

# Counts what a run of the simulator says, and tells what failed.
count() {
    last=$(tail -n 1 "$log")
    passed=$((passed + $(echo "$last" | sed -n 's/^\([0-9]*\) passed, .*/\1/p' | grep . || echo 0)))
    failed=$((failed + $(echo "$last" | sed -n 's/.* passed, \([0-9]*\) failed$/\1/p' | grep . || echo 1)))
    grep -A 1 '^FAILED' "$log"
}

tests/sim/reached.py --forget build/sanitize
nice $sim --seeds "${1:-24}" >"$log" 2>&1
count
grep 'customer-days\|^most heap' "$log"
while read -r seed words; do
    case $seed in \#* | '') continue ;; esac
    # shellcheck disable=SC2086 # several words
    nice $sim --seed "$seed" ${words%%|*} >"$log" 2>&1 </dev/null
    count
done <tests/sim/seeds
tests/sim/reached.py --tell build/sanitize >build/sanitize/reached
sed -n '/^branches/,$p' build/sanitize/reached | grep ' of '
first=$($sim --seed 12 | grep '^digest')
second=$($sim --seed 12 | grep '^digest')
if [ -z "$first" ] || [ "$first" != "$second" ]; then
    echo "seed 12 gives two different worlds: $first, $second"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
