#!/bin/sh
# The generated files in the repository equal what the parameter table gives now.
set -eu
cd "$(dirname "$0")/.."
passed=0 failed=0

compare() {     # compare FILE WHAT
    if build/plain/gen_conf "$2" | cmp -s - "$1"; then
        passed=$((passed + 1))
    else
        echo "$1 differs from 'gen_conf $2'; run: make generate" >&2
        failed=$((failed + 1))
    fi
}

compare README/inputs.conf.spec spec
compare default/inputs.conf inputs
compare default/data/ui/manager/defender_alerts.xml manager
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
