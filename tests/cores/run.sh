#!/bin/sh
# Runs worlds of forwarders that share inputs, and sees that a broken promise is found (mutants.py has the others).
# usage: tests/cores/run.sh [SEEDS]
cd "$(dirname "$0")/../.." || exit 1
cores=build/plain/tests/cores
passed=0
failed=0

if nice $cores --seeds "${1:-800}"; then
    passed=1
else
    failed=1
fi
if nice $cores --seeds 100 --break unsafe | grep -q '^FAILED'; then
    passed=$((passed + 1))
else
    echo "nobody notices checkpoints that say too much"
    failed=$((failed + 1))
fi
first=$($cores --seed 11)
if [ -n "$first" ] && [ "$first" = "$($cores --seed 11)" ]; then
    passed=$((passed + 1))
else
    echo "seed 11 gives two different worlds"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
