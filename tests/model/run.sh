#!/bin/sh
# Checks the models of the forwarders' agreement (docs/sharing.md) with Spin: what holds has to hold in every order of events,
# and a model with a rule left out has to fail. Ends with the line "N passed, N failed".
# usage: tests/model/run.sh [--full]      --full: the larger ones, too: a minute or two
cd "$(dirname "$0")" || exit 1
room=$(mktemp -d) || exit 1
trap 'rm -rf "$room"' EXIT
passed=0
failed=0

if ! command -v spin >/dev/null 2>&1; then
    echo 'skipped: spin is not installed (apt-get install spin)'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi

# check holds|fails MODEL [-DOPTION...]
check() {
    wanted=$1 model=$2
    shift 2
    rm -f "$room"/pan*
    if (cd "$room" && spin -a "$@" "$OLDPWD/$model.pml" && gcc -O0 -w -DSAFETY -o pan pan.c && ./pan -m"${DEPTH:-2000000}" -w22) \
            >"$room/log" 2>&1 && grep -q 'errors: [01]$' "$room/log" && ! grep -q 'max search depth too small' "$room/log"; then
        found=holds
        grep -q 'errors: 1$' "$room/log" && found=fails
    else
        found='is not checked'
        cat "$room/log"
    fi
    echo "$model $*: $found, $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$room/log" | head -n 1) states"
    if [ "$found" = "$wanted" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

check holds agreement
check holds agreement -DROLLBACKS=1 -DTABLES=2
check holds agreement -DLIVE -DTABLES=2
for rule in NO_WAIT NO_TRUST NO_HEARTBEAT NO_SINCE NO_REFUSAL TOO_EARLY; do
    check fails agreement -D$rule
done
check fails agreement -DROLLBACKS=1 -DBOUND=1
check fails agreement -DLIVE -DTABLES=2 -DLIMIT=3
check holds checkpoints
check fails checkpoints -DTOO_SOON
if [ "${1:-}" = --full ]; then
    check holds agreement -DTABLES=4
    check holds agreement -DTRUST=3
    check holds agreement -DBEHIND -DTABLES=2
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
