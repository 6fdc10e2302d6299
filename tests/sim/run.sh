#!/bin/sh
# Runs the worlds of the first seeds, and one of them twice: it has to be the same, byte for byte.
# usage: tests/sim/run.sh [SEEDS]
cd "$(dirname "$0")/../.." || exit 1
sim=build/sanitize/tests/sim
log=build/sanitize/sim.log
export ASAN_OPTIONS=detect_leaks=1

nice $sim --seeds "${1:-40}" >"$log" 2>&1
status=$?
if [ $status != 0 ]; then
    grep -A 1 '^FAILED' "$log"
    echo "see $log"
fi
tail -n 2 "$log"
first=$($sim --seed 12 | grep '^digest')
second=$($sim --seed 12 | grep '^digest')
if [ -z "$first" ] || [ "$first" != "$second" ]; then
    echo "seed 12 gives two different worlds: $first, $second"
    exit 1
fi
exit $status
