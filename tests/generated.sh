#!/bin/sh
# The generated files in the repository equal what the program's tables give now, and no log event lacks an entry in
# docs/troubleshooting.md.
set -eu
cd "$(dirname "$0")/.."
passed=0 failed=0

compare() {     # compare FILE GENERATOR [WHAT]
    file=$1
    shift
    if "build/plain/$@" | cmp -s - "$file"; then
        passed=$((passed + 1))
    else
        echo "$file differs from '$*'; run: make generate" >&2
        failed=$((failed + 1))
    fi
}

compare README/inputs.conf.spec gen_conf spec
compare default/inputs.conf gen_conf inputs
compare default/data/ui/manager/defender_alerts.xml gen_conf manager
compare docs/troubleshooting.md gen_docs

for event in $(grep -rhoE 'event=[a-z_]+' src --include='*.c' | sed 's/event=//' | sort -u) refused trouble; do
    if grep -q "^| \`$event\` |" docs/troubleshooting.md; then
        passed=$((passed + 1))
    else
        echo "event=$event is missing in the table of tools/gen_docs.c" >&2
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
