#!/bin/sh
# Each test that docs/testing.md names in the last column of its tables is there: `FILE`, and behind it functions of it.
set -eu
cd "$(dirname "$0")/.."
grep '^| .*`\(e2e\|unit\)/' docs/testing.md | sed 's/.*| \(`[^|]*\) |$/\1/' | grep -o '`[^`]*`' | tr -d '`' | {
    passed=0 failed=0 file='' named=1
    while read -r word; do
        case $word in
        */*)
            [ "$named" -gt 0 ] || { echo "docs/testing.md names no test of $file" >&2; failed=$((failed + 1)); }
            file=tests/$word named=0
            ;;
        *)
            named=$((named + 1))
            if grep -qE "^( +def|static void) $word\(" "$file"; then
                passed=$((passed + 1))
            else
                echo "docs/testing.md names $word, which is not in $file" >&2
                failed=$((failed + 1))
            fi
            ;;
        esac
    done
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 100 ]
}
