#!/bin/sh
# The generated files in the repository equal what the program's tables and the markers at the tests give now, and each
# row of the tables of messages is said somewhere in the program.
set -eu
cd "$(dirname "$0")/.."
passed=0 failed=0

compare() {     # compare FILE GENERATOR [ARGUMENT]
    file=$1
    shift
    program=$1
    shift
    if [ -s "$file" ] && "$program" "$@" | cmp -s - "$file"; then
        passed=$((passed + 1))
    else
        echo "$file differs from what $program prints; run: make generate" >&2
        failed=$((failed + 1))
    fi
}

page=default/data/ui/manager/defender_alerts.xml
compare README/inputs.conf.spec build/plain/gen_conf spec
compare default/inputs.conf build/plain/gen_conf inputs
compare "$page" build/plain/gen_conf manager
compare ui/params.json build/plain/gen_conf page
compare docs/inputs-page.svg tools/draw_inputs_page.py "$page"
compare docs/troubleshooting.md build/plain/gen_docs

if tools/gen_promises.py --check; then
    passed=$((passed + 1))
else
    echo "the promises of docs/testing.md differ from the markers at the tests; run: make generate" >&2
    failed=$((failed + 1))
fi

# A row that no code uses would document nothing. EVENT_FATAL is written by base/die.c, which cannot include the table;
# tests/unit/test_messages.c compares the two.
rows=$(grep -hoE '^    \[(EVENT|DIAGNOSIS)_[A-Z0-9_]+\]' src/messages/log_events.c src/messages/diagnosis.c | tr -d '[] ' |
       grep -v EVENT_FATAL) || true
[ -n "$rows" ] || { echo "the tables of messages have no rows" >&2; failed=$((failed + 1)); }
said=$({
    grep -rhowE '(EVENT|DIAGNOSIS)_[A-Z0-9_]+' src --include='*.c' --exclude=log_events.c --exclude=diagnosis.c
    grep -vE '^    \[' src/messages/log_events.c | grep -owE 'EVENT_[A-Z0-9_]+'     # its own, about the log
} | sort -u | tr '\n' ' ')
for row in $rows; do
    case " $said" in
    *" $row "*) passed=$((passed + 1)) ;;
    *)
        echo "$row is in the table, but no code says it" >&2
        failed=$((failed + 1))
        ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
