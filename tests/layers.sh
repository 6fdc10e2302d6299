#!/bin/sh
# Holds the includes of src/ against the order of the layers, and a few names against where they may be used:
#   base <- net <- splunk, microsoft (never each other) <- collect <- command <- main
set -eu
cd "$(dirname "$0")/.."
passed=0 failed=0

forbid() {      # forbid LAYER PATTERN WHY
    if [ -z "$(find "src/$1" -name '*.c' 2>/dev/null)" ]; then
        echo "src/$1 has no files" >&2
        failed=$((failed + 1))
        return
    fi
    found=$(grep -rnE "$2" "src/$1" --include='*.[ch]' || true)
    if [ -n "$found" ]; then
        printf 'src/%s %s:\n%s\n' "$1" "$3" "$found" >&2
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

forbid base '#include "(net|splunk|microsoft|collect|command)/' 'may include base only'
forbid net '#include "(splunk|microsoft|collect|command)/' 'may include base and net only'
forbid splunk '#include "(microsoft|collect|command)/' 'may include base, net and splunk only'
forbid microsoft '#include "(splunk|collect|command)/' 'may include base, net and microsoft only'
forbid collect '#include "command/' 'may not include command'
for layer in base splunk microsoft collect command; do
    forbid "$layer" '#include <curl/' 'may not include curl: that is for net'
done
for layer in base net microsoft collect command; do
    forbid "$layer" '#include <libxml/' 'may not include libxml2: that is for splunk'
done
# splunkd's log is searched by event: whoever writes into it takes an event of the table.
for layer in net splunk microsoft collect; do
    forbid "$layer" 'log_error\(|"[^"]*event=' 'may log with log_event() only'
done
# Functions that are banned: each has a bounded or checked counterpart in base/.
forbid . '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca)\(' 'uses a banned function'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
